"""One order of the Orders API 2026-01-01 to an Order; pure, and without buyer or recipient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.contract import Fulfilment, Life, Line, Order, Payment, RawOrder
from connectors.kit.fields import Fields, Unreadable, mapped
from connectors.kit.money import BadMoney, parse_minor
from connectors.kit.payment_kinds import payment_kind

_STATES: Mapping[str, tuple[Payment, Fulfilment]] = {
    "PENDING_AVAILABILITY": (Payment.UNPAID, Fulfilment.UNSHIPPED),
    "PENDING": (Payment.UNPAID, Fulfilment.UNSHIPPED),
    "UNSHIPPED": (Payment.PAID, Fulfilment.UNSHIPPED),
    "PARTIALLY_SHIPPED": (Payment.PAID, Fulfilment.PART),
    "SHIPPED": (Payment.PAID, Fulfilment.SHIPPED),
}
_AMOUNTS: Mapping[str, tuple[str, ...]] = {
    "subtotal": ("ITEM",),
    "shipping": ("SHIPPING",),
    "fee": ("GIFT_WRAP", "COD_FEE"),
    "discount": ("DISCOUNT",),
    "tax": ("TAX",),
}
_KNOWN = frozenset({"OTHER", "DELIVERY_TIP"}.union(*_AMOUNTS.values()))
_REPLACEMENTS = frozenset({"REPLACEMENT_ORIGINAL_ID", "EXCHANGE_ORIGINAL_ID"})
_ALWAYS = frozenset({"external_id", "number", "ordered_at", "updated_at", "time_unknown"})


def map_order(raw: RawOrder) -> Order:
    """Translate one element of ``orders``. Raises BadRecord naming the field."""
    return mapped(raw, _order)


def _order(raw: RawOrder) -> Order:
    told = Fields(raw.payload)
    order_id, ordered_at = told.text("orderId"), told.moment("createdTime")
    if order_id is None or ordered_at is None:
        raise told.missing("orderId" if order_id is None else "createdTime")
    warnings: list[str] = []
    items = told.nodes("orderItems")
    currency = _currency(told, items)
    found = _states(told, items, warnings) | _shipped(told)
    found |= _amounts(told, items, currency, warnings) | _payment(told)
    if "orderItems" in told:
        found["lines"] = _lines(items, currency, found.get("life"))
    if wraps := [wrap for item in items if (wrap := _wrap(item))]:
        found["gift_wrap"] = ", ".join(dict.fromkeys(wraps))
    kinds = {one.text("associationType") for one in told.nodes("associatedOrders")}
    if kinds & _REPLACEMENTS:
        warnings.append("replacement_order")
    return Order(
        external_id=order_id,
        number=order_id,
        ordered_at=ordered_at,
        currency=currency,
        present=_ALWAYS.union(found, ("currency",)),
        updated_at=told.moment("lastUpdatedTime"),
        warnings=tuple(dict.fromkeys(warnings)),
        **found,
    )


# --- states ----------------------------------------------------------------------------------


def _states(told: Fields, items: Sequence[Fields], warnings: list[str]) -> dict[str, Any]:
    status = told.node("fulfillment").text("fulfillmentStatus")
    if status == "UNFULFILLABLE":
        raise Unreadable(
            "unfulfillable",
            "fulfillment.fulfillmentStatus",
            "Amazon cannot fulfil this order: look at it in Seller Central.",
            "Amazonが出荷できない注文です。セラーセントラルで確認してください。",
        )
    if status == "CANCELLED" or (items and all(map(_is_cancelled, items))):
        return {"life": Life.CANCELLED}
    if status is None or status not in _STATES:
        warnings.append("unknown_status")
        return {}
    payment, fulfilment = _STATES[status]
    if fulfilment is Fulfilment.SHIPPED and _is_delivered(told):
        fulfilment = Fulfilment.DELIVERED
    return {"life": Life.OPEN, "payment": payment, "fulfilment": fulfilment}


def _is_cancelled(item: Fields) -> bool:
    """Taken out of the order; what was sent nevertheless still belongs to it."""
    sent = item.node("fulfillment").whole("quantityFulfilled") or 0
    return "cancellationExecution" in item.node("cancellation") and sent <= 0


def _sent(told: Fields) -> list[Fields]:
    """The packages that were not taken back."""
    packages = told.nodes("packages")
    return [one for one in packages if _parcel(one) != "CANCELLED"]


def _parcel(package: Fields) -> str | None:
    return package.node("packageStatus").text("status")


def _is_delivered(told: Fields) -> bool:
    return {_parcel(one) for one in _sent(told)} == {"DELIVERED"}


def _shipped(told: Fields) -> dict[str, Any]:
    """When the last parcel left; Amazon's own warehouse does not tell it."""
    if told.node("fulfillment").text("fulfillmentStatus") != "SHIPPED":
        return {}
    times = [moment for one in _sent(told) if (moment := one.moment("shipTime"))]
    return {"shipped_at": max(times)} if times else {}


# --- money -----------------------------------------------------------------------------------


def _currency(told: Fields, items: Iterable[Fields]) -> str:
    """The order's one currency; a pending order holds no amount and is Japan's."""
    proceeds = told.node("proceeds")
    places = [proceeds.node("grandTotal")]
    places += [one.node("subtotal") for one in proceeds.nodes("breakdowns")]
    places += [one.node("paymentAmount") for one in _executions(told)]
    for item in items:
        places.append(item.node("product").node("price").node("unitPrice"))
        places += [one.node("subtotal") for one in item.node("proceeds").nodes("breakdowns")]
    return next((code for one in places if (code := one.text("currencyCode"))), "JPY")


def _money(told: Fields, field: str, currency: str) -> int | None:
    amount = told.text("amount")
    if amount is None:
        return None
    try:
        if told.text("currencyCode") not in {None, currency}:
            raise BadMoney("the order has two currencies")
        return parse_minor(amount, currency)
    except BadMoney as error:
        raise Unreadable(
            "bad_money",
            field,
            f"{field}: This is not an exact amount: {error}.",
            f"「{field}」: 金額として読み取れません。",
        ) from error


def _amounts(
    told: Fields, items: Sequence[Fields], currency: str, warnings: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    parts = told.node("proceeds").nodes("breakdowns")
    parts = parts or [one for item in items for one in item.node("proceeds").nodes("breakdowns")]
    if parts:
        sums: dict[str, int] = {}
        for one in parts:
            kind = one.text("type") or ""
            amount = _money(one.node("subtotal"), f"breakdowns.{kind}", currency)
            if amount is not None:
                sums[kind] = sums.get(kind, 0) + amount
        found = {name: _sum(sums, kinds) for name, kinds in _AMOUNTS.items()}
        if found["discount"] is not None:
            found["discount"] = abs(found["discount"])
        if sums.keys() - _KNOWN:
            warnings.append("unknown_amount")
    total = _total(told, currency, warnings)
    return found if total is None else found | {"total": total}


def _sum(sums: Mapping[str, int], kinds: Iterable[str]) -> int | None:
    known = [sums[kind] for kind in kinds if kind in sums]
    return sum(known) if known else None


def _total(told: Fields, currency: str, warnings: list[str]) -> int | None:
    """What was paid, else what the seller receives."""
    grand = _money(told.node("proceeds").node("grandTotal"), "proceeds.grandTotal", currency)
    amounts = [
        _money(one.node("paymentAmount"), "payment.paymentExecutions", currency)
        for one in _executions(told)
    ]
    known = [amount for amount in amounts if amount is not None]
    paid = sum(known) if known and len(known) == len(amounts) else None
    if paid is not None and grand is not None and paid != grand:
        warnings.append("total_differs")
    total = grand if paid is None else paid
    if (total or 0) < 0:
        raise Unreadable(
            "negative_total",
            "proceeds.grandTotal",
            "proceeds.grandTotal: the total is negative.",
            "「proceeds.grandTotal」: 合計金額がマイナスです。",
        )
    return total


def _executions(told: Fields) -> list[Fields]:
    return told.node("payment").nodes("paymentExecutions")


def _payment(told: Fields) -> dict[str, Any]:
    names = [name for one in _executions(told) if (name := one.text("paymentMethod"))]
    if not names:
        return {}
    method = ", ".join(dict.fromkeys(names))
    return {"payment_method": method, "payment_kind": payment_kind(method)}


# --- lines -----------------------------------------------------------------------------------


def _lines(items: Iterable[Fields], currency: str, life: Life | None) -> tuple[Line, ...]:
    """What is still ordered: cancelled items are left out, as in the seller's report."""
    if life is Life.CANCELLED:
        return ()
    return tuple(_line(item, currency) for item in items if not _is_cancelled(item))


def _line(item: Fields, currency: str) -> Line:
    product = item.node("product")
    sku = product.text("sellerSku") or product.text("asin")
    quantity = item.whole("quantityOrdered")
    parts = item.node("proceeds").nodes("breakdowns")
    goods = [one for one in parts if one.text("type") == "ITEM"]
    amounts = [_money(one.node("subtotal"), "orderItems.proceeds", currency) for one in goods]
    known = [amount for amount in amounts if amount is not None]
    return Line(
        name=product.text("title") or sku or "-",
        sku=sku,
        quantity=1 if quantity is None else quantity,
        unit_price=_money(product.node("price").node("unitPrice"), "orderItems.price", currency),
        amount=sum(known) if known else None,
    )


def _wrap(item: Fields) -> str | None:
    return item.node("fulfillment").node("packing").node("giftOption").text("giftWrapLevel")
