"""Orders of wc/v3 as current, old and plugin-ridden shops write them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from connectors.contract import (
    BadRecord,
    Buyer,
    ChannelConfig,
    Family,
    Fulfilment,
    Life,
    Line,
    Order,
    Payment,
    PaymentKind,
    RawOrder,
    Recipient,
)
from connectors.woocommerce.mapping import map_order
from connectors.woocommerce.settings import map_settings
from tests.connectors.woocommerce.stub import line, row


def mapped(settings: dict[str, Any] | None = None, **changes: Any) -> Order:
    config = ChannelConfig("own:shop", "woocommerce", Family.OWN, settings or {})
    payload = row(501, "2026-02-01T11:05:00", **changes)
    return map_order(RawOrder("501", payload, "page 1"), map_settings(config))


def meta(**values: Any) -> list[dict[str, Any]]:
    return [{"id": n, "key": key, "value": value} for n, (key, value) in enumerate(values.items())]


def test_an_order_with_everything_that_is_usual() -> None:
    order = mapped()
    assert (order.external_id, order.number) == ("501", "501")
    assert order.ordered_at == datetime(2026, 2, 1, 11, 3, tzinfo=UTC)
    assert order.updated_at == datetime(2026, 2, 1, 11, 5, tzinfo=UTC)
    assert (order.life, order.payment, order.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.UNSHIPPED,
    )
    assert (order.payment_method, order.payment_kind) == ("代金引換", PaymentKind.COD)
    assert (order.subtotal, order.shipping, order.fee, order.discount) == (2000, 500, 0, 0)
    assert (order.total, order.tax, order.refunded, order.currency) == (2500, 227, 0, "JPY")
    assert order.lines == (Line("緑茶", "tea-01", 2, 1000, 2000),)
    assert order.buyer == Buyer(
        email="hanako@example.jp",
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        phone="0300000000",
        postal_code="150-0001",
        address="東京都 渋谷区 神宮前0-0-0",
    )
    assert order.recipient is None
    assert order.warnings == ()


def test_what_the_answer_cannot_speak_of_is_not_told() -> None:
    present = mapped().present
    assert {"buyer.kana", "marketing_consent", "shipped_at", "cancelled_at"} & present == set()
    assert {"paid_at", "refunded", "buyer.email", "recipient.name", "lines"} <= present


@pytest.mark.parametrize(
    ("status", "paid", "states"),
    [
        ("pending", None, (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED)),
        ("on-hold", None, (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED)),
        ("on-hold", "2026-02-02T00:00:00", (Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED)),
        ("wc-processing", None, (Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED)),
        ("completed", None, (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED)),
        ("cancelled", None, (Life.CANCELLED, Payment.UNPAID, None)),
        ("cancelled", "2026-02-02T00:00:00", (Life.CANCELLED, Payment.PAID, None)),
        ("failed", None, (Life.CANCELLED, Payment.UNPAID, None)),
        ("trash", None, (Life.CANCELLED, Payment.UNPAID, None)),
        ("refunded", None, (Life.OPEN, Payment.REFUNDED, None)),
    ],
)
def test_each_status_of_the_shop(status: str, paid: str | None, states: tuple[Any, ...]) -> None:
    order = mapped(status=status, date_paid_gmt=paid)
    assert (order.life, order.payment, order.fulfilment) == states
    assert ("fulfilment" in order.present) == (states[2] is not None)


def test_a_status_nobody_knows_tells_nothing_and_says_so() -> None:
    order = mapped(status="picking")
    assert (order.life, order.payment, order.fulfilment) == (None, None, None)
    assert {"life", "payment", "fulfilment"} & order.present == set()
    assert order.warnings == ("unknown_status",)


def test_a_plugin_status_is_what_the_shop_says_it_is() -> None:
    order = mapped({"status_map": {"picking": "open/paid/part"}}, status="picking")
    assert (order.payment, order.fulfilment, order.warnings) == (
        Payment.PAID,
        Fulfilment.PART,
        (),
    )


@pytest.mark.parametrize(
    ("back", "payment"), [("-500", Payment.REFUNDED_PART), ("-2500", Payment.REFUNDED)]
)
def test_refunds_are_negative_texts_beside_an_unchanged_total(back: str, payment: Payment) -> None:
    order = mapped(refunds=[{"id": 9, "reason": "", "total": back}])
    assert (order.payment, order.refunded, order.total) == (payment, -int(back), 2500)


def test_parts_add_up_with_fees_and_discounts_of_either_sign() -> None:
    order = mapped(
        fee_lines=[
            {"id": 1, "name": "代引手数料", "total": "300", "total_tax": "30"},
            {"id": 2, "name": "ポイント値引", "total": "-100", "total_tax": "0"},
        ],
        line_items=[line(501, total="1618", total_tax="162")],
        coupon_lines=[{"id": 3, "code": "th5-a1", "discount": "200", "discount_tax": "20"}],
        discount_total="200",
        discount_tax="20",
        total="2510",
    )
    assert (order.subtotal, order.fee, order.discount, order.total) == (2000, 330, 320, 2510)
    assert (order.coupon_code, order.lines[0].amount, order.warnings) == ("th5-a1", 1780, ())


def test_parts_that_do_not_add_up_are_told() -> None:
    assert mapped(total="2600").warnings == ("total_differs",)


def test_a_shop_with_cents_and_one_that_keeps_cents_of_a_yen() -> None:
    dollars = mapped(currency="USD", total="25.00", line_items=[], shipping_total="24.99",
                     shipping_tax="0.01")  # fmt: skip
    assert (dollars.total, dollars.shipping) == (2500, 2500)
    yen = mapped(total="2500.00", shipping_total="454.55", shipping_tax="45.44")
    assert (yen.total, yen.shipping, yen.warnings) == (2500, 500, ("amount_rounded",))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"total": "2500.5"}, "bad_money", "total"),
        ({"total": ""}, "bad_money", "total"),
        ({"total": "-1"}, "negative_total", "total"),
        ({"shipping_total": "free"}, "bad_money", "shipping_total"),
        ({"shipping_total": "NaN"}, "bad_money", "shipping_total"),
        ({"currency": "YEN"}, "bad_currency", "currency"),
        ({"currency": None}, "bad_currency", "currency"),
        ({"date_created": None, "date_created_gmt": None}, "bad_date", "date_created_gmt"),
    ],
)
def test_an_order_without_sound_money_or_date_stands_aside(
    changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(BadRecord) as caught:
        mapped(**changes)
    assert (caught.value.code, caught.value.field_name) == (code, field)
    assert caught.value.external_id == "501"
    assert caught.value.reason_ja


def test_an_old_shop_without_utc_times_is_read_in_the_shops_zone() -> None:
    order = mapped(date_created_gmt="-0001-11-30T00:00:00", date_modified_gmt="")
    assert order.ordered_at == datetime(2026, 2, 1, 11, 3, tzinfo=UTC)
    assert order.updated_at == datetime(2026, 2, 1, 11, 5, tzinfo=UTC)


def test_kana_come_from_the_keys_of_the_usual_plugin_or_of_the_shop() -> None:
    usual = meta(_billing_yomigana_last_name="みほん", _billing_yomigana_first_name="ハナコ")
    assert mapped(meta_data=usual).buyer.kana == "ミホン ハナコ"
    own = mapped({"kana_keys": [["sei", "mei"]]}, meta_data=meta(sei="ﾐﾎﾝ", mei="ﾊﾅｺ"))
    assert own.buyer.kana == "ミホン ハナコ"
    assert "buyer.kana" in own.present


def test_fields_of_plugins_are_read_where_the_shop_named_them() -> None:
    keys = {"delivery_date": "day", "delivery_band": "time", "marketing_consent": "news"}
    order = mapped({"meta_keys": keys}, meta_data=meta(day="2026/02/05", time="午前中", news="yes"))
    assert (order.delivery_date, order.delivery_band) == (date(2026, 2, 5), "午前中")
    assert order.marketing_consent is True
    silent = mapped({"meta_keys": keys}, meta_data=meta(day="指定なし", news={"odd": 1}))
    assert (silent.delivery_date, silent.warnings) == (None, ("bad_marketing_consent",))
    assert "marketing_consent" not in silent.present
    assert "delivery_band" not in silent.present


def test_parcels_of_the_tracking_plugin_and_the_completion() -> None:
    parcels = [{"tracking_provider": "yamato", "tracking_number": "1234", "date_shipped": "1"}]
    order = mapped(
        status="completed",
        date_completed_gmt="2026-02-03T01:00:00",
        meta_data=meta(_wc_shipment_tracking_items=parcels),
    )
    assert (order.carrier, order.tracking_number) == ("yamato", "1234")
    assert order.shipped_at == datetime(2026, 2, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("method", "title", "kind"),
    [
        ("bacs", "銀行振込", PaymentKind.PREPAYMENT),
        ("stripe", "クレジットカード", PaymentKind.CARD),
        ("stripe", "お支払い", PaymentKind.CARD),
        ("paidy", "あと払い", PaymentKind.DEFERRED),
        ("odd", "odd", PaymentKind.UNKNOWN),
        ("", "", PaymentKind.UNKNOWN),
    ],
)
def test_payment_kinds(method: str, title: str, kind: PaymentKind) -> None:
    assert mapped(payment_method=method, payment_method_title=title).payment_kind is kind


def test_a_free_order_has_no_payment_method() -> None:
    order = mapped(
        payment_method="", payment_method_title="", total="0", line_items=[],
        shipping_total="0", shipping_tax="0",
    )  # fmt: skip
    assert (order.payment_method, order.payment_kind) == (None, PaymentKind.FREE)


def test_guests_have_no_member_id_and_members_have_theirs() -> None:
    assert mapped().buyer.member_id is None
    assert mapped(customer_id=26).buyer.member_id == "26"


def test_a_gift_goes_to_somebody_else() -> None:
    shipping = {
        "first_name": "太郎",
        "last_name": "見本",
        "phone": "+81 90-0000-0000",
        "postcode": "060-0001",
        "state": "JP01",
        "city": "札幌市",
        "address_1": "北1条",
    }
    assert mapped(shipping=shipping).recipient == Recipient(
        name="見本 太郎",
        phone="090-0000-0000",
        postal_code="060-0001",
        address="北海道 札幌市 北1条",
    )


def test_a_foreign_state_stays_as_it_is() -> None:
    billing = {"state": "CA", "city": "Los Angeles", "address_1": "1 Main", "country": "US"}
    assert mapped(billing=billing).buyer.address == "CA Los Angeles 1 Main"


def test_a_mail_address_that_is_none_is_told_and_not_taken() -> None:
    order = mapped(billing={"email": "hanako at home", "last_name": "見本"})
    assert (order.buyer.email, order.warnings) == (None, ("bad_email",))
    assert "buyer.email" not in order.present


def test_letters_of_four_bytes_and_odd_shapes_pass() -> None:
    order = mapped(
        billing={"last_name": "𠮷野", "first_name": "🍵"},
        customer_note="ありがとう🎁",
        meta_data={"0": "not a list"},
        line_items=[None, line(1, name=None, sku=None, quantity="0.5"), "x"],
        refunds=None,
    )
    assert (order.buyer.name, order.buyer_comment) == ("𠮷野 🍵", "ありがとう🎁")
    assert [(one.name, one.quantity) for one in order.lines] == [("-", 1)]
