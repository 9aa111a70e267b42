"""What a cart of Qoo10 becomes."""

from datetime import UTC, date, datetime, timedelta
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
from connectors.qoo10.mapping import map_order
from tests.connectors.qoo10.stub import Row, claim, order, stamp

PLACED = datetime(2026, 2, 1, 11, 3, 43, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 1, tzinfo=UTC)
MONEY = {"subtotal", "shipping", "discount", "total", "refunded", "lines"}


def cart(*orders: Row, claims: tuple[Row, ...] = (), cart_amounts: str = "") -> Order:
    payload = {"Number": "900000001", "Orders": list(orders), "Claims": list(claims)}
    return map_order(RawOrder("900000001", payload, "item 1"), cart_amounts=cart_amounts)


def told(status: int = 2, **changes: Any) -> Order:
    return cart(order(10, PLACED, status, **changes))


def refused(*orders: Row, claims: tuple[Row, ...] = ()) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        cart(*orders, claims=claims)
    assert caught.value.reason_ja
    assert caught.value.payload["Orders"] == list(orders)
    return caught.value


def states(found: Order) -> tuple[Life | None, Payment | None, Fulfilment | None]:
    return found.life, found.payment, found.fulfilment


def test_every_field_has_its_place() -> None:
    shipped = {"ShippingDate": stamp(LATER), "DeliveryCompany": "ヤマト運輸", "TrackingNo": "4000"}
    wishes = {"DesiredDeliveryDate": "2026-02-06", "ShippingMessage": "玄関前に"}
    found = told(4, **shipped, **wishes)
    assert (found.external_id, found.number, found.currency) == ("900000001", "900000001", "JPY")
    assert (found.ordered_at, found.paid_at) == (PLACED, PLACED + timedelta(minutes=1))
    assert (found.shipped_at, found.delivered_at, found.updated_at) == (LATER, None, None)
    assert (found.subtotal, found.discount, found.shipping, found.total) == (2400, 100, 0, 2300)
    assert (found.payment_method, found.payment_kind) == ("クレジットカード", PaymentKind.CARD)
    assert (found.carrier, found.tracking_number) == ("ヤマト運輸", "4000")
    assert (found.delivery_date, found.buyer_comment) == (date(2026, 2, 6), "玄関前に")
    assert found.buyer == Buyer(
        email="hanako@example.jp",
        email_is_relay=True,
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        kana="ミホン ハナコ",
        phone="090-0000-0000",
    )
    assert found.recipient == Recipient(
        "見本 太郎", "ミホン タロウ", "090-0000-0001", "150-0001", "東京都渋谷区神宮前0"
    )
    assert found.lines == (Line("緑茶 50g", "tea-01", 2, 1200, 2300),)
    assert (found.hub_hold, found.hub_status, found.warnings) == (False, None, ())
    silent = {"buyer.member_id", "buyer.address", "buyer.birthday", "points", "fee", "tax", "gift"}
    assert not found.present & (silent | {"platform_order_count", "cancelled_at", "coupon_code"})


@pytest.mark.parametrize(
    ("status", "payment", "parcel"),
    [
        (1, Payment.UNPAID, Fulfilment.UNSHIPPED),
        (2, Payment.PAID, Fulfilment.UNSHIPPED),
        (3, Payment.PAID, Fulfilment.UNSHIPPED),
        (4, Payment.PAID, Fulfilment.SHIPPED),
        (5, Payment.PAID, Fulfilment.DELIVERED),
    ],
)
def test_statuses_have_their_states(status: int, payment: Payment, parcel: Fulfilment) -> None:
    assert states(told(status)) == (Life.OPEN, payment, parcel)
    assert states(told(status, ShippingStatus=str(status))) == (Life.OPEN, payment, parcel)


def test_an_order_that_waits_to_be_shipped_may_be_paid() -> None:
    assert told(1, PaymentDate=stamp(LATER)).payment is Payment.PAID


@pytest.mark.parametrize("word", ["", "Pondering", "Lost(9)", "Delivered(15)"])
def test_a_status_that_nobody_explained_is_told_as_unknown(word: str) -> None:
    found = told(ShippingStatus=word)
    assert found.warnings == ("unknown_status",)
    assert not found.present & {"life", "payment", "fulfilment"}
    assert found.total == 2300


@pytest.mark.parametrize(
    ("statuses", "parcel"),
    [
        ((3, 4), Fulfilment.PART),
        ((4, 5), Fulfilment.SHIPPED),
        ((5, 5), Fulfilment.DELIVERED),
        ((1, 3), Fulfilment.UNSHIPPED),
    ],
)
def test_a_cart_is_as_far_as_all_its_parcels(statuses: tuple[int, int], parcel: Fulfilment) -> None:
    rows = [order(10 + n, PLACED, status) for n, status in enumerate(statuses)]
    assert cart(*rows).fulfilment is parcel


def test_a_cart_adds_up_its_order_numbers() -> None:
    cup = order(11, PLACED, ItemTitle="湯呑", Option="", OrderQty=1, Discount=0, Total="1200.0000")
    found = cart(order(10, PLACED), cup)
    assert (found.subtotal, found.discount, found.total) == (3600, 100, 3500)
    assert [line.name for line in found.lines] == ["緑茶 50g", "湯呑"]


def test_a_cart_is_delivered_when_its_last_parcel_is() -> None:
    first = order(10, PLACED, 5, ShippingDate=stamp(PLACED), DeliveredDate=stamp(LATER))
    second = order(11, PLACED, 4, ShippingDate=stamp(LATER))
    assert (cart(first, second).shipped_at, cart(first, second).delivered_at) == (PLACED, None)
    last = LATER + timedelta(days=1)
    assert cart(first, second | {"DeliveredDate": stamp(last)}).delivered_at == last


# --- claims ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [3, 16])
def test_a_cart_is_cancelled_when_all_of_it_is(code: int) -> None:
    rows = [order(10, PLACED), order(11, PLACED)]
    gone = tuple(claim(row, code, LATER) for row in rows)
    found = cart(claims=gone)
    assert (found.life, found.cancelled_at, found.ordered_at) == (Life.CANCELLED, LATER, PLACED)
    assert not found.present & (MONEY | {"payment", "fulfilment"})
    assert (found.buyer.name, found.buyer.phone) == ("見本 花子", "090-0000-0000")
    assert "buyer.email" not in found.present
    assert found.hub_hold is False


def test_what_was_cancelled_of_a_cart_is_left_out_of_it() -> None:
    row = order(11, PLACED)
    found = cart(order(10, PLACED), claims=(claim(row, 3, LATER),))
    assert states(found) == (Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED)
    assert (found.total, len(found.lines), found.refunded) == (2300, 1, 0)
    assert cart(order(10, PLACED), row, claims=(claim(row, 3, LATER),)).total == 2300


@pytest.mark.parametrize("code", [6, 14])
def test_a_cart_is_returned_when_all_of_it_is(code: int) -> None:
    row = order(10, PLACED, 5)
    found = cart(row, claims=(claim(row, code, LATER),))
    assert states(found) == (Life.OPEN, Payment.REFUNDED, Fulfilment.RETURNED)
    assert (found.total, found.refunded) == (2300, 2300)
    assert not cart(claims=(claim(row, code, LATER),)).present & MONEY


def test_what_came_back_of_a_cart_lowers_what_was_spent() -> None:
    rows = [order(10, PLACED, 5), order(11, PLACED, 5, Total=1000)]
    found = cart(*rows, claims=(claim(rows[1], 6, LATER),))
    assert states(found) == (Life.OPEN, Payment.REFUNDED_PART, Fulfilment.DELIVERED)
    assert (found.total, found.refunded, found.warnings) == (3300, 1000, ("refund_computed",))


def test_a_part_that_never_arrived_is_refunded_by_what_the_claim_says() -> None:
    row = order(10, PLACED, 5)
    found = cart(row, claims=(claim(row, 15, LATER, nrPartRefundBalance="500.0"),))
    assert states(found) == (Life.OPEN, Payment.REFUNDED_PART, Fulfilment.DELIVERED)
    assert (found.refunded, found.hub_hold, found.warnings) == (500, False, ())
    assert cart(row, claims=(claim(row, 15, LATER),)).warnings == ("unknown_refund",)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "キャンセル要請 (1)"),
        (2, "キャンセル中 (2)"),
        (4, "返品要請 (4)"),
        (5, "返品中 (5)"),
        (11, "交換要請 (11)"),
        (12, "交換承認 (12)"),
        (13, "再配送中 (13)"),
    ],
)
def test_a_claim_that_waits_holds_the_order(code: int, words: str) -> None:
    row = order(10, PLACED, 4)
    found = cart(row, claims=(claim(row, code, LATER),))
    assert states(found) == (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED)
    assert (found.hub_hold, found.hub_status, found.total) == (True, words, 2300)


def test_a_cart_of_which_a_part_is_told_by_its_claim_only_tells_no_amounts() -> None:
    row = order(11, PLACED)
    found = cart(order(10, PLACED, 4), claims=(claim(row, 1, LATER),))
    assert (found.life, found.payment, found.hub_hold) == (Life.OPEN, Payment.PAID, True)
    assert not found.present & (MONEY | {"fulfilment"})


def test_a_claim_that_is_done_counts_more_than_one_that_waits() -> None:
    row = order(10, PLACED, 5)
    found = cart(row, claims=(claim(row, 13, LATER), claim(row, 6, LATER)))
    assert (found.fulfilment, found.hub_hold) == (Fulfilment.RETURNED, False)


@pytest.mark.parametrize("code", ["99", "", "Pondering"])
def test_a_claim_that_nobody_explained_holds_the_order(code: str) -> None:
    row = order(10, PLACED, 4)
    found = cart(row, claims=(claim(row, 1, LATER, claimStatus=code),))
    assert (found.hub_hold, found.warnings) == (True, ("unknown_status",))
    assert not found.present & {"life", "payment", "fulfilment"}


# --- money -----------------------------------------------------------------------------------


def test_shipping_and_cart_discounts_make_the_total_a_reckoned_one() -> None:
    found = told(
        ShippingRate=600, ShippingRateType="Charge", CartDiscountSeller=50, CartDiscountQoo10=30
    )
    assert (found.shipping, found.discount, found.total) == (600, 180, 2820)
    assert found.warnings == ("total_computed",)
    assert found.total == found.subtotal + found.shipping - found.discount  # type: ignore[operator]


def test_free_shipping_is_free_whatever_its_rate() -> None:
    assert told(ShippingRate=600, ShippingRateType="Free").total == 2300


@pytest.mark.parametrize(("setting", "total"), [("rows", 5800), ("cart", 5200), ("", None)])
def test_an_amount_in_several_rows_is_not_guessed(setting: str, total: int | None) -> None:
    fee: dict[str, Any] = {"ShippingRate": 600, "ShippingRateType": "Charge"}
    rows = [order(10 + n, PLACED, **fee) for n in range(2)]
    found = cart(*rows, cart_amounts=setting)
    assert (found.total, found.subtotal) == (total, 4800)
    assert ("amount_unclear" in found.warnings) is (total is None)
    assert ("total" in found.present) is (total is not None)


def test_a_cart_amount_that_rows_tell_differently_is_not_guessed_either() -> None:
    rows = [order(10 + n, PLACED, CartDiscountQoo10=100 * n + 100) for n in range(2)]
    assert cart(*rows, cart_amounts="cart").total is None
    assert cart(*rows, cart_amounts="rows").total == 4300


def test_other_currencies_keep_their_minor_units() -> None:
    found = told(Currency="USD", OrderPrice=12.5, Discount=1, Total=24.0)
    assert (found.currency, found.total, found.subtotal) == ("USD", 2400, 2500)
    assert found.lines[0].unit_price == 1250


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"Total": "23x0"}, "bad_money", "Total"),
        ({"Total": 2300.5}, "bad_money", "Total"),
        ({"Total": None}, "missing_value", "Total"),
        ({"Total": -100, "Discount": 0}, "negative_total", "Total"),
        ({"Currency": "YEN"}, "bad_currency", "Currency"),
        ({"OrderQty": "two"}, "bad_number", "OrderQty"),
        ({"OrderNo": None}, "missing_value", "OrderNo"),
        ({"OrderDate": ""}, "missing_value", "OrderDate"),
        ({"OrderDate": "soon"}, "bad_date", "OrderDate"),
        ({"PaymentDate": "0001-01-01 00:00:00"}, "bad_date", "PaymentDate"),
        ({"Buyer": ["見本"]}, "bad_text", "Buyer"),
    ],
)
def test_what_cannot_be_read_names_its_field(
    changes: dict[str, Any], code: str, field: str
) -> None:
    found = refused(order(10, PLACED, **changes))
    assert field in (found.field_name or "")
    assert (found.code, found.external_id, found.position) == (code, "900000001", "item 1")


def test_one_broken_order_number_refuses_its_cart() -> None:
    assert refused(order(10, PLACED), order(11, PLACED, Total="?")).code == "bad_money"


def test_a_cart_of_two_currencies_is_refused() -> None:
    assert refused(order(10, PLACED), order(11, PLACED, Currency="USD")).code == "bad_currency"


def test_a_claim_without_an_order_number_refuses_its_cart() -> None:
    row = order(10, PLACED)
    assert refused(row, claims=(claim(row, 3, LATER, orderNo=None),)).code == "missing_value"


# --- people ----------------------------------------------------------------------------------


def test_a_cart_without_a_buyer_is_told_all_the_same() -> None:
    nobody: dict[str, Any] = dict.fromkeys(
        ("Buyer", "BuyerKana", "BuyerTel", "BuyerMobile", "BuyerEmail", "Receiver", "ReceiverKana",
         "ReceiverMobile", "ZipCode", "ShippingAddress", "Address1", "Address2"), ""
    )  # fmt: skip
    found = told(**nobody)
    assert found.warnings == ("no_buyer",)
    assert (found.buyer, found.recipient) == (Buyer(), None)
    assert not {name for name in found.present if name.startswith(("buyer.", "recipient."))}


def test_people_keep_their_letters_and_lose_what_a_spreadsheet_put_before() -> None:
    found = told(Buyer="𠮷野 家子 様", BuyerMobile="", BuyerTel="'81-3-0000-0000", ZipCode="'150")
    assert (found.buyer.name, found.buyer.phone) == ("𠮷野 家子", "03-0000-0000")
    assert found.recipient
    assert found.recipient.postal_code == "150"


def test_an_address_that_is_none_is_warned_about() -> None:
    found = told(BuyerEmail="hanako at example")
    assert (found.warnings, "buyer.email" in found.present) == (("bad_email",), False)


def test_the_parts_of_an_address_stand_in_for_the_whole() -> None:
    found = told(ShippingAddress="")
    assert found.recipient
    assert found.recipient.address == "東京都渋谷区神宮前0"


def test_a_wish_that_cannot_be_read_refuses_no_order() -> None:
    found = told(DesiredDeliveryDate="2026-02-31")
    assert (found.warnings, "delivery_date" in found.present) == (("bad_delivery_date",), False)
