"""What an order of BASE becomes, and that the shop's CSV tells the same."""

import csv
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import (
    BadRecord,
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
from connectors.kit.fields import TOKYO
from connectors.thebase.mapping import map_order
from tests.connectors.csv_file.tables import orders
from tests.connectors.same_sales import differences
from tests.connectors.thebase.stub import Row, item, key, order, seconds

PLACED = datetime(2026, 2, 1, 2, 35, 52, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 1, tzinfo=UTC)


def told(**changes: Any) -> Order:
    return map_order(raw(order(7, PLACED, **changes)))


def raw(row: Mapping[str, Any]) -> RawOrder:
    return RawOrder(key(7), row, "item 1")


def test_every_field_has_its_place() -> None:
    found = told(dispatched=seconds(LATER), dispatch_status="dispatched", tracking_number="4000")
    assert (found.external_id, found.number, found.currency) == (key(7), key(7), "JPY")
    assert (found.ordered_at, found.updated_at, found.shipped_at) == (PLACED, PLACED, LATER)
    assert (found.subtotal, found.shipping, found.fee) == (4000, 500, 0)
    assert (found.discount, found.points, found.total) == (300, 50, 4150)
    assert (found.payment_method, found.payment_kind) == ("クレジットカード", PaymentKind.CARD)
    assert found.buyer == Buyer(
        email="hanako@example.jp",
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        phone="09000000000",
        postal_code="150-0001",
        address="東京都渋谷区神宮前0",
    )
    assert found.recipient == Recipient(
        "見本 太郎", None, "09000000001", "060-0001", "北海道札幌市中央区0"
    )
    assert found.lines == (Line("緑茶", "77", 2, 2000, 4000),)
    assert (found.tracking_number, found.warnings) == ("4000", ())
    assert not found.present & {"buyer.member_id", "buyer.kana", "paid_at", "coupon_code"}


@pytest.mark.parametrize(
    ("status", "payment", "parcel"),
    [
        ("unpaid", Payment.UNPAID, Fulfilment.UNSHIPPED),
        ("ordered", Payment.PAID, Fulfilment.UNSHIPPED),
        ("shipping", Payment.PAID, Fulfilment.SHIPPED),
        ("dispatched", Payment.PAID, Fulfilment.SHIPPED),
    ],
)
def test_statuses_have_their_states(status: str, payment: Payment, parcel: Fulfilment) -> None:
    found = told(dispatch_status=status)
    assert (found.life, found.payment, found.fulfilment) == (Life.OPEN, payment, parcel)


def test_a_cancel_tells_nothing_of_money_and_parcel() -> None:
    found = told(dispatch_status="cancelled", cancelled=seconds(LATER))
    assert (found.life, found.cancelled_at) == (Life.CANCELLED, LATER)
    assert not found.present & {"payment", "fulfilment"}


def test_a_status_that_nobody_explained_is_told_as_unknown() -> None:
    found = told(dispatch_status="pondering")
    assert found.warnings == ("unknown_status",)
    assert not found.present & {"life", "payment", "fulfilment"}


def test_a_deferred_payment_company_knows_that_the_parcel_arrived() -> None:
    arrived = {"status": "arrived", "collected_fee": 100}
    found = told(dispatch_status="dispatched", atobarai_payment_transaction=arrived)
    assert found.fulfilment is Fulfilment.DELIVERED


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("cod", PaymentKind.COD),
        ("cvs", PaymentKind.PREPAYMENT),
        ("base_bt", PaymentKind.PREPAYMENT),
        ("bt", PaymentKind.PREPAYMENT),
        ("atobarai", PaymentKind.DEFERRED),
        ("bnpl_installment", PaymentKind.DEFERRED),
        ("carrier_02", PaymentKind.CARD),
        ("amazon_pay", PaymentKind.CARD),
        ("coin", PaymentKind.FREE),
        ("moonstones", PaymentKind.UNKNOWN),
    ],
)
def test_payments_have_their_kind(code: str, kind: PaymentKind) -> None:
    assert told(payment=code).payment_kind is kind


def test_a_cancelled_item_is_left_out_of_lines_and_subtotal() -> None:
    gone = item(8, title="湯呑", price=900, amount=1, total=900, status="cancelled")
    found = told(order_items=[item(7), gone], total=4150)
    assert ([line.name for line in found.lines], found.subtotal) == (["緑茶"], 4000)


def test_amounts_of_lines_and_adjustments_are_added() -> None:
    cool = item(7, shipping_fee=200, variation="50g", variation_id=9)
    adjusted = {"adjusted_amount": -130}
    found = told(order_items=[cool], cod_fee=330, order_amount_adjustment=adjusted)
    assert (found.shipping, found.fee) == (700, 200)
    assert found.lines == (Line("緑茶 50g", "9", 2, 2000, 4000),)
    coded = told(order_items=[item(7, variation_id=9, item_identifier="tea")])
    assert coded.lines[0].sku == "tea"


def test_a_sales_partner_s_order_tells_no_person_instead_of_an_empty_one() -> None:
    names = ("first_name", "last_name", "zip_code", "prefecture", "address", "mail_address", "tel")
    found = told(**dict.fromkeys(names), order_receiver=None)
    assert found.warnings == ("no_buyer",)
    assert not [name for name in found.present if name.startswith(("buyer.", "recipient."))]


def test_a_subscription_is_named_but_not_counted() -> None:
    found = told(subscription={"unique_key": "S1", "repeat_number": 2, "repeat_times": 6})
    assert (found.subscription_number, found.delivery_count) == ("S1", None)
    assert "delivery_count" not in found.present


def test_wishes_and_words_of_the_buyer_come_along() -> None:
    found = told(delivery_date="2026-02-06", delivery_time_zone="0812", remark="🍵 𠮷")
    assert (found.delivery_date, found.delivery_band) == (date(2026, 2, 6), "0812")
    assert found.buyer_comment == "🍵 𠮷"
    assert told(delivery_date="2026-02-31").warnings == ("bad_delivery_date",)


def test_a_bad_mail_is_warned_about_and_left_out() -> None:
    found = told(mail_address="not a mail")
    assert found.warnings == ("bad_email",)
    assert "buyer.email" not in found.present


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"unique_key": None}, "missing_value", "unique_key"),
        ({"ordered": None}, "missing_value", "ordered"),
        ({"ordered": "soon"}, "bad_number", "ordered"),
        ({"ordered": 1769913352000}, "bad_date", "ordered"),
        ({"modified": -1}, "bad_date", "modified"),
        ({"total": None}, "missing_value", "total"),
        ({"total": "4,15x"}, "bad_money", "total"),
        ({"total": -1}, "negative_total", "total"),
        ({"order_items": [item(7, amount="two")]}, "bad_number", "order_items.amount"),
    ],
)
def test_a_broken_record_names_its_field(changes: Row, code: str, field: str) -> None:
    with pytest.raises(BadRecord) as caught:
        told(**changes)
    bad = caught.value
    assert (bad.code, bad.field_name, bad.position) == (code, field, "item 1")
    assert bad.payload
    assert bad.reason_ja


# --- the same sale as a file -----------------------------------------------------------------

_STATUSES = {
    "unpaid": "入金待ち", "ordered": "未発送", "shipping": "配送中", "dispatched": "発送済み",
    "cancelled": "キャンセル",
}  # fmt: skip
_METHODS = {"creditcard": "クレジットカード", "base_bt": "銀行振込", "cod": "代金引換"}
_PERSON = {
    "氏": "last_name", "名": "first_name", "郵便番号": "zip_code", "都道府県": "prefecture",
    "住所": "address", "住所2": "address2", "電話番号": "tel",
}  # fmt: skip


def as_file(row: Row, folder: Path) -> Order:
    """The order as the CSVダウンロード App writes it, read again."""
    receiver, adjusted = row["order_receiver"], row["order_amount_adjustment"]
    head = {
        "注文ID": row["unique_key"],
        "注文日時": f"{datetime.fromtimestamp(row['ordered'], TOKYO):%Y-%m-%d %H:%M:%S}",
        **{f"{column}(請求先)": row[name] for column, name in _PERSON.items()},
        "メールアドレス(請求先)": row["mail_address"],
        **{f"{column}(配送先)": receiver[name] for column, name in _PERSON.items()},
        "備考": row["remark"],
        "合計金額": row["total"],
        "送料": row["shipping_fee"],
        "支払い方法": _METHODS[row["payment"]],
        "代引き手数料": row["cod_fee"],
        "発送状況": _STATUSES[row["dispatch_status"]],
        "配送日": row["delivery_date"],
        "配送時間帯": row["delivery_time_zone"],
        "注文メモ": "",
        "調整金額": adjusted["adjusted_amount"] if adjusted else "",
    }
    rows = [
        head
        | {"商品名": one["title"], "バリエーション": one["variation"], "価格": one["price"]}
        | {"数量": one["amount"], "商品ID": one["item_id"], "種類ID": one["variation_id"] or ""}
        for one in row["order_items"]
    ]
    path = folder / "orders.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (found,) = orders(path)
    return found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dispatch_status": "unpaid", "payment": "base_bt"},
        {"dispatch_status": "shipping", "remark": "熨斗を"},
        {"dispatch_status": "dispatched", "payment": "cod", "cod_fee": 330, "total": 4480},
        {"dispatch_status": "cancelled"},
        {"order_amount_adjustment": {"adjusted_amount": -150}, "total": 4000},
        {"delivery_date": "2026-02-06", "delivery_time_zone": "0812"},
        {"order_items": [item(7, variation="50g", variation_id=9), item(8, title="湯呑")]},
    ],
)
def test_the_file_of_the_same_sale_gives_the_same_order(changes: Row, tmp_path: Path) -> None:
    row = order(7, PLACED, **changes)
    from_api, from_file = map_order(raw(row)), as_file(row, tmp_path)
    assert differences(from_api, from_file) == {}
    assert len(from_api.present & from_file.present) > 22
