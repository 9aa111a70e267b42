"""What another system sent while Okaeri only rehearsed: order numbers, told by staff."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, Session, mapped_column

from worker.rules.states import MailKind
from worker.store.orders import OrderRow
from worker.store.reach_queries import chunks
from worker.store.schema import Base
from worker.store.types import BinaryText, Key, UtcDateTime, words


class HubMail(Base):
    """One mail that another system sent about an order, as its own export tells."""

    __tablename__ = "hub_mails"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    kind: Mapped[MailKind] = mapped_column(words(MailKind))
    number: Mapped[str] = mapped_column(BinaryText)
    """The order number as people see it: the only thing both systems have."""
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        # The same list sent in again tells nothing new.
        UniqueConstraint("channel_id", "kind", "number"),
    )


def hub_numbers(
    session: Session, channel_id: int, kind: MailKind, numbers: Collection[str]
) -> set[str]:
    """Those of the order numbers that the other system wrote about."""
    found: set[str] = set()
    for part in chunks(numbers):
        found.update(
            session.scalars(
                sa.select(HubMail.number).where(
                    HubMail.channel_id == channel_id,
                    HubMail.kind == kind,
                    HubMail.number.in_(part),
                )
            )
        )
    return found


def told_of(session: Session) -> Mapping[tuple[int, MailKind], int]:
    """How many mails of the other system were told, by channel and kind."""
    rows = session.execute(
        sa.select(HubMail.channel_id, HubMail.kind, sa.func.count().label("n")).group_by(
            HubMail.channel_id, HubMail.kind
        )
    )
    return {(row.channel_id, row.kind): row.n for row in rows}


def strangers(session: Session, channel_id: int, kind: MailKind, limit: int) -> list[str]:
    """Order numbers the other system wrote about that the channel has no order of."""
    known = sa.exists().where(
        OrderRow.channel_id == HubMail.channel_id, OrderRow.number == HubMail.number
    )
    rows = session.scalars(
        sa.select(HubMail.number)
        .where(HubMail.channel_id == channel_id, HubMail.kind == kind, ~known)
        .order_by(HubMail.id)
        .limit(limit)
    )
    return list(rows)


def orders_between(session: Session, channel_id: int, first: date, last: date) -> Sequence[Any]:
    """(id, number, day) of the channel's orders of these days, the oldest first."""
    return session.execute(
        sa.select(OrderRow.id, OrderRow.number, OrderRow.ordered_on)
        .where(
            OrderRow.channel_id == channel_id,
            OrderRow.ordered_on >= first,
            OrderRow.ordered_on <= last,
        )
        .order_by(OrderRow.ordered_on, OrderRow.id)
    ).all()


def forget(session: Session, channel_id: int, kind: MailKind) -> int:
    """Take back what was told of a channel and kind; gives how many."""
    gone = session.execute(
        sa.delete(HubMail).where(HubMail.channel_id == channel_id, HubMail.kind == kind)
    )
    return int(getattr(gone, "rowcount", 0))
