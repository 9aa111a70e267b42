"""Statements on many messages at once: moving a set, leasing what is due, taking one to send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    UpdateBase,
    and_,
    bindparam,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from worker.rules.states import MOVES, Actor, MessageState, MoveRefused, move
from worker.store.customers import Suppression
from worker.store.leases import DatabaseLater
from worker.store.messages import Message, MessageEvent
from worker.store.running import Stop
from worker.store.schema import Base
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


def leased_count(session: Session) -> int:
    """How many messages that wait to be sent lie under somebody's living lease."""
    waiting = and_(Message.state.in_(TO_SEND), leased())
    return session.scalar(select(func.count()).select_from(Message).where(waiting)) or 0


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
    connection: Connection, taking: Taking, now: datetime, seconds: float
) -> tuple[MessageState, int] | None:
    """Move to ``sending`` under the lease; gives where it came from and the attempt's number.

    One conditional statement: None where anything changed since the claim, the lease ran out,
    a kill switch was pressed or the address was suppressed meanwhile. On a bare connection, as
    ``close_sending`` is: a session of its own is much beside one statement and its event.
    """
    source = connection.scalar(_STATE_OF, {"the_id": taking.message_id})
    if source is None or source not in TO_SEND:
        return None
    target = move("send", source, Actor.DISPATCH).target
    given = {
        "the_id": taking.message_id,
        "source": source,
        "the_version": taking.version,
        "hash": taking.approved_hash,
        "owner": taking.owner,
        "target": target,
        "mail": taking.mail_id,
    }
    attempt = connection.scalar(_take(seconds), given)
    if attempt is None:
        return None
    reason = {"attempt": attempt, "mail_id": taking.mail_id}
    _tell(connection, taking.message_id, "send", source, target, taking.owner, reason, now)
    return source, attempt


# Built once: a mail passes these statements, and making them takes longer than running them.
_MESSAGES = Base.metadata.tables[Message.__tablename__]
_M = _MESSAGES.c
_STATE_OF = select(_M.state).where(_M.id == bindparam("the_id")).with_for_update()


@lru_cache
def _take(seconds: float) -> UpdateBase:
    return (
        update(_MESSAGES)
        .where(
            _M.id == bindparam("the_id"),
            _M.state == bindparam("source"),
            _M.version == bindparam("the_version"),
            _M.approved_hash == bindparam("hash"),
            _M.lease_owner == bindparam("owner"),
            leased(),
            not_(stopped()),
            not_(suppressed()),
        )
        .values(
            state=bindparam("target"),
            sending_since=DatabaseNow(),
            mail_id=bindparam("mail"),
            attempts=_M.attempts + 1,
            lease_until=DatabaseLater(seconds),
            version=_M.version + 1,
        )
        .returning(_M.attempts)
    )


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
    connection: Connection,
    message_id: str,
    owner: str,
    name: str,
    reason: Mapping[str, Any],
    now: datetime,
    **changed: Any,
) -> bool:
    """Record the outcome of a sending that is still this owner's; False where it is no more."""
    target = move(name, MessageState.SENDING, Actor.DISPATCH).target
    given = {"the_id": message_id, "owner": owner, "target": target}
    given |= {f"new_{column}": value for column, value in changed.items()}
    if connection.scalar(_close(tuple(changed)), given) is None:
        return False
    _tell(connection, message_id, name, MessageState.SENDING, target, owner, reason, now)
    return True


@lru_cache
def _close(changed: tuple[str, ...]) -> UpdateBase:
    return (
        update(_MESSAGES)
        .where(
            _M.id == bindparam("the_id"),
            _M.state == MessageState.SENDING,
            _M.lease_owner == bindparam("owner"),
        )
        .values(
            state=bindparam("target"),
            lease_owner="",
            lease_until=None,
            version=_M.version + 1,
            **{column: bindparam(f"new_{column}") for column in changed},
        )
        .returning(_M.id)
    )


_EVENT = insert(Base.metadata.tables[MessageEvent.__tablename__])


def _tell(
    connection: Connection,
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
    connection.execute(_EVENT, told | who)
