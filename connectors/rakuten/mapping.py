"""One OrderModel of getOrder to an Order; pure, and the same as its rows in RMS's CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from connectors.contract import (
    Buyer,
    Line,
    Order,
    PaymentKind,
    RawOrder,
    Recipient,
)
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable, mapped
from connectors.kit.payment_kinds import payment_kind
from connectors.rakuten import standing

UNKNOWN_AMOUNT = "-9999"
"""What RMS writes for an amount that is not determined yet."""

_KINDS: Mapping[int, PaymentKind] = {
    1: PaymentKind.CARD,
    2: PaymentKind.COD,
    4: PaymentKind.CARD,
    7: PaymentKind.DEFERRED,
    8: PaymentKind.FREE,
    9: PaymentKind.PREPAYMENT,
    12: PaymentKind.CARD,
    13: PaymentKind.PREPAYMENT,
    14: PaymentKind.PREPAYMENT,
    16: PaymentKind.CARD,
    17: PaymentKind.CARD,
    21: PaymentKind.DEFERRED,
    27: PaymentKind.CARD,
}
"""settlementMethodCode; car loans (5) and leases (6) stay unknown: nobody told when they count."""

_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "shipping": ("postagePrice",),
    "fee": ("deliveryPrice", "paymentCharge", "additionalFeeOccurAmountToUser"),
    "discount": ("couponAllTotalPrice",),
    "tax": ("goodsTax",),  # answers of version 8 and later have none
    "total": ("requestPrice",),
}
_TEXTS: Mapping[str, str] = {
    "buyer_comment": "remarks",
    "subscription_number": "reserveNumber",
    "note": "memo",
}
_TERMS = {1: "午前中", 2: "午後", 9: "その他"}
_WRAPPINGS = {1: "包装紙", 2: "リボン"}
_ALWAYS = frozenset({"external_id", "number", "ordered_at", "time_unknown", "currency"})


def map_order(raw: RawOrder) -> Order:
    """Translate the payload. Raises BadRecord naming the field."""
    return mapped(raw, _order)


def _order(raw: RawOrder) -> Order:
    told = Fields(raw.payload, empty={UNKNOWN_AMOUNT})
    number, ordered_at = told.text("orderNumber"), told.moment("orderDatetime")
    if number is None or ordered_at is None:
        raise told.missing("orderNumber" if number is None else "orderDatetime")
    warnings: list[str] = []
    packages = [one for one in told.nodes("PackageModelList") if not one.flag("packageDeleteFlag")]
    found = _amounts(told, packages) | _words(told, packages) | _parcel(told, packages, warnings)
    found |= standing.states(told, found.get("shipped_at"), warnings) | _payment(told)
    buyer = _buyer(told.node("OrdererModel"), warnings)
    recipient = _recipient(packages, warnings)
    named = people.told("buyer", buyer) | people.told("recipient", recipient)
    if packages:
        found["lines"] = tuple(_lines(packages))
    return Order(
        external_id=number,
        number=number,
        ordered_at=ordered_at,
        currency="JPY",
        present=_ALWAYS.union(found, named),
        updated_at=standing.newest_event(told),
        buyer=buyer,
        recipient=recipient,
        warnings=tuple(warnings),
        **found,
    )


# --- money -----------------------------------------------------------------------------------


def _amounts(told: Fields, packages: list[Fields]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, sources in _AMOUNTS.items():
        if any(source in told for source in sources):
            found[name] = _sum(told.yen(source) for source in sources)
    if (found.get("total") or 0) < 0:
        raise Unreadable(
            "negative_total",
            "requestPrice",
            "requestPrice: the total is negative.",
            "「requestPrice」: 請求金額がマイナスです。",
        )
    if "goodsPrice" in told:
        found["subtotal"] = _subtotal(told, packages)
    if "PointModel" in told:
        found["points"] = told.node("PointModel").yen("usedPoint")
    return found


def _subtotal(told: Fields, packages: list[Fields]) -> int | None:
    """goodsPrice, or the goods with tax where some item's price stands without it."""
    goods = told.yen("goodsPrice")
    items = list(_items(packages))
    if goods is None or not any(item.whole("includeTaxFlag") == 0 for item in items):
        return goods
    prices = [(item.yen("priceTaxIncl"), item.whole("units") or 1) for item in items]
    wrapping = [told.node(f"WrappingModel{n}").yen("price") or 0 for n in (1, 2)]
    if any(price is None for price, _ in prices):
        return goods
    return sum((price or 0) * units for price, units in prices) + sum(wrapping)


def _sum(amounts: Iterable[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _payment(told: Fields) -> dict[str, Any]:
    if "SettlementModel" not in told:
        return {}
    settlement = told.node("SettlementModel")
    method = settlement.text("settlementMethod")
    kind = _KINDS.get(settlement.whole("settlementMethodCode") or 0)
    return {"payment_method": method, "payment_kind": kind or payment_kind(method or "")}


# --- goods and parcels -----------------------------------------------------------------------


def _items(packages: list[Fields]) -> Iterable[Fields]:
    for package in packages:
        yield from (i for i in package.nodes("ItemModelList") if not i.flag("deleteItemFlag"))


def _lines(packages: list[Fields]) -> Iterable[Line]:
    for item in _items(packages):
        sku = item.node("SkuModelList").text("merchantDefinedSkuId")
        sku = sku or item.text("itemNumber") or item.text("manageNumber")
        price = item.yen("priceTaxIncl")
        yield Line(
            name=item.text("itemName") or sku or "-",
            sku=sku,
            quantity=item.whole("units") or 1,
            unit_price=item.yen("price") if price is None else price,
        )


def _parcel(told: Fields, packages: list[Fields], warnings: list[str]) -> dict[str, Any]:
    """What the parcels tell. The report of shipping is an instant and comes before mere days."""
    parcels = [parcel for package in packages for parcel in package.nodes("ShippingModelList")]
    reported = told.moment("shippingCmplRptDatetime")
    days = [parcel.moment("shippingDate") for parcel in parcels]
    found: dict[str, Any] = {
        "shipped_at": reported or min((day for day in days if day), default=None)
    }
    for name, source in (("carrier", "deliveryCompanyName"), ("tracking_number", "shippingNumber")):
        if parcels:
            found[name] = next(filter(None, (one.text(source) for one in parcels)), None)
    if "deliveryDate" in told:
        found |= told.wish("deliveryDate", warnings)
    if "shippingTerm" in told:
        found["delivery_band"] = _band(told.whole("shippingTerm"))
    return found


def _band(term: int | None) -> str | None:
    """1416 is 14 to 16 o'clock; 0 and nothing mean that the buyer named no time."""
    if not term:
        return None
    if term in _TERMS:
        return _TERMS[term]
    begin, end = divmod(term, 100)
    return f"{begin}:00-{end}:00" if begin <= 24 and end <= 24 else str(term)


def _words(told: Fields, packages: list[Fields]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: told.text(source) for name, source in _TEXTS.items() if source in told
    }
    if "reserveDeliveryCount" in told:
        found["delivery_count"] = told.whole("reserveDeliveryCount")
    if "giftCheckFlag" in told:
        found["gift"] = told.flag("giftCheckFlag") or told.flag("socialGiftFlag")
    if packages:
        found["gift_wrap"] = packages[0].text("noshi") or _wrapping(told)
    if "CouponModelList" in told:
        found["coupon_code"] = _coupon(told.nodes("CouponModelList"))
    return found


def _wrapping(told: Fields) -> str | None:
    for model in (told.node("WrappingModel1"), told.node("WrappingModel2")):
        if found := model.text("name") or _WRAPPINGS.get(model.whole("title") or 0):
            return found
    return None


def _coupon(coupons: list[Fields]) -> str | None:
    """The shop's own coupon (capital code 1) before Rakuten's, as the CSV has them."""
    by_funder = sorted(coupons, key=lambda coupon: coupon.whole("couponCapitalCode") != 1)
    return next(filter(None, (coupon.text("couponCode") for coupon in by_funder)), None)


# --- people ----------------------------------------------------------------------------------


def _person(told: Fields) -> dict[str, str | None]:
    phones = (told.text(f"phoneNumber{n}") for n in (1, 2, 3))
    places = (told.text(name) for name in ("prefecture", "city", "subAddress"))
    return {
        "name": people.spaced(
            people.name(told.text("familyName")), people.name(told.text("firstName"))
        ),
        "kana": people.spaced(
            people.kana(told.text("familyNameKana")), people.kana(told.text("firstNameKana"))
        ),
        "phone": "-".join(filter(None, phones)) or None,
        "postal_code": "-".join(filter(None, (told.text("zipCode1"), told.text("zipCode2"))))
        or None,
        "address": "".join(filter(None, places)) or None,
    }


def _buyer(told: Fields, warnings: list[str]) -> Buyer:
    """The orderer. RMS gives no member number, and a masked address only."""
    email = people.mail(told.text("emailAddress"))
    if email is None and told.text("emailAddress"):
        warnings.append("bad_email")
    buyer = Buyer(
        email=email,
        email_is_relay=email is not None and people.is_relay(email),
        family_name=people.name(told.text("familyName")),
        given_name=people.name(told.text("firstName")),
        birthday=_birthday(told, warnings),
        **_person(told),
    )
    if buyer == Buyer():
        warnings.append("no_buyer")
    return buyer


def _birthday(told: Fields, warnings: list[str]) -> date | None:
    year, month, day = (told.whole(f"birth{part}") for part in ("Year", "Month", "Day"))
    if not year or not month or not day:
        return None
    try:
        return date(year, month, day)
    except ValueError:  # an order is not refused for a birthday
        warnings.append("bad_birthday")
        return None


def _recipient(packages: list[Fields], warnings: list[str]) -> Recipient | None:
    """Who receives the first parcel; a social gift that nobody answered yet names nobody."""
    told = packages[0].node("SenderModel") if packages else Fields({})
    if told.text("zipCode1") == "999" and told.text("zipCode2") == "9999":
        warnings.append("recipient_pending")
        return None
    found = Recipient(**_person(told))
    return None if found == Recipient() else found
