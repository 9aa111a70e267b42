"""Who has a mail open: two clerks do not decide on the same one without knowing of each other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from worker.pipeline.review_words import Refused
from worker.rules.states import REVIEWABLE
from worker.store.messages import Message
from worker.store.readings import Reading

ALIVE = timedelta(seconds=100)
"""A page tells every 30 seconds that it is open; three missed, and it is taken for closed."""
_TOLD_LATELY = timedelta(seconds=15)


def read_mail(session: Session, message_id: str, *, by: str, now: datetime) -> str:
    """Note that ``by`` has the mail open and nothing else; gives who had it first, or nobody.

    Whoever came first keeps it until they go on, or are not heard of for ``ALIVE``.
    """
    first = session.get(Reading, message_id, with_for_update=True, populate_existing=True)
    if first is not None and first.by != by and _alive(first, now):
        return first.by
    if first is None:
        _forget(session, by)
        return _begin(session, message_id, by, now)
    if first.by == by and _told_lately(first, now):
        return ""
    if first.by != by:
        _forget(session, by)
        first.by, first.since = by, now
    first.seen_at = now
    session.flush()
    return ""


def is_told(session: Session, message_id: str, *, by: str, now: datetime) -> bool:
    """Whether ``read_mail`` would write nothing: a page asks first and spares a transaction."""
    first = session.get(Reading, message_id)
    if first is None:
        return False
    return _told_lately(first, now) if first.by == by else _alive(first, now)


def take_over(session: Session, message_id: str, *, by: str, now: datetime) -> str:
    """Take a mail that somebody else has open, knowingly; gives who that was, or nobody.

    Raises Refused where it is not waiting to be read.
    """
    message = session.get(Message, message_id)
    if message is None:
        raise Refused("not_found")
    if message.state not in REVIEWABLE:
        raise Refused("not_in_review", state=message.state.value)
    before = reader_of(session, message_id, but=by, now=now)
    session.execute(delete(Reading).where(Reading.message_id == message_id))
    _forget(session, by)
    _begin(session, message_id, by, now)
    return before


def reader_of(session: Session, message_id: str, *, but: str, now: datetime) -> str:
    """Who has the mail open besides ``but``; empty: nobody."""
    return readers(session, [message_id], but=but, now=now).get(message_id, "")


def readers(
    session: Session, message_ids: Collection[str], *, but: str, now: datetime
) -> dict[str, str]:
    """Who has which of these mails open, besides ``but``."""
    rows = session.execute(
        select(Reading.message_id, Reading.by).where(
            Reading.message_id.in_(message_ids), Reading.by != but, Reading.seen_at > now - ALIVE
        )
    )
    return {row.message_id: row.by for row in rows}


def raise_where_read(session: Session, message_id: str, *, by: str, now: datetime) -> None:
    """Raise Refused where somebody else has the mail open: it may be changing just now."""
    who = reader_of(session, message_id, but=by, now=now)
    if who:
        raise Refused("being_read", who=who)


def _begin(session: Session, message_id: str, by: str, now: datetime) -> str:
    """Note it; where somebody did so in this very instant, theirs stands."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(Reading)
        .values(message_id=message_id, by=by, since=now, seen_at=now)
        .on_conflict_do_nothing()
    )
    return reader_of(session, message_id, but=by, now=now)


def _forget(session: Session, by: str) -> None:
    """A clerk reads one mail at a time: opening the next one lays the last one down."""
    session.execute(delete(Reading).where(Reading.by == by))


def _alive(reading: Reading, now: datetime) -> bool:
    return reading.seen_at > now - ALIVE


def _told_lately(reading: Reading, now: datetime) -> bool:
    return reading.seen_at > now - _TOLD_LATELY
