"""The all-orders report and the API tell the same sales alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.amazon.keeping import kept
from connectors.amazon.mapping import map_order
from connectors.contract import Line, Order, RawOrder
from tests.connectors.amazon.stub import item, order, order_id, parts, yen
from tests.connectors.csv_file.tables import orders
from tests.connectors.harness import NOW

_STATUSES = {
    "PENDING": "Pending",
    "UNSHIPPED": "Unshipped",
    "SHIPPED": "Shipped",
    "CANCELLED": "Cancelled",
}
_COLUMNS = {
    "ITEM": "item-price",
    "SHIPPING": "shipping-price",
    "GIFT_WRAP": "gift-wrap-price",
    "DISCOUNT": "item-promotion-discount",
    "TAX": "item-tax",
}


def reported(told: dict[str, Any]) -> list[dict[str, str]]:
    """The order as the report writes it: a row for each item."""
    status = _STATUSES[told["fulfillment"]["fulfillmentStatus"]]
    rows = []
    for one in told["orderItems"]:
        gone = status == "Cancelled" or "cancellation" in one
        amounts = {
            _COLUMNS[part["type"]]: part["subtotal"]["amount"]
            for part in one.get("proceeds", {}).get("breakdowns", ())
        }
        rows.append(
            {
                "amazon-order-id": told["orderId"],
                "purchase-date": told["createdTime"].replace("Z", "+00:00"),
                "last-updated-date": told["lastUpdatedTime"].replace("Z", "+00:00"),
                "order-status": status,
                "fulfillment-channel": "Merchant",
                "product-name": one["product"]["title"],
                "sku": one["product"]["sellerSku"],
                "item-status": "Cancelled" if gone else status,
                "quantity": str(one["quantityOrdered"]),
                "currency": "JPY" if amounts else "",
                "ship-city": "渋谷区",
            }
            | dict.fromkeys((*_COLUMNS.values(), "ship-promotion-discount"), "")
            | amounts
        )
    return rows


def goods(name: str, proceeds: dict[str, int], **changes: Any) -> dict[str, Any]:
    """An item with its own share of the money."""
    product = {"asin": "B0", "title": name, "sellerSku": name}
    return item(product=product, proceeds={"breakdowns": parts(**proceeds)}, **changes)


def sales() -> list[dict[str, Any]]:
    """A plain order, one of two items with a discount, one part cancelled, pending, cancelled."""
    two = [
        goods("cup", {"ITEM": 3000, "SHIPPING": 400, "TAX": 272}),
        goods("tea", {"ITEM": 1000, "GIFT_WRAP": 100, "DISCOUNT": -200}),
    ]
    gone = {"cancellationExecution": {"cancelledBy": "SELLER"}}
    part = [goods("cup", {"ITEM": 3000}), goods("tea", {}, cancellation=gone)]
    bare = [goods("cup", {})]
    return [
        order(1, NOW),
        order(2, NOW, "SHIPPED", orderItems=two, proceeds={"grandTotal": yen(4300)}, payment={}),
        order(3, NOW, orderItems=part, proceeds={"grandTotal": yen(3000)}, payment={}),
        order(4, NOW, "PENDING", orderItems=bare, proceeds={}, payment={}),
        order(5, NOW, "CANCELLED", orderItems=bare, proceeds={}, payment={}),
    ]


def test_the_report_and_the_api_agree_on_every_field_that_both_tell(tmp_path: Path) -> None:
    rows = [row for told in sales() for row in reported(told)]
    lines = ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]
    path = tmp_path / "orders.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    files = {one.external_id: one for one in orders(path)}
    assert sorted(files) == [order_id(n) for n in range(1, 6)]
    for told in sales():
        one = map_order(RawOrder(told["orderId"], kept(told)))
        assert differences(one, files[one.external_id]) == {}
        assert {"life", "lines", "ordered_at", "updated_at"} <= one.present
    assert [files[order_id(n)].total for n in (1, 2, 3)] == [2400, 4300, 3000]


def differences(one: Order, other: Order) -> dict[str, tuple[Any, Any]]:
    both = sorted(one.present & other.present | {"external_id", "buyer", "recipient"})
    pairs = {name: (_value(one, name), _value(other, name)) for name in both}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _value(order: Order, name: str) -> Any:
    value = getattr(order, name)
    return tuple(map(_line, value)) if name == "lines" else value


def _line(line: Line) -> tuple[str, str | None, int, int | None]:
    """Unit prices stand in the API only."""
    return line.name, line.sku, line.quantity, line.amount
