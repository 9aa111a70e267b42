"""What every connector promises: the shape of an order, of a page, and the three ways to fail.

Errors are sorted by what the caller must do, not by what went wrong::

    ConnectorError
    ├── NeedsPerson   pause the channel and show a banner that says what to do
    ├── TryLater      wait (``retry_after`` seconds where the source said so) and poll again
    └── BadRecord     this one record goes to quarantine, the rest goes on
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

__all__ = [
    "BadRecord",
    "Batch",
    "Buyer",
    "ChannelConfig",
    "Connector",
    "ConnectorError",
    "Credential",
    "Family",
    "Fulfilment",
    "Life",
    "Line",
    "NeedsPerson",
    "Order",
    "Pace",
    "Page",
    "Payment",
    "PaymentKind",
    "RawOrder",
    "Recipient",
    "Stream",
    "TryLater",
    "Vault",
    "Watermark",
]


class Family(StrEnum):
    """Decides policy and which texts may be used (design, section 1)."""

    OWN = "own"
    RAKUTEN = "rakuten"
    YAHOO = "yahoo"
    AMAZON = "amazon"
    AUPAY = "aupay"
    QOO10 = "qoo10"


class Life(StrEnum):
    """Whether the order stands."""

    OPEN = "open"
    CANCELLED = "cancelled"


class Payment(StrEnum):
    """How far the money is; the order of the members is the forward direction."""

    UNPAID = "unpaid"
    AUTHORIZED = "authorized"
    PAID = "paid"
    REFUNDED_PART = "refunded_part"
    REFUNDED = "refunded"


class Fulfilment(StrEnum):
    """How far the parcel is; the order of the members is the forward direction."""

    UNSHIPPED = "unshipped"
    PART = "part"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"


class PaymentKind(StrEnum):
    """What decides when an order counts (the payment gate)."""

    CARD = "card"
    COD = "cod"
    PREPAYMENT = "prepayment"
    DEFERRED = "deferred"
    FREE = "free"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One item line; money in minor units of the order's currency, None where nothing is told."""

    name: str
    sku: str | None = None
    quantity: int = 1
    unit_price: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who ordered, exactly as the source wrote it (never Unicode-normalised)."""

    member_id: str | None = None
    email: str | None = None
    email_is_relay: bool = False
    """True for a marketplace's masked address: usable for this channel only, never to match."""
    name: str | None = None
    family_name: str | None = None
    given_name: str | None = None
    kana: str | None = None
    phone: str | None = None
    postal_code: str | None = None
    address: str | None = None
    birthday: date | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives the parcel; None fields mean the same as the buyer or not told."""

    name: str | None = None
    kana: str | None = None
    phone: str | None = None
    postal_code: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order in the words of the ledger.

    Identity is (channel, external_id); ``number`` is what people read. Instants are aware.
    Money is an integer of ``currency``'s minor unit. ``present`` names the fields the source
    can speak of: a field outside it is absent and must not overwrite what is stored, a field
    inside it that is None was told to be empty. Members of ``buyer`` and ``recipient`` stand
    in ``present`` as ``buyer.email``, ``recipient.name`` and so on.
    """

    external_id: str
    number: str
    ordered_at: datetime
    currency: str
    present: frozenset[str]
    time_unknown: bool = False
    """True where the source gave a date only; ``ordered_at`` is then 00:00 local."""
    updated_at: datetime | None = None
    """The source's own time of last change; None where it has none."""
    life: Life | None = None
    payment: Payment | None = None
    fulfilment: Fulfilment | None = None
    payment_method: str | None = None
    payment_kind: PaymentKind = PaymentKind.UNKNOWN
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    subtotal: int | None = None
    shipping: int | None = None
    fee: int | None = None
    discount: int | None = None
    points: int | None = None
    tax: int | None = None
    total: int | None = None
    refunded: int | None = None
    coupon_code: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    delivery_date: date | None = None
    delivery_band: str | None = None
    buyer_comment: str | None = None
    gift: bool | None = None
    gift_wrap: str | None = None
    subscription_number: str | None = None
    delivery_count: int | None = None
    """Which delivery of a subscription this is, from 1; None outside subscriptions."""
    hub_status: str | None = None
    hub_hold: bool | None = None
    """True while the shop's order hub holds the order or reports it out of stock or changed."""
    replaces: str | None = None
    """External id of the cancelled order that this one replaces."""
    marketing_consent: bool | None = None
    consent_at: datetime | None = None
    store: str | None = None
    note: str | None = None
    buyer: Buyer = field(default_factory=Buyer)
    recipient: Recipient | None = None
    lines: tuple[Line, ...] = ()
    platform_order_count: int | None = None
    """How many orders the platform itself says this customer has, this one included."""
    warnings: tuple[str, ...] = ()
    """Codes of doubts that did not stop the mapping, e.g. ``unknown_status``, ``total_differs``."""


@dataclass(frozen=True, slots=True)
class RawOrder:
    """An order exactly as received: the JSON object, or the rows of a file that belong together."""

    external_id: str
    payload: Mapping[str, Any]
    position: str = ""
    """Where a person finds it: ``line 12`` of a file, ``page 3 item 7`` of an API answer."""


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to where a stream is known to be read; ``value`` is whatever the connector compares."""

    value: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """The file that pages were cut from: it is listed as an import and can be taken back."""

    name: str
    sha256: str
    profile: str = ""
    encoding: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Some raw orders, where to go on, and, when a fixed window is exhausted, the new watermark.

    ``cursor`` None with ``watermark`` set means the window is finished. ``rejected`` are records
    that could not even be cut out of the answer; each carries its position and payload.
    ``batch`` names the file where the pages come from one; its last page has no cursor.
    """

    raws: tuple[RawOrder, ...]
    cursor: str | None = None
    watermark: Watermark | None = None
    rejected: tuple[BadRecord, ...] = ()
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """One thing a connector polls, e.g. ``orders`` or ``cancel_scan``."""

    name: str
    interval_seconds: int
    overlap_seconds: int = 0


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """What a connector may know of its channel: never the store, never other channels."""

    name: str
    kind: str
    family: Family
    settings: Mapping[str, Any]
    zone: str = "Asia/Tokyo"
    secrets: Mapping[str, str] = field(default_factory=dict)


class Pace(Protocol):
    """How fast one account may be asked, shared by all workers.

    A lane is one budget of the source, e.g. ``orders`` or ``details``. Connectors declare their
    lanes in ``LANES``: name to (requests per second, burst).
    """

    def take(self, lane: str, cost: float = 1.0) -> None:
        """Wait for a place briefly; raises TryLater with ``retry_after`` for a long wait."""
        ...

    def learn(
        self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
    ) -> None:
        """Take over what the source says: what is left, how fast it fills; None, 0: untold."""
        ...

    def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
        """The quota is used up: nobody asks before ``until``; who tries is told ``reason``."""
        ...


class Vault(Protocol):
    """A channel's credentials: encrypted at rest, told in clear to its own connector only."""

    def get(self, name: str) -> str | None:
        """The present value, or None."""
        ...

    def put(self, name: str, value: str, expires_at: datetime | None = None) -> None:
        """Keep a new value durably before the old one stops working; ``expires_at`` is shown."""
        ...

    def refreshing(self) -> AbstractContextManager[bool]:
        """A lock around a token refresh; True: refresh now, False: another worker just did."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """One thing the shop enters when it adds a channel."""

    name: str
    label: str
    label_en: str
    where: str
    """Where the shop finds it, in Japanese."""
    where_en: str
    secret: bool = True
    lifetime_days: int | None = None
    optional: bool = False
    by_login: bool = False  # a login in the browser brings it: connectors.kit.live.LogsIn


class ConnectorError(Exception):
    """Root of the three; never raised itself."""


class NeedsPerson(ConnectorError):
    """Nothing will get better by waiting: bad key, missing scope, unknown header, ended contract.

    ``remedy`` is a sentence that tells a clerk what to do.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


class TryLater(ConnectorError):
    """The source is busy, slow or down; ``retry_after`` in seconds where it said so."""

    def __init__(self, problem: str, retry_after: float | None = None) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


class BadRecord(ConnectorError):
    """One record that cannot become an order.

    ``code`` is stable (``missing_column``, ``bad_date`` …), ``reason`` a sentence a clerk
    understands, ``position`` where to find it, ``payload`` what was received; ``reason_ja``
    says the same in Japanese where the connector can, else it is empty.
    """

    def __init__(
        self,
        code: str,
        reason: str,
        *,
        position: str = "",
        field_name: str | None = None,
        external_id: str | None = None,
        payload: Mapping[str, Any] | None = None,
        reason_ja: str = "",
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.reason_ja = reason_ja
        self.position = position
        self.field_name = field_name
        self.external_id = external_id
        self.payload = dict(payload or {})


@runtime_checkable
class Connector(Protocol):
    """Reads one marketplace kind's order export. ``pull`` talks; ``map`` is pure."""

    kind: str

    def streams(self) -> tuple[Stream, ...]:
        """Name what is polled and how often."""
        ...

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield pages from ``cursor``, else from ``watermark`` less the overlap, up to ``now``.

        Raises NeedsPerson or TryLater. The caller stores each page before it asks for the next.
        """
        ...

    def map(self, raw: RawOrder) -> Order:
        """Translate one raw order, reading no clock and no network. Raises BadRecord."""
        ...

    def check(self) -> str:
        """Make a harmless call and say in one sentence that it worked. Raises NeedsPerson."""
        ...
