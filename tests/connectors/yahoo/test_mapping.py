"""orderInfo to Order: states, money, people; and the same order as from the store's two files."""

import csv
import io
from collections.abc import Sequence
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
from connectors.csv_file.files import map_raw
from connectors.kit.markup import parse
from connectors.yahoo.mapping import external_id, map_order
from connectors.yahoo.questions import FIELDS
from tests.connectors.csv_file.tables import PROFILES, records
from tests.connectors.same_sales import differences
from tests.connectors.yahoo.stub import SELLER, Row, info, item, order

PLACED = datetime(2026, 2, 1, 2, 35, 52, tzinfo=UTC)  # 11:35:52 in Tokyo
_SHIPPED_TO = (
    *("ShipLastName", "ShipFirstName", "ShipZipCode", "ShipPrefecture", "ShipCity"),
    *("ShipAddress1", "ShipPhoneNumber"),
)
MIDNIGHT = datetime(2026, 2, 2, 15, tzinfo=UTC)  # 3 February in Tokyo


def raw(row: Row) -> RawOrder:
    """The row as the connector stores it: through XML and back."""
    tree = parse(f"<OrderInfo>{info(row, list(FIELDS))}</OrderInfo>".encode())
    payload = {"SellerId": SELLER, "OrderInfo": tree["OrderInfo"]}
    return RawOrder(external_id(SELLER, row["OrderId"]), payload, "item 1")


def told(hold_merged: bool = False, **changes: Any) -> Order:
    return map_order(raw(order(10000001, PLACED, **changes)), hold_merged=hold_merged)


def test_the_usual_order() -> None:
    found = told(OrderStatus="5", PayStatus="1", ShipStatus="3", PayDate="2026-02-01")
    assert (found.external_id, found.number) == ("example-store-10000001", "10000001")
    assert (found.ordered_at, found.updated_at) == (PLACED, PLACED)
    assert (found.life, found.payment, found.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.SHIPPED,
    )
    assert (found.subtotal, found.shipping, found.fee) == (4000, 500, 0)
    assert (found.discount, found.points, found.total) == (300, 50, 4150)
    assert found.paid_at == datetime(2026, 1, 31, 15, tzinfo=UTC)
    assert found.buyer == Buyer(
        email="hanako@example.jp",
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        kana="ミホン ハナコ",
        phone="09000000000",
        postal_code="1500001",
        address="東京都渋谷区神宮前0",
    )
    assert found.recipient == Recipient("見本 太郎", None, None, "0600001", "北海道札幌市中央区0")
    assert found.lines == (Line("緑茶", "tea-01", 2, 2000),)
    assert (found.gift, found.hub_hold, found.warnings) == (False, False, ())
    assert "buyer.member_id" not in found.present


def test_the_number_is_the_same_with_and_without_the_stores_name() -> None:
    assert told(OrderId="10000001").external_id == told().external_id
    assert told(OrderId="10000001").number == "10000001"


@pytest.mark.parametrize(
    ("order_status", "ship", "life", "parcel"),
    [
        ("1", "0", Life.OPEN, Fulfilment.UNSHIPPED),
        ("2", "1", Life.OPEN, Fulfilment.UNSHIPPED),
        ("2", "2", Life.OPEN, Fulfilment.UNSHIPPED),
        ("2", "3", Life.OPEN, Fulfilment.SHIPPED),
        ("5", "1", Life.OPEN, Fulfilment.SHIPPED),
        ("5", "4", Life.OPEN, Fulfilment.DELIVERED),
        ("4", "1", Life.CANCELLED, Fulfilment.UNSHIPPED),
        ("4", "3", Life.CANCELLED, Fulfilment.SHIPPED),
        ("8", "1", Life.CANCELLED, Fulfilment.UNSHIPPED),
    ],
)
def test_statuses_have_their_states(
    order_status: str, ship: str, life: Life, parcel: Fulfilment
) -> None:
    found = told(OrderStatus=order_status, ShipStatus=ship)
    assert (found.life, found.fulfilment, found.payment) == (life, parcel, Payment.UNPAID)


@pytest.mark.parametrize("reason", ["110", "140"])
def test_a_cancel_for_a_return_came_back_only_if_it_had_left(reason: str) -> None:
    came_back = told(OrderStatus="4", CancelReason=reason, ShipStatus="4")
    assert (came_back.life, came_back.fulfilment) == (Life.CANCELLED, Fulfilment.RETURNED)
    kept = told(OrderStatus="4", CancelReason=reason, ShipStatus="1")
    assert kept.fulfilment is Fulfilment.UNSHIPPED
    other = told(OrderStatus="4", CancelReason="100", ShipStatus="3")
    assert other.fulfilment is Fulfilment.SHIPPED


@pytest.mark.parametrize(
    "changes", [{"OrderStatus": "7"}, {"PayStatus": "9"}, {"ShipStatus": "9"}, {"OrderStatus": ""}]
)
def test_a_status_that_nobody_explained_is_told_as_unknown(changes: dict[str, Any]) -> None:
    found = told(**changes)
    assert found.warnings == ("unknown_status",)
    states = {"OrderStatus": "life", "PayStatus": "payment", "ShipStatus": "fulfilment"}
    assert states[next(iter(changes))] not in found.present


def test_merged_orders_are_cancelled_or_held_as_the_shop_says() -> None:
    assert told(OrderStatus="8").warnings == ("merged_order",)
    with pytest.raises(BadRecord) as caught:
        told(hold_merged=True, OrderStatus="8")
    assert (caught.value.code, bool(caught.value.reason_ja)) == ("merged_order", True)


def test_an_order_that_is_not_entered_is_none() -> None:
    with pytest.raises(BadRecord) as caught:
        told(OrderStatus="0")
    assert caught.value.code == "unfinished_order"


def test_what_the_store_holds_and_what_yahoo_suspects_is_held() -> None:
    assert told(OrderStatus="3").hub_hold is True
    assert told(Suspect="1").hub_hold is True
    assert told(Suspect="2").hub_hold is False


def test_missing_statuses_are_read_off_the_dates() -> None:
    found = told(PayStatus="", ShipStatus="", ShipDate="2026-02-03", PayDate="2026-02-01")
    assert (found.payment, found.fulfilment) == (Payment.PAID, Fulfilment.SHIPPED)
    assert found.shipped_at == MIDNIGHT
    assert told(ShipStatus="", ArrivalDate="2026-02-03").fulfilment is Fulfilment.DELIVERED
    assert told(ShipStatus="").fulfilment is Fulfilment.UNSHIPPED


def test_charges_and_vouchers() -> None:
    found = told(PayCharge="330", GiftWrapCharge="110", Adjustments="-40", GiftCardDiscount="1000")
    assert (found.fee, found.points) == (400, 1050)


@pytest.mark.parametrize(
    ("method", "name", "kind_code", "kind"),
    [
        ("payment_a1", "クレジットカード決済", "0", PaymentKind.CARD),
        ("payment_a17", "PayPay残高等", "6", PaymentKind.CARD),
        ("payment_a6", "セブン-イレブン", "5", PaymentKind.PREPAYMENT),
        ("payment_b1", "銀行振込", "3", PaymentKind.PREPAYMENT),
        ("payment_d1", "商品代引", "4", PaymentKind.COD),
        ("payment_z1", "", "7", PaymentKind.FREE),
        ("payment_x9", "新しい方法", "3", PaymentKind.PREPAYMENT),
        ("payment_x9", "新しい方法", "7", PaymentKind.UNKNOWN),
        ("payment_x9", "新しい方法", "", PaymentKind.UNKNOWN),
        ("", "", "", PaymentKind.UNKNOWN),
    ],
)
def test_payment_methods_have_their_kind(
    method: str, name: str, kind_code: str, kind: PaymentKind
) -> None:
    found = told(PayMethod=method, PayMethodName=name, PayKind=kind_code)
    assert (found.payment_method, found.payment_kind) == (name or method or None, kind)


def test_wishes_gifts_and_parcels() -> None:
    found = told(
        ShipRequestDate="2026-02-06",
        ShipRequestTime="午前中",
        ShipInvoiceNumber2="4000",
        NeedGiftWrap="true",
        GiftWrapName="花柄",
        BuyerComments="<茶> & 菓子",
    )
    assert (found.delivery_date, found.delivery_band) == (date(2026, 2, 6), "午前中")
    assert (found.tracking_number, found.carrier) == ("4000", "宅配便")
    assert (found.gift, found.gift_wrap, found.buyer_comment) == (True, "花柄", "<茶> & 菓子")
    assert told(SocialGiftType="2").gift is True
    assert told(ShipRequestDate="最短").delivery_date is None
    odd = told(ShipRequestDate="2026-02-31")
    assert (odd.warnings, "delivery_date" in odd.present) == (("bad_delivery_date",), False)


def test_lines_that_a_cancel_took_out_count_nothing() -> None:
    lines = [item(Quantity="0"), item(LineId="2", SubCode="", Title="湯呑", UnitPrice="1000")]
    found = told(items=lines)
    assert found.lines == (Line("緑茶", "tea-01", 0, 2000), Line("湯呑", "tea", 2, 1000))
    assert found.subtotal == 2000


def test_a_split_order_says_so() -> None:
    assert told(IsSplit="true").warnings == ("split_order",)


def test_an_order_without_its_buyer_tells_no_person() -> None:
    payload = dict(raw(order(1, PLACED)).payload)
    payload["OrderInfo"] = {
        name: value for name, value in payload["OrderInfo"].items() if name != "Pay"
    }
    found = map_order(RawOrder("x", payload, "item 1"))
    assert (found.buyer, found.warnings) == (Buyer(), ("no_buyer",))
    assert not [name for name in found.present if name.startswith("buyer.")]


def test_people_that_yahoo_took_out_are_not_told_as_empty() -> None:
    row = order(1, PLACED)
    blank: dict[str, Any] = {
        name: "" for name in row if name.startswith("Bill") or name in _SHIPPED_TO
    }
    found = told(**blank)
    assert not [name for name in found.present if name.startswith(("buyer.", "recipient."))]


def test_letters_beyond_the_usual_ones_stay() -> None:
    assert told(BillLastName="𠮷野", BillFirstName="🍵").buyer.name == "𠮷野 🍵"


def test_a_bad_mail_is_warned_about_and_left_out() -> None:
    found = told(BillMailAddress="not a mail")
    assert found.warnings == ("bad_email",)
    assert "buyer.email" not in found.present


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"OrderTime": ""}, "missing_value", "OrderInfo.OrderTime"),
        ({"OrderTime": "soon"}, "bad_date", "OrderInfo.OrderTime"),
        ({"LastUpdateTime": "soon"}, "bad_date", "OrderInfo.LastUpdateTime"),
        ({"TotalPrice": "4,15x"}, "bad_money", "OrderInfo.Detail.TotalPrice"),
        ({"TotalPrice": "-1"}, "negative_total", "Detail.TotalPrice"),
        ({"OrderStatus": "done"}, "bad_number", "OrderInfo.OrderStatus"),
        ({"items": [item(Quantity="two")]}, "bad_number", "OrderInfo.Item.Quantity"),
    ],
)
def test_a_broken_record_names_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    with pytest.raises(BadRecord) as caught:
        told(**changes)
    bad = caught.value
    assert (bad.code, bad.field_name, bad.position) == (code, field, "item 1")
    assert bad.payload
    assert bad.reason_ja


# --- the same sale as two files --------------------------------------------------------------


def written(rows: Sequence[Row], path: Path) -> Path:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode("cp932"))
    return path


def as_files(row: Row, folder: Path, *, statuses: bool) -> Order:
    """The order as the store downloads it, read again; most templates leave statuses out."""
    plain = {name: value for name, value in row.items() if name not in {"items", "Adjustments"}}
    if not statuses:
        left_out = {"PayStatus", "ShipStatus", "LastUpdateTime", "ArrivalDate"}
        plain = {name: value for name, value in plain.items() if name not in left_out}
    number = row["OrderId"].removeprefix(f"{SELLER}-")
    when = row["OrderTime"][:19].replace("T", " ")
    orders = [plain | {"OrderId": number, "Id": row["OrderId"], "OrderTime": when}]
    goods = [one | {"OrderId": number, "LineSubTotal": ""} for one in row["items"]]
    found = records(written(orders, folder / "orders.csv"), written(goods, folder / "items.csv"))
    (one,) = [record.raw for record in found]
    assert one is not None
    return map_raw(one, PROFILES)


@pytest.mark.parametrize("statuses", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"PayStatus": "1", "PayDate": "2026-02-01"},
        {"OrderStatus": "5", "ShipStatus": "3", "ShipDate": "2026-02-03", "PayCharge": "330"},
        {"OrderStatus": "4", "PayMethod": "payment_d1", "PayMethodName": "商品代引"},
        {"BillLastNameKana": "みほん", "BillFirstNameKana": "ﾊﾅｺ", "BuyerComments": "急ぎ"},
        {"ShipRequestDate": "2026-02-06", "ShipRequestTime": "午前中", "GiftWrapName": "花柄"},
    ],
)
def test_the_files_of_the_same_sale_give_the_same_order(
    changes: dict[str, str], statuses: bool, tmp_path: Path
) -> None:
    row = order(10000001, PLACED, **changes)
    from_files = as_files(row, tmp_path, statuses=statuses)
    from_api = map_order(raw(row))
    assert differences(from_api, from_files) == {}
    assert len(from_api.present & from_files.present) > 35
