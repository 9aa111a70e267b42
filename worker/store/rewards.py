"""Rewards: grants that exist once, coupon pools and codes, and what goes into a parcel."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.states import CouponState, GrantState
from worker.store.schema import Base
from worker.store.types import Json, Key, UtcDateTime, words


class Grant(Base):
    """The once-only record of a milestone reward (P7).

    The row is used again when a released milestone is reached anew, so (customer, scope,
    milestone) can never hold two. It stays with the customer it was made for: merging looks
    through the whole group, and unmerging needs nothing undone.
    """

    __tablename__ = "grants"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    scope: Mapped[str] = mapped_column(String(80))
    milestone: Mapped[int]
    channel_ids: Mapped[list[Any]] = mapped_column(Json, default=list)
    """Channels of the scope when the grant was made: a redrawn scope that overlaps is blocked."""
    reward: Mapped[str] = mapped_column(String(80), default="")
    state: Mapped[GrantState] = mapped_column(words(GrantState))
    order_id: Mapped[int | None] = mapped_column(
        ForeignKey("orders.id", ondelete="SET NULL"), index=True
    )
    coupon_id: Mapped[int | None] = mapped_column(ForeignKey("coupon_codes.id"))
    reserved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    earned_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    __table_args__ = (UniqueConstraint("customer_id", "scope", "milestone"),)


class CouponPool(Base):
    """Codes of one value for one redeeming channel; ``shared_code`` for marketplace coupons."""

    __tablename__ = "coupon_pools"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id"))
    shared_code: Mapped[str | None] = mapped_column(Text)
    value: Mapped[int] = mapped_column(Key)
    minimum: Mapped[int] = mapped_column(Key, default=0)
    targets: Mapped[str] = mapped_column(Text, default="")
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    low_water: Mapped[int] = mapped_column(default=10)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CouponCode(Base):
    """A single-use code; the clear code is encrypted, its keyed hash finds it again."""

    __tablename__ = "coupon_codes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("coupon_pools.id"))
    code_hash: Mapped[str] = mapped_column(String(64))
    cipher: Mapped[str] = mapped_column(Text)
    last4: Mapped[str] = mapped_column(String(4))
    state: Mapped[CouponState] = mapped_column(words(CouponState))
    grant_id: Mapped[int | None] = mapped_column(Key)
    message_id: Mapped[str | None] = mapped_column(String(26))
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("pool_id", "code_hash"),
        Index("ix_coupon_codes_pool_id_state", "pool_id", "state", "id"),
    )


class PackingItem(Base):
    """One thing that must lie in a parcel: card, sample or letter; ticked when packed."""

    __tablename__ = "packing_items"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("grants.id"), index=True)
    item: Mapped[str] = mapped_column(String(24))
    label: Mapped[str] = mapped_column(Text, default="")
    packed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    packed_by: Mapped[str] = mapped_column(String(80), default="")
    printed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When somebody said that the card came out of the printer."""
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("order_id", "item"),
        Index(
            "ix_packing_items_open",
            "order_id",
            sqlite_where=text("packed_at IS NULL AND withdrawn_at IS NULL"),
            postgresql_where=text("packed_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )


class StaffTask(Base):
    """Something only a person can do, e.g. void a code in a marketplace's own screen."""

    __tablename__ = "staff_tasks"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_by: Mapped[str] = mapped_column(String(80), default="")
    done_word: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What whoever did it wrote."""

    __table_args__ = (
        UniqueConstraint("kind", "subject"),
        # Open ones are few among all that were ever done.
        Index(
            "ix_staff_tasks_open",
            "created_at",
            "id",
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
    )
