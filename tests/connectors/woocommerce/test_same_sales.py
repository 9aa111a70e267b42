"""A plugin's export and the API tell the same sales alike."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from connectors.contract import Order, RawOrder
from connectors.csv_file.files import load_profiles, map_raw
from connectors.woocommerce.mapping import map_order
from connectors.woocommerce.settings import MapSettings
from tests.connectors.csv_file.tables import raws
from tests.connectors.same_sales import differences
from tests.connectors.woocommerce.harness import modified
from tests.connectors.woocommerce.stub import line, row

_COLUMNS = {
    "Order ID": "id", "Order Number": "number", "Order Status": "status", "Currency": "currency",
    "Customer Note": "customer_note", "Payment Method Title": "payment_method_title",
    "Order Total Amount": "total",
}  # fmt: skip
_PERSON = {
    "First Name": "first_name", "Last Name": "last_name", "City": "city", "Postcode": "postcode",
    "Address 1&2": "address_1",
}  # fmt: skip


def exported(order: dict[str, Any]) -> dict[str, Any]:
    """The order as the usual export plugin writes it, amounts with tax."""
    cells = {column: order[name] for column, name in _COLUMNS.items()}
    for kind in ("billing", "shipping"):
        cells |= {f"{c} ({kind.title()})": order[kind][n] for c, n in _PERSON.items()}
        cells[f"State Name ({kind.title()})"] = {"JP13": "東京都", "JP01": "北海道"}.get(
            order[kind]["state"], ""
        )
    item = order["line_items"][0]
    return cells | {
        "Email (Billing)": order["billing"]["email"],
        "Phone (Billing)": order["billing"]["phone"],
        "Order Date": order["date_created"].replace("T", " "),
        "Paid Date": (order["date_paid"] or "").replace("T", " "),
        "Customer User ID": order["customer_id"],
        "Order Subtotal Amount": int(item["subtotal"]) + int(item["subtotal_tax"]),
        "Order Shipping Amount": int(order["shipping_total"]) + int(order["shipping_tax"]),
        "Cart Discount Amount": int(order["discount_total"]) + int(order["discount_tax"]),
        "Order Total Tax Amount": order["total_tax"],
        "Order Refund Amount": sum(-int(refund["total"]) for refund in order["refunds"]),
        "Coupon Code": ",".join(coupon["code"] for coupon in order["coupon_lines"]),
        "SKU": item["sku"],
        "Item Name": item["name"],
        "Quantity": item["quantity"],
        "Item Cost": item["price"],
    }


def sales() -> list[dict[str, Any]]:
    """A plain order, a refunded one of a member with a coupon, a gift, a cancelled one."""
    gift = {"first_name": "太郎", "last_name": "見本", "state": "JP01", "city": "札幌市",
            "address_1": "北1条", "postcode": "060-0001", "country": "JP"}  # fmt: skip
    return [
        row(501, modified(1), line_items=[line(501, price=1000)]),
        row(
            502, modified(2), status="completed", customer_id=26,
            line_items=[line(502, price=1000)], total="2280",
            payment_method="stripe", payment_method_title="クレジットカード",
            date_paid="2026-02-01T20:04:00", date_paid_gmt="2026-02-01T11:04:00",
            discount_total="200", discount_tax="20", refunds=[{"id": 9, "total": "-500"}],
            coupon_lines=[{"code": "th5-a1", "discount": "200", "discount_tax": "20"}],
        ),
        row(503, modified(3), shipping=gift, status="on-hold", line_items=[line(503, price=1000)],
            payment_method="bacs", payment_method_title="銀行振込", customer_note="熨斗を"),
        row(504, modified(4), status="cancelled", line_items=[line(504, price=1000)]),
    ]  # fmt: skip


def from_file(path: Path) -> dict[str, Order]:
    found = [map_raw(raw, load_profiles()) for raw in raws(path)]
    return {order.external_id: order for order in found}


def test_the_file_and_the_api_agree_on_every_field_that_both_tell(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    rows = [exported(order) for order in sales()]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    files = from_file(path)
    assert len(files) == 4
    for order in sales():
        told = map_order(RawOrder(str(order["id"]), order), MapSettings())
        assert differences(told, files[told.external_id]) == {}
