"""One order of wc/v3 to an Order; pure, and ready for plugin fields of every kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.contract import Buyer, Life, Order, Payment, PaymentKind, RawOrder
from connectors.contract import Recipient as Receiver
from connectors.kit import people
from connectors.kit.fields import Unreadable, mapped
from connectors.kit.payment_kinds import payment_kind
from connectors.woocommerce.amounts import Amounts, rows
from connectors.woocommerce.settings import MapSettings, States

Fields = Mapping[str, Any]

_TOLD = frozenset(
    [
        *("external_id", "number", "ordered_at", "time_unknown", "currency", "paid_at"),
        *("payment_method", "payment_kind", "coupon_code", "buyer_comment", "lines"),
        *("buyer.member_id", "buyer.name", "buyer.family_name", "buyer.given_name"),
        *("buyer.phone", "buyer.postal_code", "buyer.address"),
        *("recipient.name", "recipient.phone", "recipient.postal_code", "recipient.address"),
    ]
)
"""Told by every answer; the rest is told where the answer holds it."""

_TRUE, _FALSE = frozenset({"1", "yes", "true", "on"}), frozenset({"0", "no", "false", "off", ""})


def map_order(raw: RawOrder, settings: MapSettings) -> Order:
    """Translate the payload. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, settings))


def _order(raw: RawOrder, settings: MapSettings) -> Order:
    fields = raw.payload
    warnings: list[str] = []
    ordered_at = _moment(fields, "date_created", settings.zone)
    if ordered_at is None:
        raise Unreadable("bad_date", "date_created_gmt", "Not a date.", "日付を読み取れません。")
    amounts = Amounts(fields, warnings)
    paid_at = _moment(fields, "date_paid", settings.zone)
    told = _states(fields, settings, warnings)
    states = _standing(told, amounts, paid_at)
    found = _meta_fields(fields, settings, warnings)
    found |= _shipment(fields, told, settings)
    buyer, named = _buyer(fields, settings, warnings)
    recipient, named_there = _recipient(fields, settings)
    found |= amounts.values() | {k: v for k, v in states.items() if v is not None}
    method, kind = _payment(fields, amounts.total, settings)
    return Order(
        external_id=raw.external_id,
        number=people.text(fields.get("number")) or raw.external_id,
        ordered_at=ordered_at,
        currency=amounts.currency,
        present=_TOLD.union(found, named, named_there),
        updated_at=_moment(fields, "date_modified", settings.zone),
        paid_at=paid_at,
        payment_method=method,
        payment_kind=kind,
        coupon_code=_coupons(fields),
        buyer_comment=people.text(fields.get("customer_note")),
        buyer=buyer,
        recipient=recipient,
        lines=amounts.lines(),
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


# --- times and states ------------------------------------------------------------------------


def _moment(fields: Fields, name: str, zone: str) -> datetime | None:
    """Read the UTC twin, else the shop's own time; old shops left years before 1 in the twin."""
    for key, tz in ((f"{name}_gmt", UTC), (name, ZoneInfo(zone))):
        value = fields.get(key)
        if not isinstance(value, str) or not value:
            continue
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            continue
        if 1990 <= found.year <= 2200:
            aware = found if found.tzinfo else found.replace(tzinfo=tz)
            return aware.astimezone(UTC)
    return None


def _states(fields: Fields, settings: MapSettings, warnings: list[str]) -> States:
    word = (people.text(fields.get("status")) or "").removeprefix("wc-")
    told = settings.statuses.get(word)
    if told is None:
        warnings.append("unknown_status")
        return States()
    return told


def _standing(told: States, amounts: Amounts, paid_at: datetime | None) -> dict[str, Any]:
    """A refund and the date of payment carry the word of the status further, never back."""
    payment = told.payment
    if told == States():
        return {"life": None, "payment": None, "fulfilment": None}
    if amounts.refunded > 0 and payment is not Payment.REFUNDED:
        whole = bool(amounts.total) and amounts.refunded >= amounts.total
        payment = Payment.REFUNDED if whole else Payment.REFUNDED_PART
    elif payment in {None, Payment.UNPAID}:
        payment = Payment.PAID if paid_at else Payment.UNPAID
    return {"life": told.life or Life.OPEN, "payment": payment, "fulfilment": told.fulfilment}


def _payment(fields: Fields, total: int, settings: MapSettings) -> tuple[str | None, PaymentKind]:
    key = people.text(fields.get("payment_method")) or ""
    title = people.text(fields.get("payment_method_title"))
    if not key and not title:
        return None, PaymentKind.UNKNOWN if total else PaymentKind.FREE
    kind = settings.payments.get(key) or payment_kind(title or key)
    return title or key, payment_kind(key) if kind is PaymentKind.UNKNOWN else kind


# --- plugin fields ---------------------------------------------------------------------------


def _meta(fields: Fields) -> dict[str, Any]:
    entries = fields.get("meta_data")
    if not isinstance(entries, Sequence):
        return {}
    return {str(e.get("key")): e.get("value") for e in entries if isinstance(e, Mapping)}


def _meta_fields(fields: Fields, settings: MapSettings, warnings: list[str]) -> dict[str, Any]:
    """Read the fields that the shop named; what its plugin did not write stays untold."""
    meta = _meta(fields)
    found: dict[str, Any] = {}
    for name, key in settings.meta_keys.items():
        if key not in meta:
            continue
        value: Any = people.text(meta[key])
        if name == "delivery_date":
            value = _day(value, warnings)
        elif name == "marketing_consent":
            value = _consent(meta[key])
            if value is None:
                warnings.append("bad_marketing_consent")
                continue
        found[name] = value
    return found


def _day(value: str | None, warnings: list[str]) -> date | None:
    try:
        return date.fromisoformat(value[:10].replace("/", "-")) if value else None
    except ValueError:  # often words: 指定なし; an order is not refused for them
        if any(sign.isdigit() for sign in value or ""):
            warnings.append("bad_delivery_date")
        return None


def _consent(value: Any) -> bool | None:
    word = str(int(value) if isinstance(value, bool) else value or "").strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _shipment(fields: Fields, told: States, settings: MapSettings) -> dict[str, Any]:
    """Read parcel numbers of the shipment tracking plugin; core tells the completion only."""
    found: dict[str, Any] = {}
    items = _meta(fields).get("_wc_shipment_tracking_items")
    first = items[0] if isinstance(items, list) and items else None
    if isinstance(first, Mapping):
        carrier = first.get("custom_tracking_provider") or first.get("tracking_provider")
        found["carrier"] = people.text(carrier)
        found["tracking_number"] = people.text(first.get("tracking_number"))
    done = _moment(fields, "date_completed", settings.zone)
    if done is not None and told.life is not Life.CANCELLED:
        found["shipped_at"] = done
    return found


def _coupons(fields: Fields) -> str | None:
    codes = [people.text(line.get("code")) for line in rows(fields, "coupon_lines")]
    return ",".join(filter(None, codes)) or None


# --- people ----------------------------------------------------------------------------------


def _buyer(
    fields: Fields, settings: MapSettings, warnings: list[str]
) -> tuple[Buyer, frozenset[str]]:
    told = fields.get("billing")
    billing: Fields = told if isinstance(told, Mapping) else {}
    named = {"buyer.email", "buyer.email_is_relay"}
    email = people.mail(billing.get("email"))
    if email is None and people.text(billing.get("email")):
        warnings.append("bad_email")
        named = set()
    kana = _kana(fields, settings.kana_keys)
    if kana is not None:
        named.add("buyer.kana")
    family, given = people.name(billing.get("last_name")), people.name(billing.get("first_name"))
    member = people.text(fields.get("customer_id"))
    buyer = Buyer(
        member_id=None if member == "0" else member,
        email=email,
        name=people.spaced(family, given),
        family_name=family,
        given_name=given,
        kana=kana,
        phone=people.phone(billing.get("phone")),
        postal_code=people.text(billing.get("postcode")),
        address=_address(billing),
    )
    return buyer, frozenset(named)


def _recipient(fields: Fields, settings: MapSettings) -> tuple[Receiver | None, frozenset[str]]:
    told = fields.get("shipping")
    shipping: Fields = told if isinstance(told, Mapping) else {}
    kana = _kana(fields, settings.recipient_kana_keys)
    found = Receiver(
        name=people.spaced(
            people.name(shipping.get("last_name")), people.name(shipping.get("first_name"))
        ),
        kana=kana,
        phone=people.phone(shipping.get("phone")),
        postal_code=people.text(shipping.get("postcode")),
        address=_address(shipping),
    )
    named = frozenset({"recipient.kana"} if kana is not None else ())
    return (None if found == Receiver() else found), named


def _address(part: Fields) -> str | None:
    """State, city and street; a bare state or country is what forms leave behind, no address."""
    state = people.text(part.get("state")) or ""
    street = people.spaced(part.get("city"), part.get("address_1"), part.get("address_2"))
    if street is None:
        return None
    japan = part.get("country") in {"JP", "", None}
    return people.spaced((people.prefecture(state) if japan else None) or state, street)


def _kana(fields: Fields, keys: Sequence[tuple[str, str]]) -> str | None:
    meta = _meta(fields)
    for family, given in keys:
        if found := people.spaced(people.kana(meta.get(family)), people.kana(meta.get(given))):
            return found
    return None
