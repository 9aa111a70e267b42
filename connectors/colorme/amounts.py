"""The money of a sale: the shop decides whether goods stand with or without their tax."""

from __future__ import annotations

from typing import Any

from connectors.contract import Line
from connectors.kit import people
from connectors.kit.fields import Fields, Unreadable

_FEES = ("fee", "noshi_total_charge", "card_total_charge", "wrapping_total_charge")
_POINTS = ("point_discount", "gmo_point_discount")


def amounts(told: Fields, warnings: list[str]) -> dict[str, Any]:
    """The amounts of a sale that stands; ``total`` is told or the sale is refused."""
    total = told.yen("total_price")
    if total is None:
        raise told.missing("total_price")
    if total < 0:
        raise Unreadable(
            "negative_total",
            "total_price",
            "total_price: the total is negative.",
            "「total_price」: 注文総額がマイナスです。",
        )
    found: dict[str, Any] = {"total": total}
    found |= _summed(told, "shipping", ("delivery_total_charge",))
    found |= _summed(told, "fee", _FEES)
    found |= _summed(told, "discount", ("other_discount",))
    found |= _summed(told, "points", _POINTS)
    found |= _summed(told, "tax", ("tax",))
    return found | _subtotal(told, found, warnings)


def _summed(told: Fields, name: str, sources: tuple[str, ...]) -> dict[str, int]:
    if not any(source in told for source in sources):
        return {}
    return {name: sum(told.yen(source) or 0 for source in sources)}


def _subtotal(told: Fields, found: dict[str, Any], warnings: list[str]) -> dict[str, int]:
    """Goods with their tax: which of the two the shop writes shows by what makes the total."""
    goods = told.yen("product_total_price")
    if goods is None:
        return {}
    rest = found["total"] - sum(found.get(name, 0) for name in ("shipping", "fee"))
    rest += sum(found.get(name, 0) for name in ("discount", "points"))
    if rest not in (goods, goods + found.get("tax", 0)):
        warnings.append("total_differs")
        return {"subtotal": goods}
    return {"subtotal": rest}


def lines(told: Fields) -> dict[str, tuple[Line, ...]]:
    """The item lines, prices with tax where the sale tells them."""
    if "details" not in told:
        return {}
    return {"lines": tuple(_line(item) for item in told.nodes("details"))}


def _line(item: Fields) -> Line:
    """As it was named when it was ordered; the other names follow the goods' page of today."""
    sku = item.text("product_model_number") or item.text("product_id")
    options = (item.text(name) for name in ("option1_value", "option2_value"))
    name = item.text("pristine_product_full_name")
    name = name or people.spaced(item.text("product_name"), *options)
    quantity = item.whole("product_num")
    quantity = 1 if quantity is None else quantity
    with_tax = item.yen("price_with_tax")
    return Line(
        name=name or sku or "-",
        sku=sku,
        quantity=quantity,
        unit_price=item.yen("price") if with_tax is None else with_tax,
        amount=item.yen("subtotal_price") if with_tax is None else with_tax * quantity,
    )
