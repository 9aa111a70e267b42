"""Kill switches per kind, channel and shop: pressing one recalls all that has not reached SMTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, not_, or_, select, true
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.rules.states import Actor, MailKind, MessageState
from worker.store.message_queries import TO_SEND, move_many, stopped
from worker.store.messages import Message
from worker.store.running import Stop

STOPPED = "stopped"
"""The hold reason of what a kill switch recalled; lifting it releases exactly these."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """A kill switch and the messages that pressing or lifting it moved."""

    stop_id: int
    message_ids: tuple[str, ...]


def stop(
    session: Session,
    _ctx: Context,
    *,
    by: str,
    now: datetime,
    kind: MailKind | None = None,
    channel_id: int | None = None,
    reason: str = "",
) -> Stopping:
    """Press the switch for a kind, a channel, both, or (neither given) the whole shop.

    Everything approved or waiting to be retried goes on hold; what stands in ``sending`` has
    reached SMTP and cannot be recalled. Pressing the same switch twice recalls again.
    """
    pressed = _pressed(session, kind, channel_id)
    if pressed is None:
        pressed = Stop(channel_id=channel_id, kind=kind, reason=reason, by=by, at=now)
        session.add(pressed)
        session.flush()
    recalled = move_many(
        session,
        and_(Message.state.in_(TO_SEND), _covered(pressed)),
        "hold",
        Actor.STAFF,
        by,
        {"code": STOPPED, "stop": pressed.id, "words": reason},
        now,
        hold_reason=STOPPED,
        approved_hash="",
        undo_until=None,
        lease_owner="",
        lease_until=None,
    )
    return Stopping(pressed.id, tuple(recalled))


def lift(session: Session, _ctx: Context, stop_id: int, *, by: str, now: datetime) -> Stopping:
    """Lift a switch: what it held goes back to be read, unless another switch covers it.

    Nothing is approved by lifting. Raises Refused where there is no such pressed switch.
    """
    pressed = session.get(Stop, stop_id, with_for_update=True)
    if pressed is None or pressed.lifted_at is not None:
        raise Refused("stop_unknown")
    pressed.lifted_at, pressed.lifted_by = now, by
    session.flush()
    released = move_many(
        session,
        and_(
            Message.state == MessageState.ON_HOLD,
            Message.hold_reason == STOPPED,
            _covered(pressed),
            not_(stopped()),
        ),
        "release",
        Actor.STAFF,
        by,
        {"code": "stop_lifted", "stop": stop_id},
        now,
        hold_reason="",
    )
    return Stopping(stop_id, tuple(released))


def active_stops(session: Session) -> Sequence[Stop]:
    """Every pressed switch, the oldest first."""
    return session.scalars(select(Stop).where(Stop.lifted_at.is_(None)).order_by(Stop.id)).all()


def stop_over(session: Session, channel_id: int, kind: MailKind) -> Stop | None:
    """The switch that covers this channel and kind now, if any."""
    return session.scalars(
        select(Stop)
        .where(
            Stop.lifted_at.is_(None),
            or_(Stop.channel_id.is_(None), Stop.channel_id == channel_id),
            or_(Stop.kind.is_(None), Stop.kind == kind),
        )
        .order_by(Stop.id)
        .limit(1)
    ).first()


def covers(pressed: Stop, channel_id: int, kind: MailKind) -> bool:
    """Whether a switch covers this channel and kind."""
    return pressed.channel_id in {None, channel_id} and pressed.kind in {None, kind}


def _pressed(session: Session, kind: MailKind | None, channel_id: int | None) -> Stop | None:
    return session.scalars(
        select(Stop).where(
            Stop.lifted_at.is_(None),
            Stop.kind == kind if kind else Stop.kind.is_(None),
            Stop.channel_id == channel_id if channel_id else Stop.channel_id.is_(None),
        )
    ).first()


def _covered(pressed: Stop) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [true()]
    if pressed.channel_id is not None:
        parts.append(Message.channel_id == pressed.channel_id)
    if pressed.kind is not None:
        parts.append(Message.kind == pressed.kind)
    return and_(*parts)
