"""orderInfo to Order: states, money, people, and what is refused by name."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.aupay.mapping import map_order
from connectors.aupay.standing import MEANINGS, Statuses
from connectors.contract import (
    BadRecord,
    Buyer,
    Fulfilment,
    Life,
    Line,
    NeedsPerson,
    Order,
    Payment,
    PaymentKind,
    RawOrder,
    Recipient,
)
from connectors.kit.markup import parse
from tests.connectors.aupay.stub import Row, detail, inside, order

PLACED = datetime(2026, 2, 1, 12, 15, tzinfo=UTC)  # 21:15 in Tokyo
THIRD = datetime(2026, 2, 2, 15, tzinfo=UTC)  # midnight of 3 February in Tokyo
SAMPLE = Path(__file__).parent / "samples" / "trade_list.xml"


def raw(row: Row) -> RawOrder:
    """The row as the connector stores it: through XML and back."""
    tree = parse(f"<orderInfo>{inside(row)}</orderInfo>".encode())["orderInfo"]
    return RawOrder(row["orderId"] or "?", tree, "row 1")


def told(statuses: Statuses | None = None, **changes: Any) -> Order:
    return map_order(raw(order(1, PLACED, **changes)), statuses or Statuses())


def refused(**changes: Any) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        told(**changes)
    assert caught.value.payload
    assert caught.value.reason_ja
    return caught.value


def test_the_documented_answer_becomes_an_order() -> None:
    tree = parse(SAMPLE.read_bytes())["response"]["orderInfo"]
    found = map_order(RawOrder("512345678", tree, "row 1"), Statuses())
    assert (found.external_id, found.number) == ("512345678", "512345678")
    assert found.ordered_at == datetime(2026, 3, 4, 23, 30, tzinfo=UTC)
    assert (found.life, found.payment, found.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.UNSHIPPED,
    )
    assert (found.subtotal, found.shipping, found.fee, found.discount, found.points) == (
        5200, 500, 0, 200, 100,
    )  # fmt: skip
    assert (found.total, found.currency, found.updated_at) == (5400, "JPY", None)
    assert found.lines == (
        Line("煎茶", "sencha-2", 2, 1600, 3200),
        Line("湯呑", "cup-b", 1, 2000, 2000),
    )
    assert found.buyer_comment == "<急ぎ> & よろしく"
    assert (found.recipient, found.warnings) == (None, ())
    unspoken = {"gift", "cancelled_at", "carrier", "delivery_date", "note", "platform_order_count"}
    assert not unspoken & found.present


def test_the_usual_order() -> None:
    found = told()
    assert found.buyer == Buyer(
        email="hanako@example.jp",
        email_is_relay=True,
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        kana="ミホン ハナコ",
        phone="090-0000-0000",
        postal_code="150-0001",
        address="東京都渋谷区神宮前0-0-0",
    )
    assert found.recipient == Recipient(
        "見本 太郎", "ミホン タロウ", "011-000-0000", "060-0001", "北海道札幌市中央区0"
    )
    assert (found.gift, found.hub_hold, found.time_unknown) == (False, False, False)
    assert {"buyer.email_is_relay", "hub_hold", "gift"} <= found.present
    assert not {"buyer.member_id", "buyer.birthday"} & found.present


# --- states ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "life", "payment", "parcel", "hold"),
    [
        ("新規受付", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED, False),
        ("新規予約", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED, False),
        ("予約中", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED, False),
        ("与信待ち", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED, False),
        ("発送前入金待ち", Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED, False),
        ("不正取引審査中", Life.OPEN, None, None, True),
        ("審査保留", Life.OPEN, None, None, True),
        ("保留", Life.OPEN, None, None, True),
        ("発送待ち", Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED, False),
        ("発送後入金待ち", Life.OPEN, Payment.UNPAID, Fulfilment.SHIPPED, False),
        ("完了", Life.OPEN, Payment.PAID, Fulfilment.SHIPPED, False),
        ("キャンセル", Life.CANCELLED, None, None, False),
        ("キャンセル受付中", Life.CANCELLED, None, None, False),
        ("審査NG", Life.CANCELLED, None, None, False),
        ("審査ＮＧ ", Life.CANCELLED, None, None, False),
    ],
)
def test_statuses_have_their_states(
    status: str, life: Life, payment: Payment | None, parcel: Fulfilment | None, hold: bool
) -> None:
    found = told(orderStatus=status)
    assert (found.life, found.payment, found.fulfilment, found.hub_hold) == (
        life, payment, parcel, hold,
    )  # fmt: skip
    assert found.warnings == ()
    assert ("payment" in found.present) is (payment is not None)
    assert ("fulfilment" in found.present) is (parcel is not None)


def test_the_cancel_mark_is_believed_more_than_the_status() -> None:
    found = told(orderStatus="完了", cancelStatus="C", cancelDate="2026/02/03 10:00")
    assert found.life is Life.CANCELLED
    assert found.cancelled_at == datetime(2026, 2, 3, 1, tzinfo=UTC)
    stands = told(orderStatus="完了", cancelDate="2026/02/03")
    assert (stands.life, stands.cancelled_at) == (Life.OPEN, None)
    assert "cancelled_at" in stands.present


@pytest.mark.parametrize("status", ["新規受付", "発送待ち", "保留", "キャンセル"])
@pytest.mark.parametrize(
    "changes", [{"paymentStatus": "Y", "shipStatus": "Y"}, {"paymentDate": "2026/02/03"}]
)
def test_marks_and_days_carry_a_status_further(status: str, changes: dict[str, Any]) -> None:
    found = told(orderStatus=status, **changes)
    assert found.payment is Payment.PAID
    assert (found.fulfilment is Fulfilment.SHIPPED) is ("shipStatus" in changes)


def test_days_are_midnight_in_japan_and_the_parcels_own_day_comes_first() -> None:
    found = told(paymentDate="2026/02/03", shippingDate="2026/02/03", shipDate="2026/02/09 10:00")
    assert (found.paid_at, found.shipped_at) == (THIRD, THIRD)
    assert told(shipDate="2026/02/03").shipped_at == THIRD
    assert told(shipDate="2026/02/03").fulfilment is Fulfilment.SHIPPED


@pytest.mark.parametrize("status", ["出荷準備中", ""])
def test_a_status_that_nobody_explained_tells_nothing(status: str) -> None:
    found = told(orderStatus=status)
    assert found.warnings == ("unknown_status",)
    assert not {"life", "payment", "fulfilment", "hub_hold"} & found.present
    gone = told(orderStatus=status, cancelStatus="C", shipStatus="Y")
    assert (gone.life, gone.fulfilment, gone.payment) == (Life.CANCELLED, Fulfilment.SHIPPED, None)


def test_a_mark_that_nobody_explained_leaves_its_state_untold() -> None:
    found = told(orderStatus="発送待ち", paymentStatus="P")
    assert (found.life, found.payment, found.warnings) == (Life.OPEN, None, ("unknown_status",))
    assert told(shipStatus="?").fulfilment is None


def test_a_shop_explains_its_own_statuses() -> None:
    own = Statuses("出荷準備中=paid, 取り寄せ中 = hold ,仮=cancelled")
    ready = told(own, orderStatus="出荷準備中")
    assert (ready.payment, ready.warnings) == (Payment.PAID, ())
    assert told(own, orderStatus="取り寄せ中").hub_hold is True
    assert told(own, orderStatus="仮").life is Life.CANCELLED
    assert told(own, orderStatus="新規受付").life is Life.OPEN
    assert told(own, orderStatus="別").warnings == ("unknown_status",)
    assert told(Statuses(rest="paid"), orderStatus="別").payment is Payment.PAID
    assert told(Statuses(rest="paid"), orderStatus="").warnings == ("unknown_status",)


@pytest.mark.parametrize(
    ("own", "rest"), [("出荷準備中=ready", None), ("出荷準備中", None), ("a=new,", "x")]
)
def test_a_word_without_a_meaning_is_named(own: str, rest: str | None) -> None:
    with pytest.raises(NeedsPerson) as caught:
        Statuses(own, rest)
    assert "statuses" in caught.value.problem
    assert all(word in caught.value.remedy for word in MEANINGS)


# --- money, goods, words ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("クレジットカード決済", PaymentKind.CARD),
        ("auかんたん決済", PaymentKind.CARD),
        ("au PAY", PaymentKind.CARD),
        ("代金引換", PaymentKind.COD),
        ("銀行振込", PaymentKind.PREPAYMENT),
        ("コンビニ（前払い）", PaymentKind.PREPAYMENT),
        ("後払い決済", PaymentKind.DEFERRED),
        ("新しい決済", PaymentKind.UNKNOWN),
        ("", PaymentKind.UNKNOWN),
    ],
)
def test_payment_methods_have_their_kind(method: str, kind: PaymentKind) -> None:
    found = told(settlementName=method)
    assert (found.payment_method, found.payment_kind) == (method or None, kind)


def test_options_and_wrapping_are_fees_and_both_points_count() -> None:
    found = told(
        chargePrice="330", totalItemOptionPrice="100", totalGiftWrappingPrice="220", usePoint="50"
    )
    assert (found.fee, found.points, found.gift) == (650, 250, True)


@pytest.mark.parametrize("name", ["giftMessage", "noshiPresenterName1", "noshiPresenterName3"])
def test_a_givers_words_make_a_gift(name: str) -> None:
    assert told(details=[detail(), detail(**{name: "御礼"})]).gift is True
    assert told(details=[detail(itemCancelStatus="C", **{name: "御礼"}), detail()]).gift is False


def test_cancelled_items_are_left_out() -> None:
    gone = detail(itemCancelStatus="C")
    kept = detail(itemCode="", itemName="湯呑", unit="1", totalItemPrice="2200")
    found = told(details=[gone, kept])
    assert found.lines == (Line("湯呑", "-ag", 1, 2200, 2200),)
    assert told(details=[gone]).lines == ()
    assert "lines" in told(details=[gone]).present
    assert "lines" not in told(details=[]).present


def test_wishes_parcels_and_notes() -> None:
    found = told(
        deliveryRequestDay="2026/02/06",
        deliveryRequestTime="午前中",
        shippingCarrier="ヤマト運輸",
        shippingNumber="400000000000",
        userComment="<茶> & 菓子",
        memo="常連",
    )
    assert (found.delivery_date, found.delivery_band) == (date(2026, 2, 6), "午前中")
    assert (found.carrier, found.tracking_number) == ("ヤマト運輸", "400000000000")
    assert (found.buyer_comment, found.note) == ("<茶> & 菓子", "常連")
    assert told(deliveryRequestDay="指定なし").delivery_date is None
    odd = told(deliveryRequestDay="2026/02/31")
    assert (odd.warnings, "delivery_date" in odd.present) == (("bad_delivery_date",), False)


# --- people ----------------------------------------------------------------------------------


def test_an_order_without_its_buyer_tells_no_person() -> None:
    people = {
        name: None
        for name in order(1, PLACED)
        if name.startswith(("orderer", "sender", "mailAddress"))
    }
    found = told(**people)
    assert (found.buyer, found.recipient, found.warnings) == (Buyer(), None, ("no_buyer",))
    assert not [name for name in found.present if name.startswith(("buyer.", "recipient."))]


def test_letters_beyond_the_usual_ones_stay() -> None:
    assert told(ordererName="𠮷野　🍵 様").buyer.name == "𠮷野 🍵"


@pytest.mark.parametrize(
    ("name", "family", "given"),
    [
        ("見本花子", None, None),
        ("見本　花子", "見本", "花子"),
        ("Mary Ann Mihon", None, None),
    ],
)
def test_a_name_is_parted_only_where_it_has_one_space(
    name: str, family: str | None, given: str | None
) -> None:
    buyer = told(ordererName=name).buyer
    assert (buyer.family_name, buyer.given_name) == (family, given)


def test_the_second_phone_stands_in_for_the_first() -> None:
    found = told(ordererPhoneNumber1="", ordererPhoneNumber2="+81 90-0000-0001")
    assert found.buyer.phone == "090-0000-0001"


def test_a_bad_mail_is_warned_about_and_left_out() -> None:
    found = told(mailAddress="not a mail")
    assert found.warnings == ("bad_email",)
    assert not {"buyer.email", "buyer.email_is_relay"} & found.present


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"orderId": ""}, "missing_value", "orderId"),
        ({"orderDate": ""}, "missing_value", "orderDate"),
        ({"orderDate": "soon"}, "bad_date", "orderDate"),
        ({"orderDate": "9999/12/31 00:00"}, "bad_date", "orderDate"),
        ({"paymentDate": "soon"}, "bad_date", "paymentDate"),
        ({"requestPrice": "4,5x"}, "bad_money", "requestPrice"),
        ({"requestPrice": "45.5"}, "bad_money", "requestPrice"),
        ({"requestPrice": "-1"}, "negative_total", "requestPrice"),
        ({"usePoint": "many"}, "bad_money", "usePoint"),
        ({"details": [detail(unit="two")]}, "bad_number", "detail.unit"),
    ],
)
def test_a_broken_record_names_its_field(changes: dict[str, Any], code: str, field: str) -> None:
    bad = refused(**changes)
    assert (bad.code, bad.field_name, bad.position) == (code, field, "row 1")


def test_a_field_that_stands_twice_is_refused_not_guessed() -> None:
    tree = dict(raw(order(1, PLACED)).payload) | {"requestPrice": ["4500", "1"]}
    with pytest.raises(BadRecord) as caught:
        map_order(RawOrder("1", tree, "row 1"), Statuses())
    assert (caught.value.code, caught.value.field_name) == ("bad_text", "requestPrice")


def test_an_order_date_without_a_time_says_so() -> None:
    found = told(orderDate="2026/02/03")
    assert (found.ordered_at, found.time_unknown) == (THIRD, True)


def test_fields_of_a_later_version_do_no_harm() -> None:
    assert told(newField="7", pontapassCampaignApplyFlg="1") == told()
