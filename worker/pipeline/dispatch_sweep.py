"""Finding what a dead worker left behind, and closing what became useless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Engine, and_, not_, select, update
from sqlalchemy.orm import Session

from worker.mail.journal import SENDING, Entry
from worker.pipeline.context import Context
from worker.pipeline.dispatch_outcome import CAPTURED, FAILED, RETRY, RETRY_AFTER, SENT
from worker.rules.states import WAITING, Actor, MessageState
from worker.store.engine import writing
from worker.store.leases import DatabaseLater
from worker.store.message_queries import TO_SEND, leased, move_many
from worker.store.messages import Message
from worker.store.moves import apply_move
from worker.store.types import DatabaseNow

STUCK_SECONDS = 900.0
"""A hand-over that took longer is given up; the transport's own deadlines are shorter."""

_SETTLE_SECONDS = 60.0
"""A hand-over that takes longer than most is worth a search through the journal."""


class JournalLookup(Protocol):
    """What the sweep reads of the journal."""

    def lookup(self, message_ref: str) -> Sequence[Entry]:
        """All entries of one message, oldest first."""
        ...


@dataclass(slots=True)
class Swept:
    """Ids by what became of them."""

    sent: list[str] = field(default_factory=list)
    retry: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    expired: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    """Their worker died before ``sending``: they are due again."""


def sweep(engine: Engine, _ctx: Context, journal: JournalLookup, now: datetime) -> Swept:
    """Settle stuck hand-overs, give back dead leases, expire what is useless.

    A message found in ``sending`` never becomes approved again: the journal's outcome settles
    it, and where there is none a person must (P3).
    """
    swept = reconcile_journal(engine, journal, now, stuck_only=True)
    with writing(engine) as session:
        swept.unconfirmed += _give_up(session, now)
        swept.returned += _return_leases(session)
    with writing(engine) as session:
        swept.expired += _expire(session, now)
    return swept


def reconcile_journal(
    engine: Engine, journal: JournalLookup, now: datetime, *, stuck_only: bool = False
) -> Swept:
    """Settle messages in ``sending`` or ``unconfirmed`` whose outcome the journal knows.

    Also while a lease lives: an outcome in the journal is the last word on its attempt.
    ``stuck_only`` spares the journal the search for hand-overs that are just under way.
    """
    swept = Swept()
    doubtful = Message.state.in_((MessageState.SENDING, MessageState.UNCONFIRMED))
    stuck = and_(
        Message.state == MessageState.SENDING,
        Message.sending_since <= DatabaseLater(-_SETTLE_SECONDS),
    )
    with writing(engine) as session:
        found = session.scalars(
            select(Message)
            .where(stuck if stuck_only else doubtful)
            .order_by(Message.id)
            .with_for_update(skip_locked=True)
        ).all()
        for message in found:
            _settle(session, message, outcome_of(journal.lookup(message.id), message), now, swept)
    return swept


def outcome_of(entries: Iterable[Entry], message: Message) -> str | None:
    """What the journal says of the message's newest attempt; None where it says nothing.

    An outcome of an earlier attempt of the same generation does not count for a later one.
    """
    found: str | None = None
    attempts = 0
    for entry in entries:
        if entry.generation != message.generation:
            continue
        if entry.event == SENDING:
            attempts, found = attempts + 1, None
        else:
            found = entry.event
    # Where ``sending`` was committed but not journalled the last outcome is an older one's.
    return found if attempts >= message.attempts or found in (SENT, CAPTURED) else None


def _settle(
    session: Session, message: Message, event: str | None, now: datetime, swept: Swept
) -> None:
    reason = {"code": "journal", "event": event}
    if event in (SENT, CAPTURED):
        _settle_sent(session, message, reason, now)
        message.captured = event == CAPTURED
        swept.sent.append(message.id)
    elif message.state is MessageState.SENDING and event == RETRY:
        apply_move(session, message, "retry", Actor.DISPATCH, "sweep", reason, now)
        message.next_attempt_at = now + RETRY_AFTER[0]
        swept.retry.append(message.id)
    elif message.state is MessageState.SENDING and event == FAILED:
        apply_move(session, message, "fail", Actor.DISPATCH, "sweep", reason, now)
        swept.failed.append(message.id)
    else:
        return
    message.lease_owner, message.lease_until = "", None
    session.flush()


def _settle_sent(session: Session, message: Message, reason: dict[str, Any], now: datetime) -> None:
    if message.state is MessageState.SENDING:
        apply_move(session, message, "sent", Actor.DISPATCH, "sweep", reason, now)
    else:
        apply_move(session, message, "was_sent", Actor.SYSTEM, "sweep", reason, now)
    message.sent_at = message.sending_since or now


def _give_up(session: Session, now: datetime) -> list[str]:
    stuck = and_(
        Message.state == MessageState.SENDING,
        Message.sending_since <= DatabaseLater(-STUCK_SECONDS),
        not_(leased()),
    )
    reason = {"code": "worker_died"}
    freed = {"lease_owner": "", "lease_until": None}
    return move_many(session, stuck, "unsure", Actor.SYSTEM, "sweep", reason, now, **freed)


def _return_leases(session: Session) -> list[str]:
    statement = (
        update(Message)
        .where(
            Message.state.in_(TO_SEND),
            Message.lease_until.is_not(None),
            Message.lease_until <= DatabaseNow(),
        )
        .values(lease_owner="", lease_until=None)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(session.scalars(statement))


def _expire(session: Session, now: datetime) -> list[str]:
    useless = and_(
        Message.state.in_(sorted(WAITING | {MessageState.HANDOFF})),
        Message.expires_at <= now,
        not_(leased()),
    )
    reason = {"code": "useless_after"}
    freed = {"approved_hash": "", "undo_until": None, "lease_owner": "", "lease_until": None}
    return move_many(session, useless, "expire", Actor.SYSTEM, "sweep", reason, now, **freed)
