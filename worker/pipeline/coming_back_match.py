"""Finds the message that a received mail is about, and says how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.coming_back.return_path import candidates, looks_ours, proved_tail
from worker.mail.coming_back.verdicts import ComingBack, What
from worker.pipeline.context import Context
from worker.rules.keys import address_hash
from worker.rules.states import MAYBE_OUT
from worker.store.messages import Message

RETURN_PATH, MAIL_ID, ADDRESS, FORGED = "return_path", "mail_id", "address", "forged"
REFUSED = "refused"
"""Told to ourselves while the mail was handed over."""

PROVED = frozenset({RETURN_PATH, MAIL_ID, REFUSED})
"""Only who had the mail in hand knows these: an address alone proves nothing."""

_RECENT = timedelta(days=14)
_ANSWERED_WITHIN = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Match:
    """How a message was found; ``how`` is empty where none was."""

    how: str = ""
    message: Message | None = None


def find_message(session: Session, ctx: Context, read: ComingBack, now: datetime) -> Match:
    """Look by return path, then by Message-ID, then by address.

    A return path of our form without a proof is a forgery: then nothing else is tried.
    """
    paths = [address for address in read.envelopes if looks_ours(address)]
    if paths:
        return _by_return_path(session, ctx, paths, now)
    found = _by_mail_id(session, ctx, read)
    if found is not None:
        return Match(MAIL_ID, found)
    found = _by_address(session, ctx, read, now)
    return Match(ADDRESS, found) if found is not None else Match()


def _by_return_path(session: Session, ctx: Context, paths: Iterable[str], now: datetime) -> Match:
    keys = (ctx.key, *ctx.former_keys)
    tails = [tail for path in paths if (tail := proved_tail(keys, path)) is not None]
    if not tails:
        return Match(FORGED)
    ids = [one for tail in tails for one in candidates(tail, now)]
    return Match(RETURN_PATH, _one(session, Message.id.in_(ids)))


def _by_mail_id(session: Session, ctx: Context, read: ComingBack) -> Message | None:
    for mail_id in read.mail_ids:
        found = _one(session, Message.mail_id == mail_id)
        if found is not None and (read.what is not What.BOUNCE or speaks_of(ctx, read, found)):
            return found
    return None


def speaks_of(ctx: Context, read: ComingBack, message: Message) -> bool:
    """Whether one of a bounce's recipients is the message's own."""
    return message.recipient_hash in _hashes(ctx, read)


def _hashes(ctx: Context, read: ComingBack) -> list[str]:
    people = [one for failure in read.failures for one in failure.recipients]
    if read.what in (What.REPLY, What.AUTO_REPLY):
        people = [read.sender]
    return [address_hash(ctx.key, one) for one in dict.fromkeys(people) if one]


def _by_address(session: Session, ctx: Context, read: ComingBack, now: datetime) -> Message | None:
    hashes = _hashes(ctx, read)
    if not hashes:
        return None
    since = now - (_RECENT if read.what is What.BOUNCE else _ANSWERED_WITHIN)
    return _one(session, Message.recipient_hash.in_(hashes), Message.sent_at >= since)


def _one(session: Session, *conditions: sa.ColumnElement[bool]) -> Message | None:
    """The newest message that is or may be out and never was only captured."""
    return session.scalars(
        sa.select(Message)
        .where(*conditions, Message.state.in_(MAYBE_OUT), sa.not_(Message.captured))
        .order_by(Message.sent_at.desc().nulls_last(), Message.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
