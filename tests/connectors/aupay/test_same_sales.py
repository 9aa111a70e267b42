"""Wow! manager's CSV and the API tell the same sales alike."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.aupay.mapping import map_order
from connectors.aupay.standing import Statuses
from connectors.contract import Order, RawOrder
from connectors.kit.markup import parse
from tests.connectors.aupay.stub import Row, detail, inside, order
from tests.connectors.csv_file.tables import SAMPLES
from tests.connectors.csv_file.tables import orders as orders_of_file
from tests.connectors.same_sales import differences
from worker.rules.identity import Who, keys_of
from worker.rules.states import IdentityKind

PLACED = datetime(2026, 2, 1, 12, 15, tzinfo=UTC)
HEADER = (SAMPLES / "aupay.csv").read_text("cp932").splitlines()[0].split(",")
STATUSES = (
    *("新規受付", "新規予約", "予約中", "与信待ち", "発送前入金待ち", "不正取引審査中", "審査保留"),
    *(
        "発送待ち",
        "保留",
        "発送後入金待ち",
        "完了",
        "キャンセル",
        "キャンセル受付中",
        "審査NG",
        "独自",
    ),
)


def from_api(row: Row) -> Order:
    tree = parse(f"<orderInfo>{inside(row)}</orderInfo>".encode())["orderInfo"]
    return map_order(RawOrder(row["orderId"], tree), Statuses())


def from_file(row: Row, folder: Path) -> Order:
    """The order as it is downloaded: a row for each item, the columns of the order repeated."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADER, lineterminator="\r\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(row | one | {"rawMailAddress": "raw@example.com"} for one in row["details"])
    path = folder / "wow.csv"
    path.write_bytes(text.getvalue().encode("cp932"))
    (found,) = orders_of_file(path)
    return found


def compared(folder: Path, **changes: Any) -> tuple[Order, Order]:
    row = order(1, PLACED, **changes)
    one, other = from_api(row), from_file(row, folder)
    assert differences(_with_life(one), _with_life(other)) == {}
    return one, other


def _with_life(found: Order) -> Order:
    """As if it told its life: of a status that nobody explained, neither way tells it."""
    return replace(found, present=found.present | {"life"})


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"paymentStatus": "Y", "paymentDate": "2026/02/02"},
        {"shipStatus": "Y", "shippingDate": "2026/02/03"},
        {"shipDate": "2026/02/03 10:00", "paymentStatus": "", "shipStatus": ""},
        {"cancelStatus": "C", "cancelDate": "2026/02/04"},
        {"paymentStatus": "P"},
    ],
)
def test_a_status_means_the_same_in_both(
    status: str, changes: dict[str, str], tmp_path: Path
) -> None:
    one, other = compared(tmp_path, orderStatus=status, **changes)
    assert one.warnings == other.warnings
    assert one.life is other.life


@pytest.mark.parametrize(
    "changes",
    [
        {"details": [detail(), detail(orderDetailId="2", itemCode="", itemName="湯呑", unit="1")],
         "totalSalePrice": "8800", "requestPrice": "8900"},
        {"usePoint": "50", "requestPrice": "4450", "chargePrice": "330"},
        {"ordererKana": "みほん ﾊﾅｺ", "ordererName": "見本　花子　様"},
        {"ordererZipCode": "〒150-0001", "senderZipCode": ""},
        {"ordererPhoneNumber1": "", "ordererPhoneNumber2": "+81 90-0000-0001"},
        {"deliveryRequestDay": "2026/02/06", "deliveryRequestTime": "午前中", "memo": "常連"},
        {"deliveryRequestDay": "指定なし", "userComment": "急ぎ, \"至急\"\nで"},
        {"shippingCarrier": "ヤマト運輸", "shippingNumber": "400000000000"},
        {"settlementName": "代金引換", "senderName": "", "senderPhoneNumber1": ""},
        {"mailAddress": "Hanako.X@EXAMPLE.com"},
        {"orderDate": "2026/02/01"},
    ],
)  # fmt: skip
def test_money_people_and_words_are_the_same_in_both(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    one, other = compared(tmp_path, orderStatus="発送待ち", **changes)
    assert len(one.present & other.present) > 30
    assert one.buyer == other.buyer
    assert one.recipient == other.recipient
    assert [line.amount for line in one.lines] == [line.amount for line in other.lines]
    assert one.time_unknown is other.time_unknown
    assert one.buyer.email_is_relay


def test_a_buyer_is_known_by_the_same_keys_in_both_and_by_their_address_here_alone(
    tmp_path: Path,
) -> None:
    one, other = (keys_of(_who(found)) for found in compared(tmp_path))
    assert one == other
    assert one[0] == (IdentityKind.RELAY_EMAIL, "hanako@example.jp")
    assert IdentityKind.EMAIL not in dict(one)


def _who(found: Order) -> Who:
    buyer = found.buyer
    return Who(
        buyer.member_id,
        buyer.email,
        buyer.email_is_relay,
        buyer.name,
        buyer.phone,
        buyer.postal_code,
        buyer.address,
    )
