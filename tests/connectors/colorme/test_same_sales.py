"""The shop's file and the API tell the same sales alike, in the columns that are known."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pytest

from connectors.colorme.mapping import map_order
from connectors.contract import Order, RawOrder
from connectors.kit.fields import TOKYO
from tests.connectors.colorme.stub import (
    BANK,
    COD,
    METHODS,
    Row,
    cancelled,
    customer,
    detail,
    parcel,
    sale,
)
from tests.connectors.colorme.test_mapping import PLACED
from tests.connectors.csv_file.tables import orders
from tests.connectors.same_sales import differences

_PERSON = {"名前": "name", "郵便番号": "postal", "電話番号": "tel"}
_NAMES = {str(method["id"]): method["name"] for method in METHODS}


def exported(row: Row) -> list[Row]:
    """The sale in the columns of the profile, one row for each of its lines."""
    buyer, to = row["customer"], row["sale_deliveries"][0]
    placed = datetime.fromtimestamp(row["make_date"], TOKYO)
    head: Row = {
        "売上ID": row["id"],
        "受注日": f"{placed:%Y/%m/%d}",
        "受注日時": f"{placed:%Y-%m-%d %H:%M:%S}",
        "購入者 顧客ID": buyer["id"],
        **{f"購入者 {column}": buyer[name] for column, name in _PERSON.items()},
        "購入者 フリガナ": buyer["furigana"],
        "購入者 メールアドレス": buyer["mail"],
        "購入者 生年月日": buyer["birthday"],
        "購入者 都道府県": buyer["pref_name"],
        "購入者 住所1": buyer["address1"],
        "購入者 住所2": buyer["address2"],
        "メルマガ受信": "1" if buyer["receive_mail_magazine"] else "0",
        "決済方法": _NAMES[str(row["payment_id"])],
        "送料合計": row["delivery_total_charge"],
        "決済手数料": row["fee"],
        "メッセージカード手数料合計": row["card_total_charge"],
        "割引金額": row["other_discount"],
        "ポイント割引": row["point_discount"] + row["gmo_point_discount"],
        "商品合計金額": row["product_total_price"],
        "総合計金額": row["total_price"],
        "入金状態": "入金済み" if row["paid"] else "未入金",
        "発送状態": "発送済み" if row["delivered"] else "未発送",
        "受注状態": "キャンセル" if row["canceled"] else "通常",
        "配送先 名前": to["name"],
        "配送先 フリガナ": to["furigana"],
        "配送先 郵便番号": to["postal"],
        "配送先 都道府県名": to["pref_name"],
        "配送先 住所": to["address1"],
        "配送先 電話番号": to["tel"],
        "配送先 伝票番号": to["slip_number"] or "",
        "配送希望日": to["preferred_date"] or "指定なし",
        "配送希望時間": to["preferred_period"] or "",
        "備考": row["memo"] or "",
    }
    return [
        head
        | {"購入商品 商品ID": item["product_id"], "購入商品 型番": item["product_model_number"]}
        | {"購入商品 商品名": item["product_name"], "購入商品 小計": item["subtotal_price"]}
        | {"購入商品 販売価格(消費税込)": item["price_with_tax"]}
        | {"購入商品 販売個数": item["product_num"]}
        for item in row["details"]
    ]


def as_file(row: Row, folder: Path) -> Order:
    """The sale as a file of the shop, read again."""
    path, rows = folder / "sales_all.csv", exported(row)
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (found,) = orders(path)
    return found


def as_answer(row: Row) -> Order:
    method = next(one for one in METHODS if one["id"] == row["payment_id"])
    return map_order(RawOrder(str(row["id"]), row | {"payment": method}))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"paid": False, "payment_id": BANK},
        {"payment_id": COD, "fee": 300, "total_price": 3010, "memo": "熨斗を"},
        {"delivered": True, "sale_deliveries": [parcel(7, delivered=True, slip_number="4000")]},
        {"sale_deliveries": [parcel(7, preferred_date="2026-02-06", preferred_period="午前中")]},
        {"details": [detail(7), detail(8, product_model_number="", product_num=1)]},
        {"customer": customer(receive_mail_magazine=False, birthday=None)},
        {"point_discount": 60, "gmo_point_discount": 40, "total_price": 2610},
    ],
)
def test_the_file_of_the_same_sale_gives_the_same_order(changes: Row, tmp_path: Path) -> None:
    row = sale(7, PLACED, **changes)
    from_api, from_file = as_answer(row), as_file(row, tmp_path)
    assert differences(from_api, from_file) == {}
    assert len(from_api.present & from_file.present) > 32


def test_a_cancelled_sale_is_cancelled_in_both(tmp_path: Path) -> None:
    row = sale(7, PLACED)
    row |= cancelled(row)
    from_api, from_file = as_answer(row), as_file(row, tmp_path)
    assert (from_api.life, from_api.external_id) == (from_file.life, from_file.external_id)
    assert from_api.buyer.email == from_file.buyer.email
