"""One order of BASE to an Order; pure, and the same as its rows in the CSVダウンロード App."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import (
    Buyer,
    Fulfilment,
    Life,
    Line,
    Order,
    Payment,
    PaymentKind,
    RawOrder,
    Recipient,
)
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable, mapped
from connectors.kit.payment_kinds import payment_kind
from connectors.thebase.listing import unix

_STATES: Mapping[str, dict[str, Any]] = {
    "unpaid": {"life": Life.OPEN, "payment": Payment.UNPAID, "fulfilment": Fulfilment.UNSHIPPED},
    "ordered": {"life": Life.OPEN, "payment": Payment.PAID, "fulfilment": Fulfilment.UNSHIPPED},
    "shipping": {"life": Life.OPEN, "payment": Payment.PAID, "fulfilment": Fulfilment.SHIPPED},
    "dispatched": {"life": Life.OPEN, "payment": Payment.PAID, "fulfilment": Fulfilment.SHIPPED},
}
_METHODS: Mapping[str, tuple[str, PaymentKind]] = {
    "creditcard": ("クレジットカード", PaymentKind.CARD),
    "cod": ("代金引換", PaymentKind.COD),
    "cvs": ("コンビニ決済", PaymentKind.PREPAYMENT),
    "base_bt": ("銀行振込", PaymentKind.PREPAYMENT),
    "bt": ("銀行振込", PaymentKind.PREPAYMENT),
    "atobarai": ("後払い", PaymentKind.DEFERRED),
    "carrier_01": ("キャリア決済 (ドコモ)", PaymentKind.CARD),
    "carrier_02": ("キャリア決済 (au)", PaymentKind.CARD),
    "carrier_03": ("キャリア決済 (ソフトバンク)", PaymentKind.CARD),
    "paypal": ("PayPal", PaymentKind.CARD),
    "amazon_pay": ("Amazon Pay", PaymentKind.CARD),
    "coin": ("コイン", PaymentKind.FREE),
}
_ATOBARAI = ("atobarai_payment_transaction", "atobarai_transaction")
_SKUS = ("variation_identifier", "item_identifier", "variation_id", "item_id")
"""The shop's own codes stand in newer answers only."""

_NO_ID = frozenset({None, "0"})
_ALWAYS = frozenset({"external_id", "number", "ordered_at", "time_unknown", "currency"})


def map_order(raw: RawOrder) -> Order:
    """Translate the object ``order`` of an answer. Raises BadRecord naming the field."""
    return mapped(raw, _order)


def _order(raw: RawOrder) -> Order:
    told = Fields(raw.payload)
    key, ordered_at = told.text("unique_key"), unix(told, "ordered")
    if key is None or ordered_at is None:
        raise told.missing("unique_key" if key is None else "ordered")
    warnings: list[str] = []
    items = [one for one in told.nodes("order_items") if one.text("status") != "cancelled"]
    found = _states(told, warnings) | _amounts(told, items) | _parcel(told, warnings)
    found |= _payment(told.text("payment"))
    if "order_items" in told:
        found["lines"] = tuple(map(_line, items))
    if subscription := told.node("subscription").text("unique_key"):
        found["subscription_number"] = subscription
    buyer, recipient = _buyer(told, warnings), _recipient(told.node("order_receiver"))
    named = people.told("buyer", buyer) | people.told("recipient", recipient)
    return Order(
        external_id=key,
        number=key,
        ordered_at=ordered_at,
        currency="JPY",
        present=_ALWAYS.union(found, named),
        updated_at=unix(told, "modified"),
        buyer=buyer,
        recipient=recipient,
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


# --- states and money ------------------------------------------------------------------------


def _states(told: Fields, warnings: list[str]) -> dict[str, Any]:
    status = told.text("dispatch_status")
    shipped_at, cancelled_at = unix(told, "dispatched"), unix(told, "cancelled")
    found: dict[str, Any] = {"shipped_at": shipped_at, "cancelled_at": cancelled_at}
    if status == "cancelled":
        return found | {"life": Life.CANCELLED}
    states = _STATES.get(status or "")
    if states is None:
        warnings.append("unknown_status")
        return found
    found |= states
    if any(told.node(name).text("status") == "arrived" for name in _ATOBARAI):
        found["fulfilment"] = Fulfilment.DELIVERED
    return found


def _amounts(told: Fields, items: list[Fields]) -> dict[str, Any]:
    total = told.yen("total")
    if total is None:
        raise told.missing("total")
    if total < 0:
        raise Unreadable(
            "negative_total",
            "total",
            "total: the total is negative.",
            "「total」: 合計金額がマイナスです。",
        )
    found: dict[str, Any] = {"total": total}
    if "shipping_fee" in told:
        parts = [told.yen("shipping_fee"), *(item.yen("shipping_fee") for item in items)]
        found["shipping"] = sum(amount or 0 for amount in parts)
    if "cod_fee" in told:
        adjusted = told.node("order_amount_adjustment").yen("adjusted_amount")
        found["fee"] = (told.yen("cod_fee") or 0) + (adjusted or 0)
    for name, node in (("discount", "order_discount"), ("points", "order_header_coin")):
        if node in told:
            found[name] = told.node(node).yen("discount") or 0
    amounts = [item.yen("total") for item in items]
    if "order_items" in told and None not in amounts:
        found["subtotal"] = sum(amount or 0 for amount in amounts)
    return found


def _payment(code: str | None) -> dict[str, Any]:
    """An unknown code is shown as it came; its kind by the usual words, else unknown."""
    method, kind = _METHODS.get(code or "", (code, payment_kind(code or "")))
    return {"payment_method": method, "payment_kind": kind}


def _line(item: Fields) -> Line:
    codes = (item.text(name) for name in _SKUS)
    sku = next((code for code in codes if code not in _NO_ID), None)
    quantity = item.whole("amount")
    return Line(
        name=people.spaced(item.text("title"), item.text("variation")) or sku or "-",
        sku=sku,
        quantity=1 if quantity is None else quantity,
        unit_price=item.yen("price"),
        amount=item.yen("total"),
    )


# --- parcel and people -----------------------------------------------------------------------


def _parcel(told: Fields, warnings: list[str]) -> dict[str, Any]:
    return {
        "tracking_number": told.text("tracking_number"),
        **told.wish("delivery_date", warnings),
        "delivery_band": told.text("delivery_time_zone"),
        "buyer_comment": told.text("remark"),
    }


def _person(told: Fields) -> dict[str, str | None]:
    places = (told.text(name) for name in ("prefecture", "address", "address2"))
    return {
        "name": people.spaced(
            people.name(told.text("last_name")), people.name(told.text("first_name"))
        ),
        "phone": people.phone(told.text("tel")),
        "postal_code": told.text("zip_code"),
        "address": "".join(filter(None, places)) or None,
    }


def _buyer(told: Fields, warnings: list[str]) -> Buyer:
    """Who pays, with an address of their own; BASE names no member.

    Orders that a sales partner brought tell little or nothing of the person.
    """
    email = people.mail(told.text("mail_address"))
    if email is None and told.text("mail_address"):
        warnings.append("bad_email")
    buyer = Buyer(
        email=email,
        email_is_relay=email is not None and people.is_relay(email),
        family_name=people.name(told.text("last_name")),
        given_name=people.name(told.text("first_name")),
        birthday=None,
        **_person(told),
    )
    if buyer == Buyer():
        warnings.append("no_buyer")
    return buyer


def _recipient(told: Fields) -> Recipient | None:
    found = Recipient(**_person(told))
    return None if found == Recipient() else found
