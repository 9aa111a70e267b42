"""What happened lately: what can be undone, what was done today, what came in meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.rules.states import MessageState
from worker.store.customers import CustomerProfile
from worker.store.messages import Message, MessageEvent


@dataclass(frozen=True, slots=True)
class Undo:
    """The newest approval of this person that can still be taken back."""

    at: str
    name: str
    number: int
    left: str


def undo_of(session: Session, by: str, now: datetime) -> Undo | None:
    """The newest approval of this person within its window, a batch as one."""
    mine = (
        Message.state == MessageState.APPROVED,
        Message.approved_by == by,
        Message.undo_until > now,
    )
    at = session.scalar(select(func.max(Message.approved_at)).where(*mine))
    if at is None:
        return None
    rows = session.execute(
        select(Message.id, Message.undo_until).where(*mine, Message.approved_at == at)
    ).all()
    left = timedelta(seconds=int((rows[0].undo_until - now).total_seconds()))
    names = names_of(session, [rows[0].id])
    name = names[0] if names and len(rows) == 1 else ""
    return Undo(at.isoformat(), name, len(rows), f"{left.seconds // 60}:{left.seconds % 60:02}")


def names_of(session: Session, ids: Sequence[str]) -> tuple[str, ...]:
    """Customers' names of the messages, in the order given."""
    rows = session.execute(
        select(Message.id, CustomerProfile.name)
        .join(CustomerProfile, CustomerProfile.customer_id == Message.customer_id)
        .where(Message.id.in_(ids))
    ).all()
    found = {row.id: row.name or "" for row in rows}
    return tuple(found[message_id] for message_id in ids if found.get(message_id))


def done_today(session: Session, ctx: Context, now: datetime) -> int:
    midnight = datetime.combine(now.astimezone(ctx.zone).date(), time(), ctx.zone)
    return (
        session.scalar(
            select(func.count()).where(MessageEvent.move == "approve", MessageEvent.at >= midnight)
        )
        or 0
    )


def arrived_ids(session: Session, since: int) -> set[str]:
    """Mails that came to be read after the event ``since``."""
    statement = (
        select(MessageEvent.message_id)
        .join(Message, Message.id == MessageEvent.message_id)
        .where(
            MessageEvent.id > since,
            MessageEvent.to_state == MessageState.IN_REVIEW,
            MessageEvent.move.in_(("submit", "lapse")),
            Message.state == MessageState.IN_REVIEW,
        )
    )
    return set(session.scalars(statement))
