"""Coupons made live: which shop makes a pool's codes, and how far the shop is with each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from worker.rules.states import CouponState
from worker.store.channels import Channel
from worker.store.messages import Message
from worker.store.orders import OrderContact, OrderRow
from worker.store.rewards import CouponCode, CouponPool, Grant
from worker.store.schema import Base
from worker.store.types import Json, UtcDateTime


class CouponSourceRow(Base):
    """How a pool's codes come live from its channel, and what stops them; no row: from a file."""

    __tablename__ = "coupon_sources"

    pool_id: Mapped[int] = mapped_column(ForeignKey("coupon_pools.id"), primary_key=True)
    percent: Mapped[int | None]
    """Instead of the pool's value."""
    valid_days: Mapped[int]
    title: Mapped[str] = mapped_column(Text, default="")
    bound: Mapped[bool] = mapped_column(default=True)
    from_documents: Mapped[bool] = mapped_column(default=False)
    """Declared in milestones.toml: the row follows the document."""
    paused: Mapped[bool] = mapped_column(default=False)
    problem: Mapped[str] = mapped_column(Text, default="")
    """In words: why it is paused, or what disturbed the last call; empty where all is well."""
    failures: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CouponMaking(Base):
    """What the shop knows of one live code: asked for, confirmed, to be ended."""

    __tablename__ = "coupon_makings"

    code_id: Mapped[int] = mapped_column(ForeignKey("coupon_codes.id"), primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("coupon_sources.pool_id"))
    reference: Mapped[str] = mapped_column(String(80), default="")
    """Our name of the batch at the shop; written before the first call, so that it is known."""
    terms: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Title, amount or percentage and minimum as the shop was first asked for them."""
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    token: Mapped[str] = mapped_column(Text, default="")
    """The shop's name of a job that is still making the code."""
    source_id: Mapped[str] = mapped_column(Text, default="")
    tries: Mapped[int] = mapped_column(default=0)
    """How many codes before this one were refused for the same holder."""
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    told_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the mails that waited for it were looked at again."""
    end_wanted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the shop was last asked whether it was used."""
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When the shop is to be asked next; None: nothing is open."""

    __table_args__ = (
        # The sweep's work list: nearly every code is long made.
        Index(
            "ix_coupon_makings_due_at",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        # One job or batch is looked up by the pool it belongs to.
        Index("ix_coupon_makings_pool_id", "pool_id", "confirmed_at"),
        # Confirmed, and the mails behind it not yet written: a handful.
        Index(
            "ix_coupon_makings_untold",
            "code_id",
            sqlite_where=text("confirmed_at IS NOT NULL AND told_at IS NULL"),
            postgresql_where=text("confirmed_at IS NOT NULL AND told_at IS NULL"),
        ),
    )


class Work(NamedTuple):
    """One code with what the shop knows of it."""

    code: CouponCode
    making: CouponMaking


class Holder(NamedTuple):
    """By which keys the shop knows whom a code is for; None: not, or not by this key."""

    email: str | None = None
    member_id: str | None = None


def source_of(session: Session, pool_id: int) -> CouponSourceRow | None:
    """How the pool's codes are made live; None: they come from a file."""
    return session.get(CouponSourceRow, pool_id)


def made_live(pool_id: sa.ColumnElement[int] | Any) -> sa.Exists:
    """Whether the pool of a statement's row is one whose codes are made live."""
    return sa.select(CouponSourceRow.pool_id).where(CouponSourceRow.pool_id == pool_id).exists()


def due_pools(session: Session, now: datetime) -> list[int]:
    """Pools at whose shop something is to be done now; paused ones wait for a person."""
    rows = session.scalars(
        sa.select(CouponMaking.pool_id)
        .join(CouponSourceRow, CouponSourceRow.pool_id == CouponMaking.pool_id)
        .where(CouponMaking.due_at <= now, _may_talk(now))
        .distinct()
        .order_by(CouponMaking.pool_id)
    )
    return list(rows)


def _may_talk(now: datetime) -> sa.ColumnElement[bool]:
    later = CouponSourceRow.next_try_at
    return sa.and_(CouponSourceRow.paused.is_(False), sa.or_(later.is_(None), later <= now))


def any_due(now: datetime) -> sa.ColumnElement[bool]:
    """Whether a shop is to be asked for codes, or mails wait to be written with theirs."""
    due = (
        sa.select(CouponMaking.code_id)
        .join(CouponSourceRow, CouponSourceRow.pool_id == CouponMaking.pool_id)
        .where(CouponMaking.due_at <= now, _may_talk(now))
        .exists()
    )
    return sa.or_(due, sa.select(CouponMaking.code_id).where(*UNTOLD).exists())


UNTOLD = (CouponMaking.confirmed_at.is_not(None), CouponMaking.told_at.is_(None))
"""Confirmed codes whose mails were not looked at since."""


def due_work(session: Session, pool_id: int, now: datetime, limit: int) -> list[Work]:
    """The codes of a pool at which something is to be done, the oldest first."""
    rows = session.execute(
        sa.select(CouponCode, CouponMaking)
        .join(CouponMaking, CouponMaking.code_id == CouponCode.id)
        .where(CouponMaking.pool_id == pool_id, CouponMaking.due_at <= now)
        .order_by(CouponCode.id)
        .limit(limit)
    )
    return [Work(*row) for row in rows]


def batch_of(session: Session, pool_id: int, reference: str) -> list[Work]:
    """All unconfirmed codes of a batch that still await an answer, in the order they were sent."""
    rows = session.execute(
        sa.select(CouponCode, CouponMaking)
        .join(CouponMaking, CouponMaking.code_id == CouponCode.id)
        .where(
            CouponMaking.pool_id == pool_id,
            CouponMaking.reference == reference,
            CouponMaking.confirmed_at.is_(None),
            CouponMaking.due_at.is_not(None),
        )
        .order_by(CouponCode.id)
    )
    return [Work(*row) for row in rows]


def lock_work(session: Session, code_ids: Collection[int]) -> list[Work]:
    """The same codes as they stand now, locked to the transaction's end."""
    rows = session.execute(
        sa.select(CouponCode, CouponMaking)
        .join(CouponMaking, CouponMaking.code_id == CouponCode.id)
        .where(CouponCode.id.in_(list(code_ids)))
        .order_by(CouponCode.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return [Work(*row) for row in rows]


def making_of(session: Session, code_id: int) -> CouponMaking | None:
    """What the shop knows of a code; None: it came from a file."""
    return session.get(CouponMaking, code_id)


def customer_of(session: Session, code: CouponCode) -> int | None:
    """Whom a code is for: of the grant's order, else of the grant, else of the mail."""
    if code.grant_id is not None:
        grant = session.get(Grant, code.grant_id)
        if grant is None:
            return None
        owner = sa.select(OrderRow.customer_id).where(OrderRow.id == grant.order_id)
        return session.scalar(owner) or grant.customer_id
    return session.scalar(sa.select(Message.customer_id).where(Message.id == code.message_id))


def holder_of(session: Session, code: CouponCode, channel_id: int) -> Holder:
    """The keys of the person's newest own-shop orders: mail of any, member id of this channel."""
    customer = customer_of(session, code)
    if customer is None:
        return Holder()
    rows = session.execute(
        sa.select(OrderRow.channel_id, OrderContact)
        .join(OrderContact, OrderContact.order_id == OrderRow.id)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .where(OrderRow.customer_id == customer, Channel.family == "own")
        .order_by((OrderRow.channel_id == channel_id).desc(), OrderRow.ordered_at.desc())
        .limit(20)
    ).all()
    mails = (c.email for _, c in rows if c.email and not c.email_is_relay)
    members = (c.member_id for channel, c in rows if channel == channel_id and c.member_id)
    return Holder(next(mails, None), next(members, None))


def unasked(
    session: Session, pool_id: int, since: datetime, now: datetime, limit: int
) -> Sequence[Work]:
    """Codes in customers' hands that the shop was not asked about since then, oldest look first."""
    rows = session.execute(
        sa.select(CouponCode, CouponMaking)
        .join(CouponMaking, CouponMaking.code_id == CouponCode.id)
        .where(
            CouponMaking.pool_id == pool_id,
            CouponMaking.confirmed_at < since,
            sa.or_(CouponMaking.asked_at.is_(None), CouponMaking.asked_at < since),
            CouponCode.state.in_((CouponState.RESERVED, CouponState.ISSUED)),
            sa.or_(CouponCode.expires_at.is_(None), CouponCode.expires_at > now),
        )
        .order_by(CouponMaking.asked_at.is_not(None), CouponMaking.asked_at, CouponCode.id)
        .limit(limit)
    )
    return [Work(*row) for row in rows]


def live_pools(session: Session) -> Sequence[tuple[CouponPool, CouponSourceRow]]:
    """Every pool whose codes are made live, with how."""
    rows = session.execute(
        sa.select(CouponPool, CouponSourceRow)
        .join(CouponSourceRow, CouponSourceRow.pool_id == CouponPool.id)
        .order_by(CouponPool.name)
    )
    return [(row[0], row[1]) for row in rows]


def waiting_codes(session: Session) -> dict[int, int]:
    """How many codes of each pool are promised and not yet confirmed."""
    rows = session.execute(
        sa.select(CouponCode.pool_id, sa.func.count())
        .where(CouponCode.state == CouponState.PENDING)
        .group_by(CouponCode.pool_id)
    )
    return {row[0]: row[1] for row in rows}
