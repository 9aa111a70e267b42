"""Takes in what came back by mail: each mail is kept once, with all that follows from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.coming_back.parts import LONGEST
from worker.mail.coming_back.reading import read_mail
from worker.mail.coming_back.verdicts import ComingBack, What
from worker.pipeline.coming_back_answers import answered
from worker.pipeline.coming_back_bounces import bounced
from worker.pipeline.coming_back_complaints import complained
from worker.pipeline.coming_back_match import FORGED, Match, find_message
from worker.pipeline.context import Context
from worker.rules.states import MessageState
from worker.store.returns import ReturnedMail

__all__ = ["NotYet", "Taken", "take_mail"]

UNKNOWN_OUTCOMES = frozenset({"unmatched", "forged", "unreadable", "unproved"})
"""Nothing was done with these: a person may look at the mail itself."""


class NotYet(Exception):
    """The message is just being handed over: take the mail in again in a moment."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one received mail; nothing in it is personal."""

    what: str
    outcome: str
    matched: str = ""
    again: bool = False
    """It had been taken in before, and nothing was done this time."""

    @property
    def known(self) -> bool:
        """Whether it was understood and belongs to a message."""
        return self.outcome not in UNKNOWN_OUTCOMES


_Follow = Callable[[Session, Context, ComingBack, Match, ReturnedMail, datetime], str]


def take_mail(session: Session, ctx: Context, raw: bytes, *, source: str, now: datetime) -> Taken:
    """Read one mail and do what follows; the same bytes again do nothing.

    Raises NotYet, without having written anything, while the mail's message is being sent.
    """
    digest = hashlib.sha256(raw[:LONGEST]).hexdigest()
    known = session.scalar(sa.select(ReturnedMail).where(ReturnedMail.digest == digest))
    if known is not None:
        return Taken(known.what, known.outcome, known.matched, again=True)
    read = read_mail(raw)
    match = find_message(session, ctx, read, now)
    if match.message is not None and match.message.state is MessageState.SENDING:
        raise NotYet
    row = ReturnedMail(
        digest=digest,
        at=now,
        source=source,
        what=read.what.value,
        matched=match.how,
        message_id=match.message.id if match.message else None,
        address_hash=match.message.recipient_hash if match.message else "",
    )
    session.add(row)
    session.flush()
    row.outcome = _follow(session, ctx, read, match, row, now)
    session.flush()
    return Taken(row.what, row.outcome, row.matched)


_FOLLOWS: dict[What, _Follow] = {
    What.BOUNCE: bounced,
    What.COMPLAINT: complained,
    What.AUTO_REPLY: answered,
    What.REPLY: answered,
}


def _follow(
    session: Session,
    ctx: Context,
    read: ComingBack,
    match: Match,
    row: ReturnedMail,
    now: datetime,
) -> str:
    if match.how == FORGED:
        return "forged"
    act = _FOLLOWS.get(read.what)
    if act is None:
        return "unreadable" if read.what is What.UNREADABLE else "left"
    return act(session, ctx, read, match, row, now)
