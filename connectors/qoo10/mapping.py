"""One cart to an Order; pure, and the same as its rows in QSM's list of deliveries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors.contract import Buyer, Line, Order, RawOrder, Recipient
from connectors.kit import people
from connectors.kit.fields import Fields, mapped
from connectors.kit.payment_kinds import payment_kind
from connectors.qoo10.amounts import amounts, currency_of, money
from connectors.qoo10.standing import Item, states

_ALWAYS = frozenset({"external_id", "number", "ordered_at", "time_unknown", "currency"})
_MOMENTS: Mapping[str, tuple[str, str]] = {
    "paid_at": ("PaymentDate", "PaymentDate"),
    "shipped_at": ("ShippingDate", "shippingDate"),
    "delivered_at": ("DeliveredDate", "DeliveredDate"),
}
"""Field of the order to its names in a row and in a claim."""


def map_order(raw: RawOrder, *, cart_amounts: str = "") -> Order:
    """Translate the rows of a cart. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, cart_amounts))


def _order(raw: RawOrder, cart_amounts: str) -> Order:
    told = Fields(raw.payload)
    orders, claims = told.nodes("Orders"), told.nodes("Claims")
    items = _items(orders, claims)
    standing = [item for item in items if not item.cancelled]
    warnings: list[str] = []
    currency = currency_of(orders, "Currency") if orders else currency_of(claims, "currency")
    found = states(items, warnings) | _moments(items)
    if standing and all(item.row for item in standing):
        found |= amounts(standing, currency, warnings, cart_amounts)
        found["lines"] = tuple(_line(item.row, currency) for item in standing if item.row)
    if orders:
        found |= _parcel(orders, warnings) | _payment(orders)
    buyer, recipient = _buyer(orders, claims, warnings), _recipient(orders, claims)
    named = people.told("buyer", buyer) | people.told("recipient", recipient)
    return Order(
        external_id=raw.external_id,
        number=raw.external_id,
        ordered_at=_ordered_at(items),
        currency=currency,
        present=_ALWAYS.union(found, named),
        buyer=buyer,
        recipient=recipient,
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


def _items(orders: Sequence[Fields], claims: Sequence[Fields]) -> list[Item]:
    """The order numbers of the cart, each with what is told of it."""
    rows: dict[str, Fields | None] = {}
    of: dict[str, list[Fields]] = {}
    for row in orders:
        number = row.text("OrderNo")
        if number is None:
            raise row.missing("OrderNo")
        rows[number] = row
    for claim in claims:
        number = claim.text("orderNo")
        if number is None:
            raise claim.missing("orderNo")
        rows.setdefault(number, None)
        of.setdefault(number, []).append(claim)
    return [Item(row, tuple(of.get(number, ()))) for number, row in rows.items()]


# --- times and goods -------------------------------------------------------------------------


def _ordered_at(items: Sequence[Item]) -> datetime:
    placed = [item.moment("OrderDate", "orderDate") for item in items]
    known = [moment for moment in placed if moment]
    if not known:
        raise (items[0].row or items[0].claims[0]).missing("OrderDate")
    return min(known)


def _moments(items: Sequence[Item]) -> dict[str, datetime | None]:
    """The first time that is told of each event; delivered is the last, once all are."""
    found: dict[str, datetime | None] = {}
    for name, fields in _MOMENTS.items():
        times = [moment for item in items if (moment := item.moment(*fields))]
        found[name] = min(times, default=None)
        if name == "delivered_at":
            found[name] = max(times) if times and len(times) == len(items) else None
    return found


def _line(row: Fields, currency: str) -> Line:
    sku = row.text("SellerItemCode") or row.text("ItemNo")
    quantity = row.whole("OrderQty")
    return Line(
        name=people.spaced(row.text("ItemTitle"), row.text("Option")) or sku or "-",
        sku=sku,
        quantity=1 if quantity is None else quantity,
        unit_price=money(row, "OrderPrice", currency),
        amount=money(row, "Total", currency),
    )


def _parcel(orders: Sequence[Fields], warnings: list[str]) -> dict[str, Any]:
    return {
        "carrier": _first(orders, "DeliveryCompany"),
        "tracking_number": _first(orders, "TrackingNo"),
        "buyer_comment": _first(orders, "ShippingMessage"),
        **next((row for row in orders if row.text("DesiredDeliveryDate")), orders[0]).wish(
            "DesiredDeliveryDate", warnings
        ),
    }


def _payment(orders: Sequence[Fields]) -> dict[str, Any]:
    method = _first(orders, "PaymentMethod")
    if method is None:
        return {}
    return {"payment_method": method, "payment_kind": payment_kind(method)}


def _first(rows: Sequence[Fields], *names: str) -> str | None:
    """The first cell that is told, row by row of each name."""
    return next((told for name in names for row in rows if (told := row.text(name))), None)


# --- people ----------------------------------------------------------------------------------

Read = Callable[[str, str], str | None]
"""Reads a field by its name in a row of orders, else by its name in a claim."""


def _reader(orders: Sequence[Fields], claims: Sequence[Fields]) -> Read:
    return lambda name, in_claims: _first(orders, name) or _first(claims, in_claims)


def _buyer(orders: Sequence[Fields], claims: Sequence[Fields], warnings: list[str]) -> Buyer:
    """Who ordered. Their address is used for this channel only: it may be Qoo10's mask."""
    read = _reader(orders, claims)
    told = _first(orders, "BuyerEmail")
    email = people.mail(told)
    if email is None and told:
        warnings.append("bad_email")
    name = people.name(read("Buyer", "buyer"))
    parts = (name or "").split(" ")
    family, given = parts if len(parts) == 2 else (None, None)
    buyer = Buyer(
        email=email,
        email_is_relay=email is not None,
        name=name,
        family_name=family,
        given_name=given,
        kana=people.kana(_first(orders, "BuyerKana")),
        phone=_phone(read("BuyerMobile", "buyerMobile"), read("BuyerTel", "buyerTel")),
    )
    if buyer == Buyer():
        warnings.append("no_buyer")
    return buyer


def _recipient(orders: Sequence[Fields], claims: Sequence[Fields]) -> Recipient | None:
    """Who receives the parcel; their address is the only one that Qoo10 tells."""
    read = _reader(orders, claims)
    parts = (_first(orders, "Address1"), _first(orders, "Address2"))
    found = Recipient(
        name=people.name(read("Receiver", "receiver")),
        kana=people.kana(_first(orders, "ReceiverKana")),
        phone=_phone(read("ReceiverMobile", "receiverMobile"), read("ReceiverTel", "receiverTel")),
        postal_code=(_first(orders, "ZipCode") or "").lstrip("'") or None,
        address=_first(orders, "ShippingAddress") or "".join(filter(None, parts)) or None,
    )
    return None if found == Recipient() else found


def _phone(*told: str | None) -> str | None:
    """The first that holds a digit; bare hyphens stand where none was given."""
    for number in told:
        bare = (number or "").lstrip("'")
        if any(sign.isdigit() for sign in bare):
            return people.phone(bare)
    return None
