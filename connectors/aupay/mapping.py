"""One orderInfo to an Order; pure, and the same as its rows in Wow! manager's CSV."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.aupay.standing import Statuses, folded, states
from connectors.contract import Buyer, Life, Line, Order, RawOrder, Recipient
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable, mapped
from connectors.kit.payment_kinds import payment_kind

_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "subtotal": ("totalSalePrice",),
    "shipping": ("postagePrice",),
    "fee": ("chargePrice", "totalItemOptionPrice", "totalGiftWrappingPrice"),
    "discount": ("couponTotalPrice",),
    "points": ("usePoint", "useAuPointPrice"),
    "total": ("requestPrice",),
}
_TEXTS: Mapping[str, str] = {
    "carrier": "shippingCarrier",
    "tracking_number": "shippingNumber",
    "delivery_band": "deliveryRequestTime",
    "buyer_comment": "userComment",
    "note": "memo",
}
_GIFTS = ("giftMessage", "noshiPresenterName1", "noshiPresenterName2", "noshiPresenterName3")
_ALWAYS = frozenset({"external_id", "number", "ordered_at", "time_unknown", "currency"})
_CANCELLED = "c"
_DAY = 10
"""Letters of a date without a time."""


def map_order(raw: RawOrder, statuses: Statuses) -> Order:
    """Translate the payload. Raises BadRecord naming the field."""
    return mapped(raw, lambda one: _order(one, statuses))


def _order(raw: RawOrder, statuses: Statuses) -> Order:
    told = Fields(raw.payload)
    number, ordered_at = told.text("orderId"), told.moment("orderDate")
    if number is None or ordered_at is None:
        raise told.missing("orderId" if number is None else "orderDate")
    warnings: list[str] = []
    found = _moments(told)
    found |= states(told, found, statuses, warnings)
    if "cancelDate" in told:
        gone = found.get("life") is Life.CANCELLED
        found["cancelled_at"] = told.moment("cancelDate") if gone else None
    found |= _amounts(told) | _words(told, warnings) | _goods(told)
    buyer, recipient = _buyer(told, warnings), _recipient(told)
    named = people.told("buyer", buyer) | people.told("recipient", recipient)
    return Order(
        external_id=number,
        number=number,
        ordered_at=ordered_at,
        time_unknown=len(told.text("orderDate") or "") <= _DAY,
        currency="JPY",
        present=_ALWAYS.union(found, named),
        buyer=buyer,
        recipient=recipient,
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


# --- times, money, words ---------------------------------------------------------------------


def _moments(told: Fields) -> dict[str, Any]:
    """When it was paid and sent; both often days without a time: midnight in Japan."""
    return {
        "paid_at": told.moment("paymentDate"),
        "shipped_at": told.moment("shippingDate") or told.moment("shipDate"),
    }


def _amounts(told: Fields) -> dict[str, Any]:
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
    return found


def _sum(amounts: Iterable[int | None]) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _words(told: Fields, warnings: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: told.text(source) for name, source in _TEXTS.items() if source in told
    }
    if "deliveryRequestDay" in told:
        found |= told.wish("deliveryRequestDay", warnings)
    if "settlementName" in told:
        method = told.text("settlementName")
        found |= {"payment_method": method, "payment_kind": payment_kind(method or "")}
    return found


# --- goods and people ------------------------------------------------------------------------


def _goods(told: Fields) -> dict[str, Any]:
    """What was not cancelled, and whether any of it is wrapped or bears a giver's words."""
    if "detail" not in told:
        return {}
    details = told.nodes("detail")
    stands = [one for one in details if folded(one.text("itemCancelStatus") or "") != _CANCELLED]
    found: dict[str, Any] = {"lines": tuple(map(_line, stands))}
    if "totalGiftWrappingPrice" in told or any("giftMessage" in one for one in details):
        wrapped = bool(told.yen("totalGiftWrappingPrice"))
        found["gift"] = wrapped or any(one.text(name) for one in stands for name in _GIFTS)
    return found


def _line(detail: Fields) -> Line:
    sku = detail.text("itemCode") or detail.text("itemManagementId")
    quantity = detail.whole("unit")
    return Line(
        name=detail.text("itemName") or sku or "-",
        sku=sku,
        quantity=1 if quantity is None else quantity,
        unit_price=detail.yen("itemPrice"),
        amount=detail.yen("totalItemPrice"),
    )


def _person(told: Fields, prefix: str) -> dict[str, str | None]:
    phone = told.text(f"{prefix}PhoneNumber1") or told.text(f"{prefix}PhoneNumber2")
    return {
        "name": people.name(told.text(f"{prefix}Name")),
        "kana": people.kana(told.text(f"{prefix}Kana")),
        "phone": people.phone(phone),
        "postal_code": (told.text(f"{prefix}ZipCode") or "").removeprefix("〒").strip() or None,
        "address": told.text(f"{prefix}Address"),
    }


def _buyer(told: Fields, warnings: list[str]) -> Buyer:
    """Who ordered. Their address may be a mask: it is this channel's, and never matched."""
    email = people.mail(told.text("mailAddress"))
    if email is None and told.text("mailAddress"):
        warnings.append("bad_email")
    person = _person(told, "orderer")
    family, given = _two_names(person["name"])
    buyer = Buyer(
        email=email,
        email_is_relay=email is not None,
        family_name=family,
        given_name=given,
        **person,  # type: ignore[arg-type]
    )
    if buyer == Buyer():
        warnings.append("no_buyer")
    return buyer


def _two_names(name: str | None) -> tuple[str | None, str | None]:
    """Family and given name of a name that has one space."""
    parts = (name or "").split(" ")
    return (parts[0], parts[1]) if len(parts) == 2 else (None, None)


def _recipient(told: Fields) -> Recipient | None:
    """``sender`` is au PAY's word for who receives the parcel."""
    found = Recipient(**_person(told, "sender"))
    return None if found == Recipient() else found
