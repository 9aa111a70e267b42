"""The money of a cart, as far as the rows tell it without doubt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.kit.fields import Fields, Unreadable
from connectors.kit.money import BadMoney, exponent, parse_minor, unknown_currency
from connectors.qoo10.standing import PART_REFUNDED, Item

_CART_DISCOUNTS = ("CartDiscountSeller", "CartDiscountQoo10")
_FREE = "free"


class Unclear(Exception):
    """An amount stands in several rows, and nobody knows whether each tells a share of it."""


def currency_of(rows: Sequence[Fields], name: str) -> str:
    """The one currency of the rows. Raises Unreadable for several, or a word that is none."""
    codes = {code.upper() for row in rows if (code := row.text(name))} or {"JPY"}
    code = min(codes)
    try:
        exponent(code)
    except BadMoney as error:
        reason, reason_ja = unknown_currency(code)
        raise Unreadable(
            "bad_currency", name, f"{name}: {reason}", f"「{name}」: {reason_ja}"
        ) from error
    if len(codes) > 1:
        raise _bad_currency(name)
    return code


def money(row: Fields, name: str, currency: str) -> int | None:
    """An amount in minor units; the API writes yen with a fraction of zeros."""
    told = row.text(name)
    try:
        return parse_minor(told, currency) if told else None
    except BadMoney as error:
        raise Unreadable(
            "bad_money",
            name,
            f"{name}: This is not an exact amount: {error}.",
            f"「{name}」: 金額として読み取れません ({currency})。",
        ) from error


def amounts(
    items: Sequence[Item], currency: str, warnings: list[str], cart_amounts: str
) -> dict[str, Any]:
    """Amounts of the items that are not cancelled; each of them must have its row.

    ``cart_amounts``: ``rows`` where each row tells its own share of shipping and cart discounts,
    ``cart`` where each repeats the cart's, anything else: not known. The total is worked out.
    """
    rows = [item.row for item in items if item.row is not None]
    goods, off = (_needed(rows, name, currency) for name in ("Total", "Discount"))
    found: dict[str, Any] = {"subtotal": goods + off}
    try:
        shipping = _of_cart(rows, "ShippingRate", currency, cart_amounts)
        cart_off = sum(_of_cart(rows, name, currency, cart_amounts) for name in _CART_DISCOUNTS)
    except Unclear:
        warnings.append("amount_unclear")
        return found
    total = goods - cart_off + shipping
    if total < 0:
        raise Unreadable(
            "negative_total",
            "Total",
            "Total: the total is negative.",
            "「Total」: 合計金額がマイナスです。",
        )
    found |= {"shipping": shipping, "discount": off + cart_off, "total": total}
    if shipping or cart_off:
        warnings.append("total_computed")
    return found | _refunded(items, total, currency, warnings)


def _needed(rows: Sequence[Fields], name: str, currency: str) -> int:
    if name == "Total":
        missing = next((row for row in rows if row.text(name) is None), None)
        if missing:
            raise missing.missing(name)
    return sum(money(row, name, currency) or 0 for row in rows)


def _of_cart(rows: Sequence[Fields], name: str, currency: str, cart_amounts: str) -> int:
    told = [0 if _is_free(row, name) else money(row, name, currency) or 0 for row in rows]
    known = [amount for amount in told if amount]
    if cart_amounts == "rows" or len(known) <= 1:
        return sum(known)
    if cart_amounts == "cart" and len(set(known)) == 1:
        return known[0]
    raise Unclear(name)


def _is_free(row: Fields, name: str) -> bool:
    return name == "ShippingRate" and (row.text("ShippingRateType") or "").lower() == _FREE


def _refunded(
    items: Sequence[Item], total: int, currency: str, warnings: list[str]
) -> dict[str, Any]:
    """What came back: all of it, else the price of what was returned, else what a claim names."""
    if all(item.returned for item in items):
        return {"refunded": total}
    refunded = 0
    for item in items:
        if item.returned and item.row:
            refunded += money(item.row, "Total", currency) or 0
            warnings.append("refund_computed")
        elif PART_REFUNDED in item.claimed:
            told = [money(claim, "nrPartRefundBalance", currency) for claim in item.claims]
            refunded += sum(amount or 0 for amount in told)
            if not any(told):
                warnings.append("unknown_refund")
    return {"refunded": refunded}


def _bad_currency(name: str) -> Unreadable:
    return Unreadable(
        "bad_currency",
        name,
        f"{name}: not one currency code of three letters.",
        f"「{name}」: 通貨は JPY のような 3 文字の記号ひとつで書かれます。",
    )
