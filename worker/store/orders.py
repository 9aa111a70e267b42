"""Orders and how they came in: imports, raw orders, quarantine, and the orders themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.states import ImportState, QuarantineState
from worker.store.schema import Base
from worker.store.types import BinaryText, Json, Key, UtcDateTime, words


class Import(Base):
    """One file taken in; ``counts`` says new, changed, unchanged, stale, rejected."""

    __tablename__ = "imports"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id"))
    file_name: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    profile: Mapped[str] = mapped_column(String(80), default="")
    encoding: Mapped[str] = mapped_column(String(24), default="")
    state: Mapped[ImportState] = mapped_column(words(ImportState))
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    warnings: Mapped[list[Any]] = mapped_column(Json, default=list)
    error: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(80), default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RawRecord(Base):
    """An order exactly as received. Each is an order or stands in quarantine (P1)."""

    __tablename__ = "raw_orders"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    external_id: Mapped[str] = mapped_column(BinaryText)
    sha256: Mapped[str] = mapped_column(String(64))
    payload: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """None once retention has purged it; the hash stays."""
    position: Mapped[str] = mapped_column(String(80), default="")
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"), index=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    __table_args__ = (UniqueConstraint("channel_id", "external_id", "sha256"),)


class Quarantine(Base):
    """A record that could not become an order, with a reason a clerk understands."""

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"), index=True)
    raw_id: Mapped[int | None] = mapped_column(ForeignKey("raw_orders.id"))
    external_id: Mapped[str] = mapped_column(BinaryText, default="")
    sha256: Mapped[str] = mapped_column(String(64))
    position: Mapped[str] = mapped_column(String(80), default="")
    code: Mapped[str] = mapped_column(String(40))
    field_name: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[str] = mapped_column(Text)
    reason_ja: Mapped[str] = mapped_column(Text, default="")
    payload: Mapped[dict[str, Any] | None] = mapped_column(Json)
    state: Mapped[QuarantineState] = mapped_column(words(QuarantineState))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    resolved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    resolved_by: Mapped[str] = mapped_column(String(80), default="")

    # The same bad record of the same file, read again, is one case and not two.
    __table_args__ = (UniqueConstraint("channel_id", "external_id", "sha256", "code"),)


class OrderRow(Base):
    """An order in the ledger: identity (channel, external id), three states, money, no person."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    external_id: Mapped[str] = mapped_column(BinaryText)
    number: Mapped[str] = mapped_column(BinaryText)
    ordered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ordered_on: Mapped[date]
    """The shop-local calendar day: visits and windows are counted by it."""
    time_unknown: Mapped[bool] = mapped_column(default=False)
    source_updated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    life: Mapped[str] = mapped_column(String(16))
    payment: Mapped[str] = mapped_column(String(16))
    fulfilment: Mapped[str] = mapped_column(String(16))
    payment_method: Mapped[str | None] = mapped_column(Text)
    payment_kind: Mapped[str] = mapped_column(String(16))
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    shipped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancelled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    currency: Mapped[str] = mapped_column(String(3))
    subtotal: Mapped[int | None] = mapped_column(Key)
    shipping: Mapped[int | None] = mapped_column(Key)
    fee: Mapped[int | None] = mapped_column(Key)
    discount: Mapped[int | None] = mapped_column(Key)
    points: Mapped[int | None] = mapped_column(Key)
    tax: Mapped[int | None] = mapped_column(Key)
    total: Mapped[int | None] = mapped_column(Key)
    refunded: Mapped[int | None] = mapped_column(Key)
    coupon_code: Mapped[str | None] = mapped_column(Text)
    carrier: Mapped[str | None] = mapped_column(Text)
    tracking_number: Mapped[str | None] = mapped_column(Text)
    delivery_date: Mapped[date | None]
    delivery_band: Mapped[str | None] = mapped_column(Text)
    gift: Mapped[bool] = mapped_column(default=False)
    subscription_number: Mapped[str | None] = mapped_column(Text)
    delivery_count: Mapped[int | None]
    hub_status: Mapped[str | None] = mapped_column(Text)
    hub_hold: Mapped[bool] = mapped_column(default=False)
    replaces: Mapped[str | None] = mapped_column(BinaryText)
    store: Mapped[str | None] = mapped_column(Text)
    platform_order_count: Mapped[int | None]
    warnings: Mapped[list[Any]] = mapped_column(Json, default=list)
    marketing_consent: Mapped[bool | None]
    consent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What ingest derives and later steps read.
    counting: Mapped[bool]
    """Gate open, not cancelled, not wholly returned: the order has an ordinal."""
    visit_counting: Mapped[bool]
    """Counting, and not a later delivery of a subscription."""
    spend: Mapped[int] = mapped_column(Key, default=0)
    """Net spend of a counting order in minor units of the ledger currency; refunds are out."""
    content_hash: Mapped[str] = mapped_column(String(64))
    """Of the record that was last accepted: the same record again is known without a look."""
    told: Mapped[str] = mapped_column(Text, default="")
    """Which fields were told as of when, in the notation of rules.freshness (P2)."""
    revision: Mapped[int] = mapped_column(default=1)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    """None for families without customers (Amazon) and until identify has run."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Work lists; a flag per step, so that each step can be run alone and again.
    identify_due: Mapped[bool] = mapped_column(default=True)
    plan_due: Mapped[bool] = mapped_column(default=True)

    __table_args__ = (
        UniqueConstraint("channel_id", "external_id"),
        Index("ix_orders_number", "number"),
        Index("ix_orders_customer_id_ordered_at", "customer_id", "ordered_at"),
        Index("ix_orders_ordered_at", "ordered_at"),
        # A channel's reach is its earliest day: found by one look into this.
        Index("ix_orders_channel_id_ordered_on", "channel_id", "ordered_on"),
        Index(
            "ix_orders_subscription_number",
            "subscription_number",
            sqlite_where=text("subscription_number IS NOT NULL"),
            postgresql_where=text("subscription_number IS NOT NULL"),
        ),
        # Partial: nearly every order is long done, the lists must stay short.
        Index(
            "ix_orders_identify_due",
            "id",
            sqlite_where=text("identify_due"),
            postgresql_where=text("identify_due"),
        ),
        Index(
            "ix_orders_plan_due",
            "id",
            sqlite_where=text("plan_due"),
            postgresql_where=text("plan_due"),
        ),
    )


class OrderContact(Base):
    """The person of an order as the source wrote it; personal data, purged by retention (P14)."""

    __tablename__ = "order_contacts"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True
    )
    member_id: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    email_is_relay: Mapped[bool] = mapped_column(default=False)
    name: Mapped[str | None] = mapped_column(Text)
    family_name: Mapped[str | None] = mapped_column(Text)
    given_name: Mapped[str | None] = mapped_column(Text)
    kana: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    postal_code: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    birthday: Mapped[date | None]
    recipient_name: Mapped[str | None] = mapped_column(Text)
    recipient_kana: Mapped[str | None] = mapped_column(Text)
    recipient_phone: Mapped[str | None] = mapped_column(Text)
    recipient_postal_code: Mapped[str | None] = mapped_column(Text)
    recipient_address: Mapped[str | None] = mapped_column(Text)
    buyer_comment: Mapped[str | None] = mapped_column(Text)
    gift_wrap: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str | None] = mapped_column(String(8))


class OrderLine(Base):
    """One item line of an order, in the source's order."""

    __tablename__ = "order_lines"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    quantity: Mapped[int]
    unit_price: Mapped[int | None] = mapped_column(Key)
    amount: Mapped[int | None] = mapped_column(Key)


class OrderRevision(Base):
    """One change of an order and what it was before, so that an import can be taken back."""

    __tablename__ = "order_revisions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    revision: Mapped[int]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"), index=True)
    raw_id: Mapped[int | None] = mapped_column(Key)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed: Mapped[list[Any]] = mapped_column(Json, default=list)
    """Names of the fields that changed; empty for the first revision."""
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    """Order, contact and lines as they stood; None: this revision made the order."""

    __table_args__ = (UniqueConstraint("order_id", "revision"),)
