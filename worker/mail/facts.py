"""Everything a text may know of a customer, an order and a shop, as plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name exactly as the source wrote it; parts only where the source gave parts."""

    family_name: str | None = None
    given_name: str | None = None
    full_name: str | None = None
    company: str | None = None
    department: str | None = None


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """How the shop calls itself on the message's channel, and where it can be reached."""

    shop_name: str | None = None
    mall_name: str | None = None
    staff_role: str | None = None
    staff_name: str | None = None
    contact_mail: str | None = None
    contact_phone: str | None = None
    contact_hours: str | None = None
    shop_url: str | None = None
    legal_name: str | None = None
    postal_address: str | None = None
    returns_text: str | None = None
    """The shop's own sentence about cancelling and returning, in the locale of the text."""
    inquiry_place: str | None = None
    """Where a mall's buyer finds the inquiry form, in the mall's words."""


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One item line; ``amount`` in minor units of the order's currency, None where mute."""

    name: str
    quantity: int = 1
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """One order of the mail; money in minor units of ``currency``, discounts positive."""

    number: str
    ordered_at: datetime
    currency: str = "JPY"
    lines: tuple[LineFacts, ...] = ()
    subtotal: int | None = None
    shipping: int | None = None
    fee: int | None = None
    discount: int | None = None
    points: int | None = None
    total: int | None = None
    payment_method: str | None = None


@dataclass(frozen=True, slots=True)
class ShipPlan:
    """When the parcel goes: a designated delivery day wins over ``ship_by``."""

    ship_by: date | None = None
    designated_on: date | None = None
    designated_band: str | None = None


@dataclass(frozen=True, slots=True)
class CouponFacts:
    """A reward as printed; ``expires_at`` is exclusive, so midnight prints as 23:59 before."""

    code: str | None = None
    mall_code: str | None = None
    amount: int | None = None
    percent: int | None = None
    currency: str = "JPY"
    min_spend: int | None = None
    """None means not told (the mail holds), 0 means no condition."""
    targets: str | None = None
    """None means the whole range."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ParcelFacts:
    """What the carrier said of the parcel."""

    carrier: str | None = None
    tracking_number: str | None = None


@dataclass(frozen=True, slots=True)
class TextFacts:
    """The input of every text. ``now`` is aware; ``zone`` is the shop's zone for all dates."""

    now: datetime
    zone: ZoneInfo
    shop: ShopFacts
    customer: PersonName = PersonName()
    recipient: PersonName | None = None
    orders: tuple[OrderFacts, ...] = ()
    ship_plan: ShipPlan = ShipPlan()
    arrival_on: date | None = None
    prepaid: bool = False
    """True when the order waited for a transfer that has now arrived."""
    parcel: ParcelFacts = ParcelFacts()
    visit_number: int | None = None
    """None unless it may be spoken of (proved, and the shop says numbers)."""
    previous_ordered_at: datetime | None = None
    first_ordered_at: datetime | None = None
    last_item_name: str | None = None
    last_delivered_on: date | None = None
    coupon: CouponFacts = CouponFacts()
    sample_name: str | None = None
    """Only once the packing list shows it as packed."""
    personal_line: str | None = None
    question_line: str | None = None
    care_block: str | None = None
    busy_period_line: str | None = None
    season_line: str | None = None
    unsubscribe_url: str | None = None
    letter_subject: str | None = None
    """Subject and body of a personal mail, as a clerk wrote them."""
    letter_body: str | None = None
