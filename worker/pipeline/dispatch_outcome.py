"""What became of a hand-over, written down twice: in the journal first, then in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, bindparam, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from worker.mail.journal import JournalUnwritable
from worker.mail.transport import Accepted, Paused, Permanent, Scope, TransportError, Unknown
from worker.pipeline.coming_back_refused import refused
from worker.pipeline.dispatch_claim import Claimed
from worker.pipeline.dispatch_ports import Tools
from worker.rules.states import Actor, MessageState
from worker.store.message_queries import close_sending
from worker.store.messages import Message, MessageEvent
from worker.store.moves import apply_move
from worker.store.running import Instance
from worker.store.schema import Base

SENT, CAPTURED, RETRY, FAILED, UNSURE = "sent", "captured", "retry_wait", "failed", "unconfirmed"
"""Events of the journal; ``captured`` never left the house."""

RETRY_AFTER = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=45),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)
"""Waits after the first, second … failed attempt (mail-format, section 7)."""

GIVE_UP_AFTER = timedelta(hours=48)
RATE_PAUSE = timedelta(minutes=30)
_LONGEST_REPLY = 500
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """``event`` for the journal, ``move`` for the table of moves, and columns to set."""

    event: str
    move: str
    reply: str
    changed: dict[str, Any] = field(default_factory=dict)
    refusal: Permanent | None = None
    """The server's own refusal, of which something may follow for the address."""


def accepted_outcome(item: Claimed, accepted: Accepted, now: datetime) -> Outcome:
    """The receiver, or the outbox, has it."""
    event = CAPTURED if item.captured else SENT
    changed = {"sent_at": now, "captured": item.captured, "next_attempt_at": None}
    return Outcome(event, "sent", accepted.reply, changed)


def failed_outcome(
    session: Session, item: Claimed, attempt: int, error: TransportError, now: datetime
) -> Outcome:
    """Sort a failure: perhaps sent, never to be sent, or to be tried again later."""
    if isinstance(error, Unknown):
        return Outcome(UNSURE, "unsure", error.reply)
    if isinstance(error, Permanent):
        return Outcome(FAILED, "fail", error.reply, refusal=error)
    if isinstance(error, Paused):
        return Outcome(RETRY, "retry", error.reply, {"next_attempt_at": now + RETRY_AFTER[0]})
    when = next_attempt(attempt, _first_attempt(session, item, now), now, error)
    if when is None:
        return Outcome(FAILED, "fail", f"given up after {attempt} attempts: {error.reply}")
    return Outcome(RETRY, "retry", error.reply, {"next_attempt_at": when})


def next_attempt(
    attempt: int, first_at: datetime, now: datetime, error: TransportError
) -> datetime | None:
    """When to try again after the ``attempt``-th failure; None where it is time to give up.

    A server that asks for patience gets it: at least half an hour when it was too fast for it,
    and whatever longer wait its answer named.
    """
    if attempt > len(RETRY_AFTER):
        return None
    wait = RETRY_AFTER[attempt - 1]
    if error.scope is Scope.RATE:
        wait = max(wait, RATE_PAUSE)
    asked = getattr(error, "retry_after", None)
    if asked is not None:
        wait = max(wait, timedelta(seconds=float(asked)))
    when = now + wait
    return when if when <= first_at + GIVE_UP_AFTER else None


def _first_attempt(session: Session, item: Claimed, now: datetime) -> datetime:
    """When this generation was first handed over; the Message-ID tells the generations apart."""
    first = session.scalar(
        select(func.min(MessageEvent.at)).where(
            MessageEvent.message_id == item.taking.message_id,
            MessageEvent.move == "send",
            MessageEvent.reason["mail_id"].as_string() == item.taking.mail_id,
        )
    )
    return first or now


def record(engine: Engine, tools: Tools, item: Claimed, outcome: Outcome, now: datetime) -> None:
    """Write the outcome into the journal and then into the database, until that holds.

    Raises the database's error when it stayed away longer than the tools' patience; then the
    journal knows, and the sweep settles the message from it.
    """
    sequence = _journal(tools, item, outcome, now)
    tools.probe("outcome_journalled", item.taking.message_id)
    _until_it_holds(tools, lambda: _commit(engine, tools, item, outcome, sequence, now))


def _journal(tools: Tools, item: Claimed, outcome: Outcome, now: datetime) -> int:
    try:
        return tools.journal.outcome(item.taking.message_id, item.generation, outcome.event, now)
    except JournalUnwritable as error:
        # The database can still tell it; what must not happen is to forget an accepted mail.
        _log.error("journal_unwritable", message=item.taking.message_id, error=str(error))
        return 0


def _commit(
    engine: Engine, tools: Tools, item: Claimed, outcome: Outcome, sequence: int, now: datetime
) -> None:
    message_id = item.taking.message_id
    reply = outcome.reply[:_LONGEST_REPLY]
    reason = {"reply": reply, "captured": item.captured, "mail_id": item.taking.mail_id}
    if tools.standing.lock:
        reason["locked"] = tools.standing.lock
    with engine.begin() as connection:
        closed = close_sending(
            connection,
            message_id,
            tools.owner,
            outcome.move,
            reason,
            now,
            last_reply=reply,
            **outcome.changed,
        )
        if not closed and outcome.move == "sent":
            # The session ends within this transaction, which alone commits.
            with Session(connection, expire_on_commit=False) as session, session.begin():
                _came_late(session, item, outcome, reason, now)
        if closed and outcome.refusal is not None and not item.captured:
            with Session(connection, expire_on_commit=False) as session, session.begin():
                refused(session, tools.ctx, message_id, outcome.refusal, now)
        note_sequence(connection, sequence)


def _came_late(
    session: Session, item: Claimed, outcome: Outcome, reason: dict[str, Any], now: datetime
) -> None:
    """The sweep had given this hand-over up before the answer came: the answer wins."""
    message = session.get_one(Message, item.taking.message_id, with_for_update=True)
    same = message.mail_id == item.taking.mail_id
    if same and message.state is MessageState.UNCONFIRMED:
        apply_move(session, message, "was_sent", Actor.SYSTEM, "dispatch", reason, now)
        for name, value in outcome.changed.items():
            setattr(message, name, value)


def note_sequence(connection: Connection, sequence: int) -> None:
    """Remember that the journal is known up to here; never turns back."""
    connection.execute(_NOTE_SEQUENCE, {"known": sequence})


_NOTE_SEQUENCE = (
    update(Base.metadata.tables[Instance.__tablename__])
    .where(Instance.id == 1, Instance.journal_sequence < bindparam("known"))
    .values(journal_sequence=bindparam("known"))
)


def _until_it_holds(tools: Tools, act: Callable[[], None]) -> None:
    """Repeat while the database is away; two rows of the same outcome cannot come of it."""
    deadline, wait = monotonic() + tools.patience, 0.1
    while True:
        try:
            act()
        except DBAPIError as error:
            if monotonic() >= deadline:
                raise
            _log.warning("outcome_not_recorded_yet", error=type(error.orig).__name__)
            tools.sleep(wait)
            wait = min(wait * 2, 5.0)
        else:
            return
