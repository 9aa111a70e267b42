"""What an order of EC-CUBE becomes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

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
from connectors.eccube4.mapping import map_order
from connectors.eccube4.settings import MapSettings
from connectors.eccube4.standing import STATUSES, states
from tests.connectors.eccube4.stub import Row, item, order, parcel, stamp, status

PLACED = datetime(2026, 2, 1, 2, 35, 52, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 1, tzinfo=UTC)
LATEST = datetime(2026, 2, 5, 1, tzinfo=UTC)
DEFAULT = MapSettings()


def told(state: str = "1", settings: MapSettings = DEFAULT, /, **changes: Any) -> Order:
    return map_order(raw(order(7, PLACED, state, **changes)), settings)


def raw(row: Mapping[str, Any]) -> RawOrder:
    return RawOrder("7", row, "item 1")


def sent(at: datetime | None, **changes: Any) -> Row:
    return parcel(70, PLACED, shipping_date=at and stamp(at), **changes)


def test_every_field_has_its_place() -> None:
    wish = {"shipping_delivery_date": "2026-02-06T00:00:00+09:00", "tracking_number": "4000"}
    found = told(
        message="のしをお願いします",
        note="要電話",
        payment_date=stamp(LATER),
        Shippings=[sent(LATER, **wish)],
    )
    assert (found.external_id, found.number, found.currency) == ("7", "N00007", "JPY")
    assert (found.ordered_at, found.paid_at, found.shipped_at) == (PLACED, LATER, LATER)
    assert (found.life, found.payment, found.fulfilment) == ("open", "paid", "shipped")
    assert (found.subtotal, found.shipping, found.fee, found.tax) == (4000, 500, 50, 296)
    assert (found.discount, found.points, found.total) == (300, 100, 4150)
    assert (found.payment_method, found.payment_kind) == ("クレジットカード", PaymentKind.CARD)
    assert (found.carrier, found.tracking_number) == ("見本運輸", "4000")
    assert (found.delivery_date, found.delivery_band) == (date(2026, 2, 6), "午前")
    assert (found.buyer_comment, found.note) == ("のしをお願いします", "要電話")
    assert found.buyer == Buyer(
        member_id="7",
        email="hanako@example.jp",
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        kana="ミホン ハナコ",
        phone="09000000000",
        postal_code="1500001",
        address="東京都渋谷区神宮前0-0-0",
        birthday=date(1985, 4, 12),
    )
    assert found.recipient == Recipient(
        "見本 太郎", "ミホン タロウ", "09000000001", "0600001", "北海道札幌市中央区0-0"
    )
    assert found.lines == (Line("緑茶", "tea-01", 2, 2000),)
    assert found.warnings == ()
    silent = {"marketing_consent", "cancelled_at", "coupon_code", "platform_order_count"}
    assert not found.present & silent


@pytest.mark.parametrize(
    ("state", "life", "payment", "parcel_state"),
    [
        ("1", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED),
        ("4", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED),
        ("6", Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED),
        ("5", Life.OPEN, Payment.UNPAID, Fulfilment.SHIPPED),
        ("3", Life.CANCELLED, Payment.UNPAID, Fulfilment.UNSHIPPED),
        ("9", Life.OPEN, Payment.UNPAID, Fulfilment.RETURNED),
    ],
)
def test_statuses_have_their_states(
    state: str, life: Life, payment: Payment, parcel_state: Fulfilment
) -> None:
    found = told(state)
    assert (found.life, found.payment, found.fulfilment) == (life, payment, parcel_state)


@pytest.mark.parametrize("state", ["1", "3", "4", "5", "6", "9"])
def test_a_date_of_payment_means_paid(state: str) -> None:
    assert told(state, payment_date=stamp(LATER)).payment is Payment.PAID


def test_parcels_tell_how_far_the_order_is() -> None:
    def found(state: str, *at: datetime | None) -> tuple[Any, Any]:
        one = told(state, Shippings=[sent(moment) for moment in at])
        return one.fulfilment, one.shipped_at

    assert found("1", LATEST, LATER) == (Fulfilment.SHIPPED, LATER)
    assert found("6", LATER, None) == (Fulfilment.PART, LATER)
    assert found("1", None, None) == (Fulfilment.UNSHIPPED, None)
    assert found("1") == (Fulfilment.UNSHIPPED, None)
    assert found("9", LATER) == (Fulfilment.RETURNED, LATER)


def test_an_unknown_status_tells_no_state_and_warns() -> None:
    for found in (told("20"), told(OrderStatus=None)):
        assert found.warnings == ("unknown_status",)
        assert not found.present & {"life", "payment", "fulfilment"}


def test_a_status_of_the_shops_own_means_what_the_setting_says() -> None:
    own = {**STATUSES, "10": states("open/paid/part"), "1": states("open/authorized/-")}
    settings = MapSettings(statuses=own)
    found = told("10", settings)
    assert (found.life, found.payment, found.fulfilment) == ("open", "paid", "part")
    assert told("1", settings).payment is Payment.AUTHORIZED
    assert told("1", settings, payment_date=stamp(LATER)).payment is Payment.PAID


@pytest.mark.parametrize("state", ["7", "8"])
def test_a_checkout_is_no_order(state: str) -> None:
    with pytest.raises(BadRecord) as caught:
        told(state)
    assert (caught.value.code, caught.value.field_name) == ("unfinished_order", "OrderStatus")


def test_the_latest_change_of_order_or_parcel_counts() -> None:
    young = sent(None) | {"update_date": stamp(LATEST)}
    assert told().updated_at == PLACED
    assert told(Shippings=[sent(None), young]).updated_at == LATEST
    assert told(update_date=stamp(LATER)).updated_at == LATER


def test_points_are_what_their_rows_take_off_whatever_a_point_is_worth() -> None:
    rows = [item(1), item(2, "6", price=-2, quantity=150)]
    assert told(OrderItems=rows, use_point=150).points == 300
    assert told(OrderItems=[item(1)], use_point=0).points == 0


def test_amounts_are_exact_in_their_currency() -> None:
    found = told(currency_code="USD", payment_total=41.5, subtotal=40, charge=1.25)
    assert (found.total, found.subtotal, found.fee) == (4150, 4000, 125)
    assert told(payment_total=4150.0).total == 4150
    assert told(currency_code=None).currency == "JPY"
    assert told("1", MapSettings(currency="TWD"), currency_code=None).currency == "TWD"


def test_quantities_may_be_told_as_decimals() -> None:
    assert told(OrderItems=[item(1, quantity=3.0)]).lines[0].quantity == 3


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"payment_total": None}, "missing_value", "payment_total"),
        ({"payment_total": -1}, "negative_total", "payment_total"),
        ({"payment_total": 10.5}, "bad_money", "payment_total"),
        ({"subtotal": "many"}, "bad_money", "subtotal"),
        ({"currency_code": "YEN"}, "bad_currency", "currency_code"),
        ({"order_date": None}, "missing_value", "order_date"),
        ({"order_date": "yesterday"}, "bad_date", "order_date"),
        ({"payment_date": "0001-01-01T00:00:00+09:00"}, "bad_date", "payment_date"),
        ({"id": None}, "missing_value", "id"),
        ({"order_no": {}}, "bad_text", "order_no"),
        ({"OrderItems": [item(1, quantity=1.5)]}, "bad_number", "quantity"),
        ({"OrderItems": [item(1, quantity="some")]}, "bad_number", "quantity"),
    ],
)
def test_what_is_no_order_is_refused_by_name(
    changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(BadRecord) as caught:
        told(**changes)
    bad = caught.value
    assert (bad.code, bad.field_name, bad.external_id) == (code, field, "7")
    assert bad.reason_ja
    assert bad.payload["name02"] == "花子"


def test_a_guest_has_no_member_number() -> None:
    found = told(Customer=None)
    assert (found.buyer.member_id, found.buyer.email) == (None, "hanako@example.jp")
    assert "buyer.member_id" in found.present


def test_a_missing_buyer_is_warned_of() -> None:
    found = told(Customer=None, email=None, name01="", name02="")
    assert found.warnings == ("no_buyer",)


def test_a_birthday_is_the_orders_else_the_members() -> None:
    member = {"id": "7", "birth": "1990-01-02T00:00:00+09:00"}
    assert told(birth=None, Customer=member).buyer.birthday == date(1990, 1, 2)
    assert told(Customer=member).buyer.birthday == date(1985, 4, 12)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1950-07-01T00:00:00+10:00", date(1950, 7, 1)),  # Japan had summer time then
        ("1985-04-11T15:00:00+00:00", date(1985, 4, 12)),
        ("1985-04-12T00:00:00+11:00", date(1985, 4, 12)),  # a shop of another zone
        ("1985-04-12", date(1985, 4, 12)),
    ],
)
def test_a_day_told_as_an_instant_is_the_shops_day(text: str, day: date) -> None:
    assert told(birth=text).buyer.birthday == day


def test_the_shops_zone_decides_a_day() -> None:
    settings = MapSettings(zone=ZoneInfo("America/New_York"))
    assert told("1", settings, birth="1985-04-12T03:00:00+00:00").buyer.birthday == date(
        1985, 4, 11
    )


@pytest.mark.parametrize(
    ("changes", "code", "unread"),
    [
        ({"email": "no mail"}, "bad_email", {"buyer.email", "buyer.email_is_relay"}),
        ({"birth": "spring"}, "bad_birthday", {"buyer.birthday"}),
        (
            {"Shippings": [parcel(1, PLACED, shipping_delivery_date="soon")]},
            "bad_delivery_date",
            {"delivery_date"},
        ),
    ],
)
def test_a_wish_or_detail_that_cannot_be_read_is_warned_of(
    changes: dict[str, Any], code: str, unread: set[str]
) -> None:
    found = told(**changes)
    assert found.warnings == (code,)
    assert found.present & unread == set()
    assert unread <= told().present


def test_characters_of_four_bytes_and_old_forms_stay_as_written() -> None:
    found = told(name01="𠮷田", name02="👩‍👧", OrderItems=[item(1, product_name="🍵茶")])
    assert (found.buyer.name, found.lines[0].name) == ("𠮷田 👩‍👧", "🍵茶")


def test_kana_is_written_full_width() -> None:
    assert told(kana01="ﾐﾎﾝ", kana02="はなこ").buyer.kana == "ミホン ハナコ"


def test_an_order_without_number_is_named_by_its_id() -> None:
    assert told(order_no=None).number == "7"


def test_the_parts_of_an_order_stand_in_the_order_they_were_made() -> None:
    rows = [item(12, product_name="湯呑"), item(9), item(100, product_name="急須")]
    assert [line.name for line in told(OrderItems=rows).lines] == ["緑茶", "湯呑", "急須"]
    parcels = [parcel(12, PLACED, name02="二郎"), parcel(9, PLACED, tracking_number="4000")]
    found = told(Shippings=parcels)
    assert found.recipient is not None
    assert (found.recipient.name, found.tracking_number) == ("見本 太郎", "4000")


def test_a_payment_method_has_its_kind() -> None:
    assert told(payment_method="代金引換").payment_kind is PaymentKind.COD
    assert told(payment_method=None, Payment={"method": "銀行振込"}).payment_method == "銀行振込"
    settings = MapSettings(payments={"店頭": PaymentKind.COD})
    assert told("1", settings, payment_method="店頭").payment_kind is PaymentKind.COD
    assert told("1", settings, payment_method="物々交換").payment_kind is PaymentKind.UNKNOWN


def test_a_stored_order_maps_again_to_the_same() -> None:
    row = order(7, PLACED)
    assert map_order(raw(json.loads(json.dumps(row))), DEFAULT) == map_order(raw(row), DEFAULT)


def test_an_id_is_the_status_whatever_the_shop_calls_it() -> None:
    assert told(OrderStatus=status("5") | {"name": "出荷しました"}).fulfilment == "shipped"
