"""What a sale of Color Me Shop becomes."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.colorme.mapping import Reading, map_order
from connectors.colorme.payments import kinds_set
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
from tests.connectors.colorme.stub import (
    METHODS,
    Row,
    cancelled,
    customer,
    detail,
    parcel,
    sale,
    seconds,
)

PLACED = datetime(2026, 2, 1, 2, 35, 52, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 1, tzinfo=UTC)
MONEY = {"subtotal", "shipping", "fee", "discount", "points", "tax", "total", "lines"}


def raw(row: Mapping[str, Any]) -> RawOrder:
    return RawOrder("7", {"payment": METHODS[0], **row}, "item 1")


def told(reading: Reading | None = None, **changes: Any) -> Order:
    return map_order(raw(sale(7, PLACED, **changes)), reading)


def test_every_field_has_its_place() -> None:
    gone = parcel(7, delivered=True, slip_number="4000", preferred_period="午前中")
    found = told(
        delivered=True,
        delivered_mail_sent_date=seconds(LATER),
        sale_deliveries=[gone],
        memo="熨斗を",
    )
    assert (found.external_id, found.number, found.currency) == ("7", "7", "JPY")
    assert (found.ordered_at, found.updated_at, found.shipped_at) == (PLACED, PLACED, LATER)
    assert (found.life, found.payment, found.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.SHIPPED,
    )
    assert (found.subtotal, found.shipping, found.fee) == (2160, 600, 50)
    assert (found.discount, found.points, found.tax, found.total) == (100, 0, 160, 2710)
    assert (found.payment_method, found.payment_kind) == ("クレジットカード", PaymentKind.CARD)
    assert found.buyer == Buyer(
        member_id="998273",
        email="hanako@example.jp",
        name="見本 花子",
        kana="ミホン ハナコ",
        phone="0300000000",
        postal_code="1500001",
        address="東京都渋谷区神宮前0見本ビル",
        birthday=date(1990, 2, 3),
    )
    assert found.recipient == Recipient(
        "見本 太郎", "ミホン タロウ", "0110000000", "0600001", "北海道札幌市中央区0"
    )
    assert found.lines == (Line("緑茶", "tea-01", 2, 1080, 2160),)
    assert (found.tracking_number, found.delivery_band) == ("4000", "午前中")
    assert (found.buyer_comment, found.gift, found.gift_wrap) == ("熨斗を", False, None)
    assert (found.marketing_consent, found.warnings) == (True, ())
    untold = {"platform_order_count", "paid_at", "carrier", "coupon_code", "cancelled_at"}
    assert not found.present & untold


# --- states ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid", "delivered", "parcels", "payment", "fulfilment"),
    [
        (False, False, [False], Payment.UNPAID, Fulfilment.UNSHIPPED),
        (True, False, [], Payment.PAID, Fulfilment.UNSHIPPED),
        (True, False, [True, False], Payment.PAID, Fulfilment.PART),
        (True, False, [True, True], Payment.PAID, Fulfilment.SHIPPED),
        (False, True, [False], Payment.UNPAID, Fulfilment.SHIPPED),
    ],
)
def test_flags_have_their_states(
    paid: bool, delivered: bool, parcels: list[bool], payment: Payment, fulfilment: Fulfilment
) -> None:
    sent = [parcel(number, delivered=one) for number, one in enumerate(parcels)]
    found = told(paid=paid, delivered=delivered, sale_deliveries=sent)
    assert (found.life, found.payment, found.fulfilment) == (Life.OPEN, payment, fulfilment)


def test_a_cancel_tells_nothing_of_the_money_it_set_to_nothing() -> None:
    row = sale(7, PLACED)
    found = map_order(raw(row | cancelled(row)))
    assert found.life is Life.CANCELLED
    assert not found.present & (MONEY | {"payment", "fulfilment", "shipped_at"})
    assert found.buyer.email == "hanako@example.jp"
    assert found.warnings == ()


@pytest.mark.parametrize("name", ["canceled", "paid", "delivered"])
@pytest.mark.parametrize("value", [None, "maybe", 2])
def test_a_flag_that_is_none_is_told_as_unknown(name: str, value: Any) -> None:
    found = told(**{name: value})
    untold = {"canceled": "life", "paid": "payment", "delivered": "fulfilment"}[name]
    assert found.warnings == ("unknown_status",)
    assert untold not in found.present
    assert found.total == 2710


def test_the_time_of_shipping_is_the_mail_s_else_the_last_change_s() -> None:
    sent: Row = {"delivered": True, "update_date": seconds(LATER)}
    assert told(**sent).shipped_at == LATER
    assert told(**sent, delivered_mail_sent_date=seconds(PLACED)).shipped_at == PLACED
    by_mail_only = Reading(shipped_by_update=False)
    assert "shipped_at" not in told(by_mail_only, **sent).present
    mailed = told(by_mail_only, **sent, delivered_mail_sent_date=seconds(PLACED))
    assert mailed.shipped_at == PLACED


def test_a_parcel_that_is_still_here_has_no_time_of_shipping() -> None:
    found = told(delivered_mail_sent_date=seconds(LATER))
    assert "shipped_at" in found.present
    assert found.shipped_at is None


# --- split sales -----------------------------------------------------------------------------


def test_a_part_of_a_split_sale_is_no_order_of_its_own() -> None:
    with pytest.raises(BadRecord) as caught:
        told(segment={"id": 2, "parent_sale_id": 5, "splitted": True})
    bad = caught.value
    assert (bad.code, bad.field_name) == ("split_part", "segment.parent_sale_id")
    assert "売上ID 5" in bad.reason_ja


def test_the_sale_that_was_split_stays_an_order_with_a_warning() -> None:
    found = told(segment={"id": 1, "parent_sale_id": 7, "splitted": True})
    assert (found.total, found.warnings) == (2710, ("split_order",))
    assert told(segment=None).warnings == ()


# --- money -----------------------------------------------------------------------------------


def test_goods_without_tax_are_told_with_it() -> None:
    """The example of the reference: 1000 + tax 80 + delivery 350 + fee 300 + card 200 = 1930."""
    found = told(
        product_total_price=1000, tax=80, delivery_total_charge=350, fee=300,
        card_total_charge=200, other_discount=0, total_price=1930,
    )  # fmt: skip
    assert (found.subtotal, found.fee, found.total, found.warnings) == (1080, 500, 1930, ())


def test_points_of_both_kinds_and_all_fees_are_added() -> None:
    found = told(
        fee=300, noshi_total_charge=100, wrapping_total_charge=200, point_discount=30,
        gmo_point_discount=20, total_price=2160 + 600 + 300 + 100 + 50 + 200 - 100 - 50,
    )  # fmt: skip
    assert (found.fee, found.points, found.subtotal, found.warnings) == (650, 50, 2160, ())


def test_parts_that_make_another_total_are_warned_about_and_left_as_told() -> None:
    found = told(total_price=9999)
    assert (found.total, found.subtotal, found.warnings) == (9999, 2160, ("total_differs",))


def test_a_line_bears_the_name_it_was_ordered_by() -> None:
    full = "緑茶（内容量：50g）"
    named = told(details=[detail(7, pristine_product_full_name=full, product_name="新茶")])
    older = detail(7, option1_value="50g", option2_value="缶")
    del older["pristine_product_full_name"]
    assert [line.name for line in named.lines] == [full]
    assert [line.name for line in told(details=[older]).lines] == ["緑茶 50g 缶"]


def test_a_line_without_price_with_tax_or_code_takes_what_there_is() -> None:
    bare = detail(7, price_with_tax=None, product_model_number="", subtotal_price=2000)
    assert told(details=[bare]).lines == (Line("緑茶", "1342332", 2, 1000, 2000),)


# --- payment ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "name", "kind"),
    [
        (0, "代引き", PaymentKind.COD),
        (1, "お振込み先A", PaymentKind.PREPAYMENT),
        (5, "NP", PaymentKind.DEFERRED),
        (9, "店頭で", PaymentKind.UNKNOWN),
        (9, "コンビニ後払い", PaymentKind.DEFERRED),
        (19, "クロネコwebコレクト (カード)", PaymentKind.CARD),
        (22, "全部ポイント", PaymentKind.FREE),
        (42, "スマホで", PaymentKind.CARD),
        (None, "銀行振込", PaymentKind.PREPAYMENT),
        (99, "新しい決済", PaymentKind.UNKNOWN),
    ],
)
def test_payments_have_their_kind(number: int | None, name: str, kind: PaymentKind) -> None:
    found = told(payment={"id": "751", "name": name, "type": number})
    assert (found.payment_method, found.payment_kind, found.warnings) == (name, kind, ())


def test_a_method_the_shop_has_no_more_is_not_told_unless_the_shop_says_what_it_was() -> None:
    gone = told(payment=None)
    assert not gone.present & {"payment_method", "payment_kind"}
    assert gone.warnings == ("payment_untold",)
    said = told(Reading(kinds_set({"751": "deferred"})), payment=None)
    assert (said.payment_kind, said.warnings) == (PaymentKind.DEFERRED, ())
    assert "payment_method" not in said.present


def test_what_the_shop_says_of_a_method_comes_first() -> None:
    assert told(Reading(kinds_set({751: "cod"}))).payment_kind is PaymentKind.COD


# --- people ----------------------------------------------------------------------------------


def test_a_guest_is_known_by_mail_and_by_no_number() -> None:
    guest = told(customer=customer(member=False))
    assert guest.buyer.member_id is None
    assert guest.buyer.email == "hanako@example.jp"
    assert told(customer=customer(member=None)).buyer.member_id == "998273"


@pytest.mark.parametrize(
    ("value", "consent", "warnings"),
    [
        (True, True, ()),
        (False, False, ()),
        (None, None, ()),
        ("yes", None, ("bad_marketing_consent",)),
        (1, None, ("bad_marketing_consent",)),
    ],
)
def test_only_a_plain_yes_is_consent(
    value: Any, consent: bool | None, warnings: tuple[str, ...]
) -> None:
    found = told(customer=customer(receive_mail_magazine=value))
    assert (found.marketing_consent, found.warnings) == (consent, warnings)
    assert ("marketing_consent" in found.present) is (consent is not None)


@pytest.mark.parametrize(
    ("birthday", "expected", "warnings"),
    [
        (None, None, ()),
        ("0000-00-00", None, ()),
        ("1990-02-31", None, ("bad_birthday",)),
        ("1990-02-03", date(1990, 2, 3), ()),
    ],
)
def test_a_birthday_that_is_no_day_refuses_no_order(
    birthday: str | None, expected: date | None, warnings: tuple[str, ...]
) -> None:
    found = told(customer=customer(birthday=birthday))
    assert (found.buyer.birthday, found.warnings) == (expected, warnings)


def test_a_sale_without_a_buyer_tells_no_person_instead_of_an_empty_one() -> None:
    nobody: tuple[Any, ...] = (None, {}, [])
    for missing in nobody:
        found = told(customer=missing, sale_deliveries=None)
        assert found.warnings == ("no_buyer",)
        assert not [name for name in found.present if name.startswith(("buyer.", "recipient."))]


def test_a_bad_mail_is_warned_about_and_left_out() -> None:
    found = told(customer=customer(mail="not a mail"))
    assert found.warnings == ("bad_email",)
    assert "buyer.email" not in found.present


def test_letters_outside_the_first_plane_and_wishes_come_along() -> None:
    wish = parcel(7, preferred_date="2026-02-06", noshi_text="寿")
    found = told(memo="🍵 𠮷", customer=customer(name="𠮷田 花子 様"), sale_deliveries=[wish])
    assert (found.buyer_comment, found.buyer.name) == ("🍵 𠮷", "𠮷田 花子")
    assert (found.delivery_date, found.gift_wrap, found.gift) == (date(2026, 2, 6), "寿", True)
    late = told(sale_deliveries=[parcel(7, preferred_date="2026-02-31")])
    assert late.warnings == ("bad_delivery_date",)
    assert "delivery_date" not in late.present


def test_a_mobile_number_stands_in_for_a_phone() -> None:
    assert told(customer=customer(tel="")).buyer.phone == "09000000000"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"id": None}, "missing_value", "id"),
        ({"make_date": None}, "missing_value", "make_date"),
        ({"make_date": "soon"}, "bad_number", "make_date"),
        ({"make_date": 1769913352000}, "bad_date", "make_date"),
        ({"update_date": -1}, "bad_date", "update_date"),
        ({"total_price": None}, "missing_value", "total_price"),
        ({"total_price": "2,71x"}, "bad_money", "total_price"),
        ({"total_price": 10.5}, "bad_money", "total_price"),
        ({"total_price": -1}, "negative_total", "total_price"),
        ({"details": [detail(7, product_num="two")]}, "bad_number", "details.product_num"),
        ({"customer": customer(name=["花子"])}, "bad_text", "customer.name"),
    ],
)
def test_a_broken_record_names_its_field(changes: Row, code: str, field: str) -> None:
    with pytest.raises(BadRecord) as caught:
        told(**changes)
    bad = caught.value
    assert (bad.code, bad.field_name, bad.position) == (code, field, "item 1")
    assert bad.payload
    assert bad.reason_ja
