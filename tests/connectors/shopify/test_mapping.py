"""Orders of the Admin API: three states kept apart, words of tomorrow, people withheld."""

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
from connectors.shopify.mapping import map_order
from connectors.shopify.settings import map_settings
from tests.connectors.shopify.stub import customer, line, money, order, person


def mapped(settings: dict[str, Any] | None = None, **changes: Any) -> Order:
    config = ChannelConfig("own:shopify", "shopify", Family.OWN, settings or {})
    payload = order(1001, "2026-11-04T00:00:00Z", **changes)
    return map_order(RawOrder("1001", payload, "item 1"), map_settings(config))


def parcel(**changes: Any) -> dict[str, Any]:
    return {
        "id": "gid://shopify/Fulfillment/1", "status": "SUCCESS", "displayStatus": "IN_TRANSIT",
        "createdAt": "2026-11-02T00:00:00Z", "deliveredAt": None,
        "trackingInfo": [{"company": "ヤマト運輸", "number": "1234"}],
    } | changes  # fmt: skip


def test_an_order_with_everything_that_is_usual() -> None:
    one = mapped()
    assert (one.external_id, one.number) == ("1001", "#1001")
    assert one.ordered_at == datetime(2026, 11, 1, 0, 50, 26, tzinfo=UTC)
    assert one.updated_at == datetime(2026, 11, 4, tzinfo=UTC)
    assert (one.life, one.payment, one.fulfilment) == (
        Life.OPEN,
        Payment.PAID,
        Fulfilment.UNSHIPPED,
    )
    assert (one.subtotal, one.shipping, one.discount, one.tax) == (2000, 500, 0, 227)
    assert (one.total, one.refunded, one.currency) == (2500, 0, "JPY")
    assert (one.payment_method, one.payment_kind) == ("shopify_payments", PaymentKind.CARD)
    assert one.lines == (Line("緑茶", "tea-01", 2, 1000, 2000),)
    assert one.buyer == Buyer(
        member_id="1001",
        email="hanako@example.jp",
        name="見本 花子",
        family_name="見本",
        given_name="花子",
        phone="09000000000",
        postal_code="150-0001",
        address="東京都 渋谷区 神宮前0-0-0",
        locale="ja",
    )
    assert (one.recipient, one.warnings) == (None, ())
    assert (one.marketing_consent, one.consent_at) == (True, datetime(2026, 1, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("word", "payment"),
    [
        ("PENDING", Payment.UNPAID),
        ("PARTIALLY_PAID", Payment.UNPAID),
        ("EXPIRED", Payment.UNPAID),
        ("AUTHORIZED", Payment.AUTHORIZED),
        ("PAID", Payment.PAID),
        ("PARTIALLY_REFUNDED", Payment.REFUNDED_PART),
        ("REFUNDED", Payment.REFUNDED),
    ],
)
def test_each_word_of_payment(word: str, payment: Payment) -> None:
    assert mapped(displayFinancialStatus=word).payment is payment


def test_a_voided_or_cancelled_order_is_cancelled() -> None:
    assert mapped(displayFinancialStatus="VOIDED").life is Life.CANCELLED
    one = mapped(cancelledAt="2026-11-02T00:00:00Z", displayFinancialStatus="REFUNDED")
    assert (one.life, one.payment) == (Life.CANCELLED, Payment.REFUNDED)
    assert one.cancelled_at == datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "fulfilment"),
    [
        ("UNFULFILLED", Fulfilment.UNSHIPPED),
        ("FULFILLMENT_NOT_REQUIRED", Fulfilment.UNSHIPPED),
        ("SCHEDULED", Fulfilment.UNSHIPPED),
        ("RESTOCKED", Fulfilment.UNSHIPPED),
        ("PARTIALLY_FULFILLED", Fulfilment.PART),
        ("FULFILLED", Fulfilment.SHIPPED),
    ],
)
def test_each_word_of_fulfilment(word: str, fulfilment: Fulfilment) -> None:
    assert mapped(displayFulfillmentStatus=word).fulfilment is fulfilment


def test_an_order_on_hold_is_held() -> None:
    assert mapped(displayFulfillmentStatus="ON_HOLD").hub_hold is True
    assert mapped().hub_hold is False


@pytest.mark.parametrize(
    ("field", "untold"),
    [
        ("displayFinancialStatus", "payment"),
        ("displayFulfillmentStatus", "fulfilment"),
        ("returnStatus", ""),
    ],
)
def test_a_word_of_tomorrow_goes_to_review_and_tells_nothing(field: str, untold: str) -> None:
    word: dict[str, Any] = {field: "TELEPORTED"}
    one = mapped(None, **word)
    assert one.warnings == ("unknown_status",)
    assert untold not in one.present
    assert one.life is Life.OPEN


def test_delivered_means_every_parcel_came() -> None:
    came = parcel(deliveredAt="2026-11-03T00:00:00Z")
    later = parcel(createdAt="2026-11-03T00:00:00Z", displayStatus="DELIVERED", trackingInfo=[])
    failed = parcel(status="CANCELLED", createdAt="2026-11-01T00:00:00Z")
    one = mapped(displayFulfillmentStatus="FULFILLED", fulfillments=[failed, came, later])
    assert one.fulfilment is Fulfilment.DELIVERED
    assert one.shipped_at == datetime(2026, 11, 2, tzinfo=UTC)
    assert one.delivered_at == datetime(2026, 11, 3, tzinfo=UTC)
    assert (one.carrier, one.tracking_number) == ("ヤマト運輸", "1234")
    half = mapped(displayFulfillmentStatus="FULFILLED", fulfillments=[came, parcel()])
    assert (half.fulfilment, half.delivered_at) == (Fulfilment.SHIPPED, None)
    assert "delivered_at" not in half.present


@pytest.mark.parametrize(("left", "state"), [(0, Fulfilment.RETURNED), (1, Fulfilment.SHIPPED)])
def test_returned_means_nothing_is_left(left: int, state: Fulfilment) -> None:
    lines = {"nodes": [line(1, currentQuantity=left)]}
    one = mapped(displayFulfillmentStatus="FULFILLED", returnStatus="RETURNED", lineItems=lines)
    assert one.fulfilment is state


@pytest.mark.parametrize(
    ("back", "payment"), [("500.0", Payment.REFUNDED_PART), ("2500.0", Payment.REFUNDED)]
)
def test_refunds(back: str, payment: Payment) -> None:
    one = mapped(totalRefundedSet=money(back))
    assert (one.payment, one.refunded) == (payment, int(float(back)))


def test_money_is_exact_in_its_currency() -> None:
    bags = {name: money("19.90", "USD") for name in (
        "subtotalPriceSet", "totalShippingPriceSet", "totalTaxSet", "totalDiscountsSet",
        "totalPriceSet", "totalRefundedSet",
    )}  # fmt: skip
    assert mapped(currencyCode="USD", lineItems={"nodes": []}, **bags).total == 1990


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"totalPriceSet": money("2500.5")}, "bad_money", "totalPriceSet"),
        ({"totalPriceSet": money("2500", "USD")}, "bad_money", "totalPriceSet"),
        ({"totalPriceSet": None}, "bad_money", "totalPriceSet"),
        ({"totalPriceSet": money("-1")}, "negative_total", "totalPriceSet"),
        ({"currencyCode": "YEN"}, "bad_currency", "currencyCode"),
        ({"processedAt": None, "createdAt": "yesterday"}, "bad_date", "processedAt"),
    ],
)
def test_an_order_without_sound_money_or_date_stands_aside(
    changes: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(BadRecord) as caught:
        mapped(**changes)
    assert (caught.value.code, caught.value.field_name) == (code, field)
    assert caught.value.reason_ja


@pytest.mark.parametrize(
    ("state", "consent"),
    [("SUBSCRIBED", True), ("NOT_SUBSCRIBED", False), ("UNSUBSCRIBED", False), ("PENDING", False)],
)
def test_consent_is_what_the_customer_says_now(state: str, consent: bool) -> None:
    mail = {"emailAddress": "a@example.jp", "marketingState": state, "marketingUpdatedAt": None}
    assert mapped(customer=customer(9, 1, 1, defaultEmailAddress=mail)).marketing_consent is consent


def test_consent_nobody_can_read_is_not_told() -> None:
    mail = {"emailAddress": "a@example.jp", "marketingState": "INVALID", "marketingUpdatedAt": None}
    one = mapped(customer=customer(9, 1, 1, defaultEmailAddress=mail))
    assert "marketing_consent" not in one.present


def test_a_guests_consent_is_what_was_ticked_with_the_order() -> None:
    one = mapped(customer=None, customerAcceptsMarketing=False)
    assert (one.marketing_consent, one.buyer.member_id) == (False, None)


def test_people_who_are_withheld_do_not_empty_what_is_stored() -> None:
    one = mapped(email=None, phone=None, customer=None, billingAddress=None)
    assert {name for name in one.present if name.startswith(("buyer.", "recipient."))} == set()
    assert "marketing_consent" not in one.present
    assert one.buyer == Buyer(locale="ja")


def test_names_come_from_billing_then_shipping_then_the_customer() -> None:
    there = person(lastName="送付", firstName="先")
    assert mapped(billingAddress=None, shippingAddress=there).buyer.name == "送付 先"
    assert mapped(billingAddress=None).buyer.name == "見本 花子"


def test_a_gift_goes_to_somebody_else() -> None:
    there = person(firstName="太郎", provinceCode="JP-01", city="札幌市", address1="北1条",
                   zip="060-0001", phone=None)  # fmt: skip
    assert mapped(shippingAddress=there).recipient == Recipient(
        name="見本 太郎", postal_code="060-0001", address="北海道 札幌市 北1条"
    )


def test_a_foreign_province_stays_as_it_is() -> None:
    abroad = person(countryCodeV2="US", province="California", provinceCode="CA", city="LA")
    assert mapped(billingAddress=abroad).buyer.address == "California LA 神宮前0-0-0"


def test_attributes_of_the_cart_are_read_where_the_shop_named_them() -> None:
    asked = [
        {"key": "フリガナ", "value": "みほん　はなこ"},
        {"key": "配送日", "value": "2026-11-05"},
        {"key": "時間", "value": "午前中"},
    ]
    keys = {"kana": "フリガナ", "delivery_date": "配送日", "delivery_band": "時間", "store": "店"}
    one = mapped({"attributes": keys}, customAttributes=asked)
    assert one.buyer.kana == "ミホン ハナコ"
    assert (one.delivery_date, one.delivery_band) == (date(2026, 11, 5), "午前中")
    assert "store" not in one.present
    assert one.note == "フリガナ: みほん　はなこ\n配送日: 2026-11-05\n時間: 午前中"
    odd = [{"key": "配送日", "value": "11/5ごろ"}]
    assert mapped({"attributes": keys}, customAttributes=odd).warnings == ("bad_delivery_date",)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["Cash on Delivery (COD)"], PaymentKind.COD),
        (["gift_card", "shopify_payments"], PaymentKind.CARD),
        (["銀行振込"], PaymentKind.PREPAYMENT),
        (["manual"], PaymentKind.UNKNOWN),
        (["店頭払い"], PaymentKind.COD),
        ([], PaymentKind.UNKNOWN),
    ],
)
def test_payment_kinds(names: list[str], kind: PaymentKind) -> None:
    settings = {"payment_map": {"店頭払い": "cod"}}
    assert mapped(settings, paymentGatewayNames=names).payment_kind is kind


def test_a_free_order_has_no_payment_method() -> None:
    one = mapped(paymentGatewayNames=[], totalPriceSet=money("0.0"))
    assert (one.payment_method, one.payment_kind) == (None, PaymentKind.FREE)


def test_variants_codes_and_a_mail_address_that_is_none() -> None:
    lines = {"nodes": [line(1, variantTitle="100g"), line(2, variantTitle="Default Title"), None]}
    one = mapped(lineItems=lines, discountCodes=["TH5-A1", "TEA"], email="at home")
    assert [each.name for each in one.lines] == ["緑茶 - 100g", "緑茶", "-"]
    assert one.coupon_code == "TH5-A1,TEA"
    assert one.warnings == ("bad_email",)
    assert "buyer.email" not in one.present
