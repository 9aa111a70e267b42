"""One answer of orderInfo to an Order; pure, and the same as its rows in the store's CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.contract import Buyer, Line, Order, PaymentKind, RawOrder, Recipient
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable, mapped
from connectors.kit.payment_kinds import payment_kind
from connectors.yahoo.standing import states

_METHODS: Mapping[str, PaymentKind] = {
    **dict.fromkeys(("a1", "a8", "a9", "a10", "a11", "a16", "a17", "a19"), PaymentKind.CARD),
    **dict.fromkeys(("a6", "a7", "a15", "b1", "c1", "c2", "c3"), PaymentKind.PREPAYMENT),
    "d1": PaymentKind.COD,
    "z1": PaymentKind.FREE,
}
"""PayMethod without ``payment_``; wallets and carriers are charged at once, like cards."""

_KINDS: Mapping[int, PaymentKind] = {
    0: PaymentKind.CARD,
    1: PaymentKind.PREPAYMENT,
    2: PaymentKind.CARD,
    3: PaymentKind.PREPAYMENT,
    4: PaymentKind.COD,
    5: PaymentKind.PREPAYMENT,
    6: PaymentKind.CARD,
}
"""PayKind, for methods that no list names."""

_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "shipping": ("ShipCharge",),
    "fee": ("PayCharge", "GiftWrapCharge", "Adjustments"),
    "discount": ("Discount", "TotalMallCouponDiscount"),
    "points": ("UsePoint", "GiftCardDiscount"),
    "total": ("TotalPrice",),
}
_ALWAYS = frozenset({"external_id", "number", "ordered_at", "time_unknown", "currency"})
_SOCIAL_GIFTS = frozenset({1, 2})


def external_id(seller_id: str, order_id: str) -> str:
    """``seller-number``, whichever of the two forms the source wrote."""
    prefix = f"{seller_id}-"
    return order_id if order_id.startswith(prefix) else prefix + order_id


def map_order(raw: RawOrder, *, hold_merged: bool = False) -> Order:
    """Translate ``{"SellerId": …, "OrderInfo": …}``. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, hold_merged))


def _order(raw: RawOrder, hold_merged: bool) -> Order:
    told = Fields(raw.payload).node("OrderInfo")
    seller = str(raw.payload.get("SellerId") or "")
    order_id, ordered_at = told.text("OrderId"), told.moment("OrderTime")
    if order_id is None or ordered_at is None:
        raise told.missing("OrderId" if order_id is None else "OrderTime")
    warnings: list[str] = []
    name = external_id(seller, order_id)
    found = _moments(told)
    found |= states(told, found, warnings, hold_merged=hold_merged)
    found |= _amounts(told.node("Detail")) | _payment(told.node("Pay")) | _parcel(told, warnings)
    if "Item" in told:
        items = told.nodes("Item")
        found |= {"lines": tuple(map(_line, items)), "subtotal": _subtotal(items)}
    if told.flag("IsSplit"):
        warnings.append("split_order")
    buyer, recipient = _buyer(told.node("Pay"), warnings), _recipient(told.node("Ship"))
    named = people.told("buyer", buyer) | people.told("recipient", recipient)
    return Order(
        external_id=name,
        number=name.removeprefix(f"{seller}-"),
        ordered_at=ordered_at,
        currency="JPY",
        present=_ALWAYS.union(found, named),
        updated_at=told.moment("LastUpdateTime"),
        buyer=buyer,
        recipient=recipient,
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


# --- money and times -------------------------------------------------------------------------


def _moments(told: Fields) -> dict[str, Any]:
    """Days without a time, as midnight in Japan."""
    pay, ship = told.node("Pay"), told.node("Ship")
    return {
        "paid_at": pay.moment("PayDate"),
        "shipped_at": ship.moment("ShipDate"),
        "delivered_at": ship.moment("ArrivalDate"),
    }


def _amounts(detail: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, sources in _AMOUNTS.items():
        if any(source in detail for source in sources):
            found[name] = _sum(detail.yen(source) for source in sources)
    if (found.get("total") or 0) < 0:
        raise Unreadable(
            "negative_total",
            "Detail.TotalPrice",
            "Detail.TotalPrice: the total is negative.",
            "「Detail.TotalPrice」: 合計金額がマイナスです。",
        )
    return found


def _sum(amounts: Iterable[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _payment(pay: Fields) -> dict[str, Any]:
    code = pay.text("PayMethod") or ""
    method = pay.text("PayMethodName") or code or None
    kind = _METHODS.get(code.removeprefix("payment_")) or payment_kind(method or "")
    if kind is PaymentKind.UNKNOWN:
        kind = _KINDS.get(-1 if (told := pay.whole("PayKind")) is None else told, kind)
    return {"payment_method": method, "payment_kind": kind}


def _line(item: Fields) -> Line:
    sku = item.text("SubCode") or item.text("ItemId")
    quantity = item.whole("Quantity")  # 0 where a cancel took the line out
    return Line(
        name=item.text("Title") or sku or "-",
        sku=sku,
        quantity=1 if quantity is None else quantity,
        unit_price=item.yen("UnitPrice"),
    )


def _subtotal(items: list[Fields]) -> int | None:
    """Prices are with tax and less the store's coupon already."""
    lines = [(item.yen("UnitPrice"), item.whole("Quantity")) for item in items]
    if any(price is None or count is None for price, count in lines):
        return None
    return sum((price or 0) * (count or 0) for price, count in lines)


# --- parcel and people -----------------------------------------------------------------------


def _parcel(told: Fields, warnings: list[str]) -> dict[str, Any]:
    ship = told.node("Ship")
    gift = told.whole("SocialGiftType") in _SOCIAL_GIFTS or ship.flag("NeedGiftWrap")
    return {
        "carrier": ship.text("ShipMethodName"),
        "tracking_number": ship.text("ShipInvoiceNumber1") or ship.text("ShipInvoiceNumber2"),
        **ship.wish("ShipRequestDate", warnings),
        "delivery_band": ship.text("ShipRequestTime"),
        "buyer_comment": told.text("BuyerComments"),
        "gift": gift,
        "gift_wrap": ship.text("GiftWrapName") or ship.text("GiftWrapMessage"),
    }


def _person(told: Fields, prefix: str) -> dict[str, str | None]:
    def text(name: str) -> str | None:
        return told.text(prefix + name)

    places = (text(name) for name in ("Prefecture", "City", "Address1", "Address2"))
    return {
        "name": people.spaced(people.name(text("LastName")), people.name(text("FirstName"))),
        "kana": people.spaced(
            people.kana(text("LastNameKana")), people.kana(text("FirstNameKana"))
        ),
        "phone": people.phone(text("PhoneNumber")),
        "postal_code": text("ZipCode"),
        "address": "".join(filter(None, places)) or None,
    }


def _buyer(pay: Fields, warnings: list[str]) -> Buyer:
    """Who pays. No Yahoo! JAPAN ID is told; the address is the buyer's own."""
    email = people.mail(pay.text("BillMailAddress"))
    if email is None and pay.text("BillMailAddress"):
        warnings.append("bad_email")
    buyer = Buyer(
        email=email,
        email_is_relay=email is not None and people.is_relay(email),
        family_name=people.name(pay.text("BillLastName")),
        given_name=people.name(pay.text("BillFirstName")),
        birthday=None,
        **_person(pay, "Bill"),
    )
    if buyer == Buyer():
        warnings.append("no_buyer")
    return buyer


def _recipient(ship: Fields) -> Recipient | None:
    found = Recipient(**_person(ship, "Ship"))
    return None if found == Recipient() else found
