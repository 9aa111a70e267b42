"""The shop's 受注CSV and its API tell the same sales alike."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import RawOrder
from connectors.csv_file.files import map_raw
from connectors.eccube4.mapping import map_order
from connectors.eccube4.settings import MapSettings
from tests.connectors.csv_file.tables import PROFILES, SAMPLES, raws
from tests.connectors.eccube4.stub import Row, item, order, parcel, stamp
from tests.connectors.same_sales import differences

PLACED = datetime(2026, 2, 1, 2, 35, 52, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 1, tzinfo=UTC)
_PARCEL_FEE = "送料#2"
"""The header 送料 stands twice: the order's, then the parcel's."""


def local(text: str | None) -> str:
    """As the file writes a time: the shop's zone, no offset."""
    return text[:19].replace("T", " ") if text else ""


def money(value: float) -> str:
    return f"{value:.2f}"


def person(told: Row, before: str = "") -> dict[str, str]:
    pref = told["Pref"]
    found = {
        "お名前(姓)": told["name01"], "お名前(名)": told["name02"],
        "お名前(セイ)": told["kana01"], "お名前(メイ)": told["kana02"],
        "郵便番号": told["postal_code"], "都道府県(ID)": pref["id"],
        "都道府県(名称)": pref["name"], "住所1": told["addr01"], "住所2": told["addr02"],
        "TEL": told["phone_number"],
    }  # fmt: skip
    return {before + name: value for name, value in found.items()}


def exported(node: Row) -> list[dict[str, str]]:
    """The order as 受注管理 > CSVダウンロード writes it: a row for each item of each kind."""
    box = node["Shippings"][0]
    customer = node["Customer"] or {"id": ""}
    common = person(node) | person(box, "配送先_") | {
        "注文ID": node["id"], "注文番号": node["order_no"], "会員ID": customer["id"],
        "メールアドレス": node["email"], "誕生日": local(node["birth"]),
        "ショップ用メモ欄": node["note"] or "", "小計": money(node["subtotal"]),
        "値引き": money(node["discount"]), "送料": money(node["delivery_fee_total"]),
        "税金": money(node["tax"]), "合計": money(node["total"]),
        "支払合計": money(node["payment_total"]), "対応状況(ID)": node["OrderStatus"]["id"],
        "対応状況(名称)": node["OrderStatus"]["name"], "支払方法(名称)": node["payment_method"],
        "受注日": local(node["order_date"]), "入金日": local(node["payment_date"]),
        "配送業者(名称)": box["shipping_delivery_name"],
        "お届け時間(名称)": box["shipping_delivery_time"],
        "お届け希望日": local(box["shipping_delivery_date"]), _PARCEL_FEE: "500.00",
        "発送日": local(box["shipping_date"]), "出荷伝票番号": box["tracking_number"] or "",
    }  # fmt: skip
    return [common | row(one) for one in node["OrderItems"]]


def row(one: Row) -> dict[str, str]:
    kind = one["OrderItemType"]
    return {
        "注文詳細ID": one["id"], "商品名": one["product_name"],
        "商品コード": one["product_code"] or "", "価格": money(one["price"]),
        "個数": str(one["quantity"]), "明細区分(ID)": kind["id"], "明細区分(名称)": kind["name"],
    }  # fmt: skip


def sale(number: int, state: str, box: dict[str, Any] | None = None, **changes: Any) -> Row:
    return order(
        number, PLACED, state, Shippings=[parcel(10 * number, PLACED, **(box or {}))], **changes
    )


def sales() -> list[Row]:
    """Plain, sent, cancelled and returned orders, a guest's, and one of several lines."""
    wish = {"shipping_delivery_date": "2026-02-06T00:00:00+09:00", "tracking_number": "40-00"}
    several = [item(81), item(82, product_name="湯呑 表ソ能", product_code=None, quantity=1)]
    return [
        sale(1, "1"),
        sale(2, "5", {"shipping_date": stamp(LATER)} | wish, payment_date=stamp(LATER)),
        sale(3, "3", payment_date=stamp(LATER)),
        sale(4, "9", {"shipping_date": stamp(LATER)}),
        sale(5, "6", Customer=None, birth=None, note="要電話", payment_method="銀行振込"),
        sale(6, "4", payment_date=stamp(LATER), payment_method="代金引換"),
        sale(7, "4", {"shipping_date": stamp(LATER)}),
        sale(8, "1", OrderItems=several, discount=0, charge=0),
    ]


def written(folder: Path, nodes: list[Row]) -> Path:
    """The file in the shop's own columns, CP932, line by line."""
    with (SAMPLES / "eccube4.csv").open(encoding="cp932") as sample:
        header = next(csv.reader(sample))
    keys = [
        _PARCEL_FEE if name == "送料" and place > header.index("送料") else name
        for place, name in enumerate(header)
    ]
    path = folder / "order_20260204090000.csv"
    with path.open("w", encoding="cp932", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        for node in nodes:
            writer.writerows([[line.get(key, "") for key in keys] for line in exported(node)])
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = written(tmp_path_factory.mktemp("export"), sales())
    return {raw.external_id: map_raw(raw, PROFILES) for raw in raws(path)}


@pytest.mark.parametrize("node", sales(), ids=lambda node: str(node["id"]))
def test_the_file_and_the_api_agree_on_every_field_that_both_tell(
    files: dict[str, Any], node: Row
) -> None:
    told = map_order(RawOrder(node["id"], node), MapSettings())
    assert len(files) == len(sales())
    assert differences(told, files[told.external_id]) == {}


def test_both_warn_of_a_status_that_nobody_knows(tmp_path: Path) -> None:
    node = sale(9, "20")
    (found,) = raws(written(tmp_path, [node]))
    filed = map_raw(found, PROFILES)
    told = map_order(RawOrder("9", node), MapSettings())
    assert told.warnings == filed.warnings == ("unknown_status",)
    assert not (told.present | filed.present) & {"life", "payment", "fulfilment"}
