"""Statements on many messages at once: moving a set, leasing what is due, taking one to send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, insert, not_, or_, select, update
from sqlalchemy.orm import Session

from worker.rules.states import MOVES, Actor, MessageState, MoveRefused, move
from worker.store.customers import Suppression
from worker.store.leases import DatabaseLater
from worker.store.messages import Message, MessageEvent
from worker.store.running import Stop
from worker.store.types import DatabaseNow

TO_SEND = (MessageState.APPROVED, MessageState.RETRY_WAIT)
_CHUNK = 500


def move_many(
    session: Session,
    condition: ColumnElement[bool],
    name: str,
    actor: Actor,
    by: str,
    reason: Mapping[str, Any],
    now: datetime,
    **changed: Any,
) -> list[str]:
    """Move every message that fits ``condition`` and may make the move; gives their ids.

    ``changed`` are columns set beside the state. Raises MoveRefused for a move that the table
    of moves does not give to this actor at all.
    """
    the_move = next((m for m in MOVES if m.name == name and actor in m.actors), None)
    if the_move is None:
        raise MoveRefused(name, MessageState.SCHEDULED, actor)
    found = session.execute(
        select(Message.id, Message.state)
        .where(condition, Message.state.in_(the_move.sources))
        .order_by(Message.id)
        .with_for_update()
    ).all()
    told = {
        "at": now,
        "move": name,
        "to_state": the_move.target,
        "actor": actor,
        "by": by,
        "reason": dict(reason),
    }
    for chunk in _chunks(found):
        ids = [row.id for row in chunk]
        session.execute(
            update(Message)
            .where(Message.id.in_(ids))
            .values(state=the_move.target, version=Message.version + 1, **changed)
            .execution_options(synchronize_session="fetch")
        )
        session.execute(
            insert(MessageEvent),
            [{"message_id": row.id, "from_state": row.state, **told} for row in chunk],
        )
    return [row.id for row in found]


def _chunks(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


def lease_due(session: Session, owner: str, now: datetime, seconds: float, limit: int) -> list[str]:
    """Lease approved messages whose time has come, in one statement; gives ids, oldest due first.

    Leases run by the database's clock; ``now`` only says what is due. Messages within their
    undo window, useless ones and those that another worker holds are left alone.
    """
    due = (
        select(Message.id)
        .where(
            Message.state.in_(TO_SEND),
            Message.due_at <= now,
            or_(Message.undo_until.is_(None), Message.undo_until <= now),
            or_(Message.next_attempt_at.is_(None), Message.next_attempt_at <= now),
            or_(Message.expires_at.is_(None), Message.expires_at > now),
            not_(leased()),
        )
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = (
        update(Message)
        .where(Message.id.in_(due.scalar_subquery()))
        .values(lease_owner=owner, lease_until=DatabaseLater(seconds))
        .returning(Message.id, Message.due_at)
        .execution_options(synchronize_session=False)
    )
    rows = session.execute(taken).all()
    return [row.id for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


def leased() -> ColumnElement[bool]:
    """Whether somebody's living lease lies on the message."""
    return and_(Message.lease_until.is_not(None), Message.lease_until > DatabaseNow())


def release_lease(session: Session, message_id: str, owner: str, seconds: float = 0.0) -> None:
    """Give a leased message back, to be taken again at once or after so many seconds."""
    freed = {"lease_owner": "", "lease_until": DatabaseLater(seconds) if seconds else None}
    session.execute(
        update(Message)
        .where(Message.id == message_id, Message.lease_owner == owner, Message.state.in_(TO_SEND))
        .values(**freed)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Taking:
    """What must still be true when a message is taken for sending: exactly what was checked."""

    message_id: str
    owner: str
    version: int
    approved_hash: str
    mail_id: str


def take_for_sending(
    session: Session, taking: Taking, now: datetime, seconds: float
) -> tuple[MessageState, int] | None:
    """Move to ``sending`` under the lease; gives where it came from and the attempt's number.

    One conditional statement: None where anything changed since the claim, the lease ran out,
    a kill switch was pressed or the address was suppressed meanwhile.
    """
    source = session.scalar(
        select(Message.state).where(Message.id == taking.message_id).with_for_update()
    )
    if source is None or source not in TO_SEND:
        return None
    target = move("send", source, Actor.DISPATCH).target
    statement = (
        update(Message)
        .where(
            Message.id == taking.message_id,
            Message.state == source,
            Message.version == taking.version,
            Message.approved_hash == taking.approved_hash,
            Message.lease_owner == taking.owner,
            leased(),
            not_(stopped()),
            not_(suppressed()),
        )
        .values(
            state=target,
            sending_since=DatabaseNow(),
            mail_id=taking.mail_id,
            attempts=Message.attempts + 1,
            lease_until=DatabaseLater(seconds),
            version=Message.version + 1,
        )
        .returning(Message.attempts)
        .execution_options(synchronize_session=False)
    )
    attempt = session.scalar(statement)
    if attempt is None:
        return None
    reason = {"attempt": attempt, "mail_id": taking.mail_id}
    _tell(session, taking.message_id, "send", source, target, taking.owner, reason, now)
    return source, attempt


def stopped() -> ColumnElement[bool]:
    """Whether a pressed kill switch covers the message."""
    return exists().where(
        Stop.lifted_at.is_(None),
        or_(Stop.channel_id.is_(None), Stop.channel_id == Message.channel_id),
        or_(Stop.kind.is_(None), Stop.kind == Message.kind),
    )


def suppressed() -> ColumnElement[bool]:
    """Whether the message's address or customer must not get it."""
    return exists().where(
        Suppression.lifted_at.is_(None),
        or_(
            Suppression.address_hash == Message.recipient_hash,
            Suppression.customer_id == Message.customer_id,
        ),
        or_(not_(Suppression.ads_only), Message.advertising),
    )


def close_sending(
    session: Session,
    message_id: str,
    owner: str,
    name: str,
    reason: Mapping[str, Any],
    now: datetime,
    **changed: Any,
) -> bool:
    """Record the outcome of a sending that is still this owner's; False where it is no more."""
    target = move(name, MessageState.SENDING, Actor.DISPATCH).target
    statement = (
        update(Message)
        .where(
            Message.id == message_id,
            Message.state == MessageState.SENDING,
            Message.lease_owner == owner,
        )
        .values(
            state=target, lease_owner="", lease_until=None, version=Message.version + 1, **changed
        )
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    )
    if session.scalar(statement) is None:
        return False
    _tell(session, message_id, name, MessageState.SENDING, target, owner, reason, now)
    return True


def _tell(
    session: Session,
    message_id: str,
    name: str,
    source: MessageState,
    target: MessageState,
    by: str,
    reason: Mapping[str, Any],
    now: datetime,
) -> None:
    told = {"at": now, "move": name, "from_state": source, "to_state": target}
    who = {"message_id": message_id, "actor": Actor.DISPATCH, "by": by, "reason": dict(reason)}
    session.execute(insert(MessageEvent).values(**told, **who))
