"""QSM's list of deliveries and the API tell the same sales alike."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Line, Order, RawOrder
from connectors.qoo10.mapping import map_order
from tests.connectors.csv_file.tables import orders
from tests.connectors.harness import NOW
from tests.connectors.qoo10.stub import Row, cart_of, order, stamp

_WORDS = {"1": "出荷待ち", "2": "配送要請", "3": "発注確認", "4": "配送中", "5": "配送完了"}
_COLUMNS = {
    "注文番号": "OrderNo", "カート番号": "PackNo", "配送会社": "DeliveryCompany",
    "送り状番号": "TrackingNo", "発送日": "ShippingDate", "注文日": "OrderDate",
    "入金日": "PaymentDate", "お届け希望日": "DesiredDeliveryDate", "配送完了日": "DeliveredDate",
    "商品番号": "ItemNo", "商品名": "ItemTitle", "数量": "OrderQty", "オプション情報": "Option",
    "受取人名": "Receiver", "受取人名(フリガナ)": "ReceiverKana", "受取人電話番号": "ReceiverTel",
    "受取人携帯電話番号": "ReceiverMobile", "住所": "ShippingAddress", "郵便番号": "ZipCode",
    "通貨": "Currency", "購入者名": "Buyer", "購入者名(フリガナ)": "BuyerKana",
    "配送要請事項": "ShippingMessage", "購入者電話番号": "BuyerTel",
    "購入者携帯電話番号": "BuyerMobile", "販売者商品コード": "SellerItemCode",
}  # fmt: skip
_AMOUNTS = {
    "販売価格": "OrderPrice",
    "割引額": "Discount",
    "注文金額の合計": "Total",
    "購入者決済金額": "Total",
}


def exported(row: Row) -> dict[str, Any]:
    """An order number as QSM's file writes it."""
    digit = row["ShippingStatus"][-2]
    cells = {column: row[name] for column, name in _COLUMNS.items()}
    cells |= {column: int(row[name]) for column, name in _AMOUNTS.items()}
    return {"配送状態": f"{_WORDS[digit]}({digit})"} | cells


def sales() -> dict[str, list[Row]]:
    """A cart of two, and one order number in each other status."""
    sent = {"ShippingDate": stamp(NOW), "DeliveryCompany": "ヤマト運輸", "TrackingNo": "4000-0000"}
    later = stamp(NOW + timedelta(days=1))
    rows = [
        order(10, NOW, 3, DesiredDeliveryDate="2026-12-24", ShippingMessage="のしを付けて"),
        order(11, NOW, 3, ItemTitle="湯呑", Option="", OrderQty=1, Discount=0.0, Total=1200.0,
              SellerItemCode=""),
        order(20, NOW, 1),
        order(30, NOW, 2, BuyerMobile="", BuyerTel="03-0000-0000", Buyer="Hanako"),
        order(40, NOW, 4, **sent),
        order(50, NOW, 5, **sent, DeliveredDate=later),
    ]  # fmt: skip
    carts: dict[str, list[Row]] = {}
    for row in rows:
        carts.setdefault(str(row["PackNo"]), []).append(row)
    return carts


def from_api(cart: str, rows: list[Row]) -> Order:
    return map_order(RawOrder(cart, {"Number": cart, "Orders": rows, "Claims": []}))


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Order]:
    rows = [exported(row) for cart in sales().values() for row in cart]
    path = tmp_path / "orders.csv"
    with path.open("w", encoding="cp932", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return {one.external_id: one for one in orders(path)}


def test_the_file_and_the_api_agree_on_every_field_that_both_tell(files: dict[str, Order]) -> None:
    assert sorted(files) == [cart_of(number) for number in (10, 20, 30, 40, 50)]
    needed = {"number", "ordered_at", "total", "subtotal", "discount", "life", "lines"}
    for cart, rows in sales().items():
        api, file = from_api(cart, rows), files[cart]
        assert needed | {"buyer.name", "buyer.phone", "recipient.address"} <= both(api, file)
        assert differences(api, file) == {}


def both(one: Order, other: Order) -> frozenset[str]:
    return one.present & other.present


def differences(one: Order, other: Order) -> dict[str, tuple[Any, Any]]:
    """Fields that both tell and tell differently; the file has no column for mail addresses."""
    pairs = {name: (_value(one, name), _value(other, name)) for name in sorted(both(one, other))}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _value(order: Order, name: str) -> Any:
    owner, _, field = name.rpartition(".")
    if owner:
        return getattr(getattr(order, owner), field, None)
    value = getattr(order, name)
    return tuple(map(_line, value)) if name == "lines" else value


def _line(line: Line) -> tuple[str, str | None, int, int | None, int | None]:
    return line.name, line.sku, line.quantity, line.unit_price, line.amount
