"""Customers, the keys by which channels know them, their standing, and what staff noted."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.finding import NO_KANA
from worker.rules.states import (
    CandidateState,
    Certainty,
    ConsentAction,
    IdentityKind,
    NoteState,
)
from worker.store.schema import Base
from worker.store.types import BinaryText, Json, Key, UtcDateTime, words


class Customer(Base):
    """A person of the ledger; what is personal stands in the profile."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    merged_into: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    """Set while this customer's keys are re-pointed to another; the row stays for the way back."""
    identity_unsure: Mapped[bool] = mapped_column(default=False)
    """True while an open candidate or only weak keys stand: no promotion, no number in texts."""
    rank_due: Mapped[bool] = mapped_column(default=True)
    plan_due: Mapped[bool] = mapped_column(default=True)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "ix_customers_rank_due",
            "id",
            sqlite_where=text("rank_due"),
            postgresql_where=text("rank_due"),
        ),
        Index(
            "ix_customers_plan_due",
            "id",
            sqlite_where=text("plan_due"),
            postgresql_where=text("plan_due"),
        ),
    )


class CustomerProfile(Base):
    """Personal data of a customer, taken from the newest order and from staff (P14)."""

    __tablename__ = "customer_profiles"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    name: Mapped[str | None] = mapped_column(Text)
    family_name: Mapped[str | None] = mapped_column(Text)
    given_name: Mapped[str | None] = mapped_column(Text)
    kana: Mapped[str | None] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    postal_code: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    birthday: Mapped[date | None]
    locale: Mapped[str | None] = mapped_column(String(8))
    personal_line: Mapped[str | None] = mapped_column(Text)
    question_line: Mapped[str | None] = mapped_column(Text)
    order_id: Mapped[int | None] = mapped_column(Key)
    """The order the contact data came from."""
    # Made from the columns above by rules.finding; as personal as they are, erased with them.
    name_key: Mapped[str | None] = mapped_column(BinaryText)
    kana_key: Mapped[str] = mapped_column(BinaryText, default=NO_KANA, server_default=NO_KANA)
    phone_key: Mapped[str | None] = mapped_column(BinaryText)
    phone_tail: Mapped[str | None] = mapped_column(BinaryText)
    """The digits from the last to the first: clerks ask for the last four."""
    is_member: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """False: a guest, who never gave a member number."""

    __table_args__ = (
        # Each way of looking somebody up; the id makes pages of equal keys go on.
        Index("ix_customer_profiles_kana_key", "kana_key", "customer_id"),
        Index("ix_customer_profiles_name_key", "name_key", "customer_id"),
        Index("ix_customer_profiles_phone_key", "phone_key", "customer_id"),
        Index("ix_customer_profiles_phone_tail", "phone_tail", "customer_id"),
        # Where guests are few they are found here, where they are many anywhere.
        Index(
            "ix_customer_profiles_guests",
            "customer_id",
            sqlite_where=text("NOT is_member"),
            postgresql_where=text("NOT is_member"),
        ),
    )


class ProfileEntry(Base):
    """One field of a profile as a clerk entered it; personal (P14).

    It stands until an order made later tells something else than the clerk replaced.
    """

    __tablename__ = "profile_entries"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    field: Mapped[str] = mapped_column(String(24), primary_key=True)
    value: Mapped[str | None] = mapped_column(Text)
    was: Mapped[str | None] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Identity(Base):
    """A key by which a channel knows a person; only its keyed hash, the value is personal."""

    __tablename__ = "identities"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    kind: Mapped[IdentityKind] = mapped_column(words(IdentityKind))
    key_hash: Mapped[str] = mapped_column(String(64))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    """The present tie; its history and reasons stand in identity_links."""
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("channel_id", "kind", "key_hash"),
        Index("ix_identities_kind_key_hash", "kind", "key_hash"),
    )


class IdentityLink(Base):
    """The reversible, reasoned tie between a key and a person."""

    __tablename__ = "identity_links"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"), index=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    reason: Mapped[str] = mapped_column(String(60))
    merge_id: Mapped[int | None] = mapped_column(ForeignKey("merges.id"))
    by: Mapped[str] = mapped_column(String(80), default="system")
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class OrderIdentity(Base):
    """Every key an order carried; ``strength`` 0 is the strongest and names the customer."""

    __tablename__ = "order_identities"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True
    )
    identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"), primary_key=True)
    strength: Mapped[int]

    __table_args__ = (Index("ix_order_identities_identity_id", "identity_id"),)


class Merge(Base):
    """Two customers found to be one; undone by re-pointing the same keys back."""

    __tablename__ = "merges"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by: Mapped[str] = mapped_column(String(80), default="")


class Candidate(Base):
    """Possibly the same person: staff decide. ``customer_a`` is the smaller id."""

    __tablename__ = "candidates"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_a: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    customer_b: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    reason: Mapped[str] = mapped_column(String(60))
    state: Mapped[CandidateState] = mapped_column(words(CandidateState))
    blocking: Mapped[bool] = mapped_column(default=True)
    """True: both are unsure meanwhile. False: a suggestion across scopes that stops nothing."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(String(80), default="")
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("customer_a", "customer_b"),)


class OpeningCount(Base):
    """What a customer had before our history begins, as a platform or the shop says."""

    __tablename__ = "opening_counts"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    count: Mapped[int]
    spend: Mapped[int] = mapped_column(Key, default=0)
    before: Mapped[date]
    """The opening count holds the orders before this shop-local day."""
    source: Mapped[str] = mapped_column(String(60), default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OrderStanding(Base):
    """An order's number and the rank at that order, within its scope and over all channels."""

    __tablename__ = "order_standings"

    order_id: Mapped[int] = mapped_column(
        ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True
    )
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    scope: Mapped[str] = mapped_column(String(80))
    ordinal: Mapped[int | None]
    """Position among the customer's counting orders in the scope; provisional: before it + 1."""
    visit_number: Mapped[int | None]
    ordinal_overall: Mapped[int | None]
    certainty: Mapped[Certainty] = mapped_column(words(Certainty))
    rank: Mapped[str | None] = mapped_column(String(40))
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    ladder: Mapped[str] = mapped_column(String(16), default="")


class CustomerStanding(Base):
    """A customer's rank and totals now; scope ``*`` is over all channels."""

    __tablename__ = "customer_standings"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    rank: Mapped[str | None] = mapped_column(String(40))
    count: Mapped[int]
    visits: Mapped[int]
    net_spend: Mapped[int] = mapped_column(Key)
    first_order_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_order_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    certainty: Mapped[Certainty] = mapped_column(words(Certainty))
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    ladder: Mapped[str] = mapped_column(String(16), default="")
    next_change_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    """When time alone may change the rank (a window slides, a grace ends, a pin expires)."""

    __table_args__ = (
        # Who has fallen silent is found by it.
        Index("ix_customer_standings_scope_last_order_at", "scope", "last_order_at"),
        # The desk's list of customers: a page of each order within a rank is one short walk.
        Index("ix_customer_standings_visits", "scope", "rank", "visits", "customer_id"),
        Index("ix_customer_standings_spend", "scope", "rank", "net_spend", "customer_id"),
        Index("ix_customer_standings_last", "scope", "rank", "last_order_at", "customer_id"),
    )


class RankHistory(Base):
    """Each change of a customer's rank with the facts and ladder it rested on."""

    __tablename__ = "rank_history"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    scope: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    from_rank: Mapped[str | None] = mapped_column(String(40))
    to_rank: Mapped[str | None] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(40))
    facts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    ladder: Mapped[str] = mapped_column(String(16), default="")


class RankPin(Base):
    """A rank fixed by staff until its expiry; wins over the ladder."""

    __tablename__ = "rank_pins"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    rank: Mapped[str] = mapped_column(String(40))
    until: Mapped[date | None]
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class LadderVersion(Base):
    """A ladder that was in force, by its hash, so that old reasons can still be read."""

    __tablename__ = "ladder_versions"

    version: Mapped[str] = mapped_column(String(16), primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class RankBasis(Base):
    """What every number of a scope rests on besides the orders: when it moves, all are due again.

    ``basis`` is a hash of ladder, counting rules and channels; ``reach`` the first day from which
    the scope's history is complete (an import of older orders moves it).
    """

    __tablename__ = "rank_bases"

    scope: Mapped[str] = mapped_column(String(80), primary_key=True)
    reach: Mapped[date | None]
    basis: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContactNote(Base):
    """What staff write about a customer; ``inquiry`` marks a question of the customer's own."""

    __tablename__ = "contact_notes"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"), index=True)
    order_id: Mapped[int | None] = mapped_column(Key)
    inquiry: Mapped[bool] = mapped_column(default=False)
    said: Mapped[str] = mapped_column(Text, default="")
    gift_received: Mapped[str] = mapped_column(Text, default="")
    ask_next: Mapped[str] = mapped_column(Text, default="")
    ask_by: Mapped[date | None]
    via: Mapped[str] = mapped_column(String(16), default="", server_default="")
    """How they spoke: a value of ``rules.states.Via``, or empty."""
    state: Mapped[NoteState] = mapped_column(words(NoteState))
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    done_by: Mapped[str] = mapped_column(String(80), default="")
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    """Counts up at every change; a stale edit is refused by it."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own idiom
    __table_args__ = (
        # Open notes are few among years of notes; each morning asks which have come due.
        Index(
            "ix_contact_notes_open",
            "ask_by",
            "customer_id",
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )


class Consent(Base):
    """One row of the append-only consent ledger; the newest for (channel, address) is the state."""

    __tablename__ = "consents"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    address_hash: Mapped[str] = mapped_column(String(64))
    action: Mapped[ConsentAction] = mapped_column(words(ConsentAction))
    method: Mapped[str] = mapped_column(String(40))
    source_ref: Mapped[str] = mapped_column(Text, default="")
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_consents_channel_id_address_hash", "channel_id", "address_hash"),
        # The same column of the same order, imported again, is the same statement.
        UniqueConstraint("channel_id", "address_hash", "action", "occurred_at"),
    )


class Suppression(Base):
    """Who must not be mailed, at all or with advertising; lifted by staff with a note."""

    __tablename__ = "suppressions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    address_hash: Mapped[str] = mapped_column(String(64), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    ads_only: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it is lifted by itself; None: never."""
    evidence_id: Mapped[int | None] = mapped_column(Key)
    """The returned mail that it rests on."""
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
