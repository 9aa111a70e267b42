"""One order of EC-CUBE to an Order; pure, and the same as its rows in the 受注CSV."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.contract import Buyer, Line, Order, RawOrder, Recipient
from connectors.eccube4.settings import MapSettings
from connectors.eccube4.standing import fulfilment_of, payment_of
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable, mapped
from connectors.kit.money import BadMoney, exponent, parse_minor, unknown_currency
from connectors.kit.payment_kinds import payment_kind

PRODUCT, POINT = "1", "6"
"""Ids of 明細区分. Shipping (2), fee (3), discount (4), tax (5) are sums in the order itself."""

_MONEY = {
    "subtotal": "subtotal",
    "shipping": "delivery_fee_total",
    "fee": "charge",
    "discount": "discount",
    "tax": "tax",
    "total": "payment_total",
}
_TOLD = frozenset(
    [
        *("external_id", "number", "ordered_at", "time_unknown", "currency", "payment_method"),
        *("payment_kind", "paid_at", "shipped_at", "points", "carrier", "tracking_number"),
        *("delivery_date", "delivery_band", "buyer_comment", "note", "lines"),
    ]
)
_BUYER = frozenset(
    f"buyer.{name}"
    for name in (
        *("member_id", "email", "email_is_relay", "name", "family_name", "given_name", "kana"),
        *("phone", "postal_code", "address", "birthday"),
    )
)
_RECIPIENT = frozenset(
    f"recipient.{name}" for name in ("name", "kana", "phone", "postal_code", "address")
)
_UNREAD = {
    "bad_email": {"buyer.email", "buyer.email_is_relay"},
    "bad_birthday": {"buyer.birthday"},
    "bad_delivery_date": {"delivery_date"},
}
"""Warning to the fields of which nothing is told then."""


def map_order(raw: RawOrder, settings: MapSettings) -> Order:
    """Translate one node of ``orders``. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, settings))


def status_of(told: Fields) -> str:
    """The id of an order's status; empty where none is told. Raises Unreadable."""
    return told.node("OrderStatus").text("id") or ""


def _order(raw: RawOrder, settings: MapSettings) -> Order:
    told = Fields(raw.payload)
    number, ordered_at = told.text("id"), told.moment("order_date")
    if number is None or ordered_at is None:
        raise told.missing("id" if number is None else "order_date")
    warnings: list[str] = []
    currency = _currency(told, settings)
    parcels = sorted(told.nodes("Shippings"), key=_number)
    items = sorted(told.nodes("OrderItems"), key=_number)
    paid_at, shipped = told.moment("payment_date"), [p.moment("shipping_date") for p in parcels]
    found = _amounts(told, items, currency)
    found |= _states(told, paid_at, shipped, settings, warnings)
    found |= _parcel(parcels, settings, warnings) | _payment(told, settings)
    buyer = _buyer(told, settings, warnings)
    recipient = _recipient(parcels[0]) if parcels else None
    return Order(
        external_id=number,
        number=told.text("order_no") or number,
        ordered_at=ordered_at,
        currency=currency,
        present=_present(found, recipient, warnings),
        updated_at=_updated(told, parcels),
        paid_at=paid_at,
        shipped_at=min(filter(None, shipped), default=None),
        buyer_comment=told.text("message"),
        note=told.text("note"),
        buyer=buyer,
        recipient=recipient,
        lines=tuple(_line(one, currency) for one in items if _kind(one) == PRODUCT),
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


def _present(
    found: dict[str, Any], recipient: Recipient | None, warnings: list[str]
) -> frozenset[str]:
    named = _TOLD.union(found, _BUYER, _RECIPIENT if recipient else ())
    return named.difference(*(_UNREAD.get(code, set()) for code in warnings))


def _number(told: Fields) -> tuple[int, str]:
    """Sorts parts of an order as they were made."""
    number = told.text("id") or ""
    return (int(number) if number.isascii() and number.isdigit() else 0, number)


def _updated(told: Fields, parcels: Sequence[Fields]) -> datetime | None:
    """The latest change: a parcel's number is entered without the order's own time moving."""
    moments = [told.moment("update_date"), *(one.moment("update_date") for one in parcels)]
    return max(filter(None, moments), default=None)


# --- money -----------------------------------------------------------------------------------


def _currency(told: Fields, settings: MapSettings) -> str:
    code = told.text("currency_code") or settings.currency
    try:
        exponent(code)
    except BadMoney as error:
        raise _bad(
            "bad_currency",
            "currency_code",
            *unknown_currency(code),
        ) from error
    return code


def _bad(code: str, name: str, reason: str, reason_ja: str) -> Unreadable:
    return Unreadable(code, name, f"{name}: {reason}", f"「{name}」: {reason_ja}")


def _amount(told: Fields, name: str, currency: str) -> int | None:
    try:
        return parse_minor(told.text(name) or "", currency)
    except BadMoney as error:
        raise _bad(
            "bad_money",
            name,
            f"This is not an exact amount: {error}.",
            f"金額として読み取れません ({currency})。",
        ) from error


def _amounts(told: Fields, items: Sequence[Fields], currency: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: _amount(told, field, currency) for name, field in _MONEY.items() if field in told
    }
    total = found.get("total")
    if total is None:
        raise told.missing("payment_total")
    if total < 0:
        raise _bad(
            "negative_total",
            "payment_total",
            "The total is negative.",
            "合計金額がマイナスです。",
        )
    if found.get("discount"):
        found["discount"] = abs(found["discount"])
    used = [_amount(one, "price", currency) for one in items if _kind(one) == POINT]
    counts = [_count(one) for one in items if _kind(one) == POINT]
    found["points"] = abs(sum((p or 0) * n for p, n in zip(used, counts, strict=True)))
    return found


def _kind(item: Fields) -> str | None:
    return item.node("OrderItemType").text("id")


def _count(item: Fields) -> int:
    """How many; the shop keeps it as a decimal, so 2 may be told as 2.0."""
    told = item.text("quantity")
    if told is None:
        return 1
    try:
        value = Decimal(told)
        whole = int(value)
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise _bad("bad_number", "quantity", "Expected a number.", "数ではありません。") from error
    if whole != value:
        raise _bad("bad_number", "quantity", "Expected a whole number.", "整数ではありません。")
    return whole


def _line(item: Fields, currency: str) -> Line:
    sku = item.text("product_code")
    return Line(
        name=item.text("product_name") or sku or "-",
        sku=sku,
        quantity=_count(item),
        unit_price=_amount(item, "price", currency),
    )


# --- states, payment and parcels ---------------------------------------------------------------


def _states(
    told: Fields,
    paid_at: datetime | None,
    shipped: Sequence[datetime | None],
    settings: MapSettings,
    warnings: list[str],
) -> dict[str, Any]:
    status = status_of(told)
    if status not in settings.statuses:
        warnings.append("unknown_status")
        return {}
    said = settings.statuses[status]
    if said is None:
        raise _bad(
            "unfinished_order",
            "OrderStatus",
            "This is a checkout in progress, not yet an order.",
            "購入手続きの途中で、まだ注文ではありません。",
        )
    found = {
        "life": said.life,
        "payment": payment_of(said, paid_at),
        "fulfilment": fulfilment_of(said, shipped),
    }
    return {name: value for name, value in found.items() if value is not None}


def _payment(told: Fields, settings: MapSettings) -> dict[str, Any]:
    method = told.text("payment_method") or told.node("Payment").text("method")
    kind = settings.payments.get(method or "") or payment_kind(method or "")
    return {"payment_method": method, "payment_kind": kind}


def _first(parcels: Sequence[Fields], name: str) -> str | None:
    return next(filter(None, (one.text(name) for one in parcels)), None)


def _parcel(
    parcels: Sequence[Fields], settings: MapSettings, warnings: list[str]
) -> dict[str, Any]:
    wish = _first(parcels, "shipping_delivery_date")
    day = _day(wish, settings)
    if wish and day is None:
        warnings.append("bad_delivery_date")
    return {
        "carrier": _first(parcels, "shipping_delivery_name"),
        "tracking_number": _first(parcels, "tracking_number"),
        "delivery_date": day,
        "delivery_band": _first(parcels, "shipping_delivery_time"),
    }


def _day(told: str | None, settings: MapSettings) -> date | None:
    """The day of an instant: as it is written where that is a midnight, else in the shop's zone."""
    try:
        found = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    if found.time() == time() or found.tzinfo is None:
        return found.date()
    return found.astimezone(settings.zone).date()


# --- people ----------------------------------------------------------------------------------


def _person(told: Fields) -> dict[str, str | None]:
    places = (told.node("Pref").text("name"), told.text("addr01"), told.text("addr02"))
    return {
        "name": people.spaced(people.name(told.text("name01")), people.name(told.text("name02"))),
        "kana": people.kana(people.spaced(told.text("kana01"), told.text("kana02"))),
        "phone": people.phone(told.text("phone_number")),
        "postal_code": told.text("postal_code"),
        "address": "".join(filter(None, places)) or None,
    }


def _buyer(told: Fields, settings: MapSettings, warnings: list[str]) -> Buyer:
    """Who ordered; a guest has no ``Customer``."""
    customer = told.node("Customer")
    member = customer.text("id")
    email, written = people.mail(told.text("email")), told.text("email")
    if email is None and written:
        warnings.append("bad_email")
    born = told.text("birth") or customer.text("birth")
    birthday = _day(born, settings)
    if born and birthday is None:
        warnings.append("bad_birthday")
    buyer = Buyer(
        member_id=None if member == "0" else member,
        email=email,
        email_is_relay=email is not None and people.is_relay(email),
        family_name=people.name(told.text("name01")),
        given_name=people.name(told.text("name02")),
        birthday=birthday,
        **_person(told),
    )
    if not (buyer.email or buyer.name or buyer.member_id):
        warnings.append("no_buyer")
    return buyer


def _recipient(parcel: Fields) -> Recipient | None:
    found = Recipient(**_person(parcel))
    return None if found == Recipient() else found
