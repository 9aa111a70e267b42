"""What an Amazon order becomes, and that nobody is named by what is kept of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.amazon.keeping import kept
from connectors.amazon.mapping import map_order
from connectors.contract import (
    BadRecord,
    Buyer,
    Fulfilment,
    Life,
    Order,
    Payment,
    PaymentKind,
    RawOrder,
)
from tests.connectors.amazon.stub import BUYER, item, order, order_id, package, parts, yen
from tests.connectors.harness import NOW


def mapped(status: str = "UNSHIPPED", **changes: Any) -> Order:
    return map_order(RawOrder(order_id(1), kept(order(1, NOW, status, **changes)), "item 1"))


def refused(**changes: Any) -> BadRecord:
    with pytest.raises(BadRecord) as caught:
        mapped(**changes)
    return caught.value


def test_an_order_tells_its_goods_and_its_money() -> None:
    one = mapped()
    assert (one.external_id, one.number, one.ordered_at) == (order_id(1), order_id(1), NOW)
    assert (one.subtotal, one.shipping, one.total, one.currency) == (2000, 400, 2400, "JPY")
    (line,) = one.lines
    assert (line.name, line.sku, line.quantity) == ("緑茶", "tea-01", 2)
    assert (line.unit_price, line.amount) == (1000, 2000)
    assert (one.payment_method, one.payment_kind) == ("CreditCard", PaymentKind.CARD)
    assert (one.gift_wrap, one.warnings) == ("紙袋", ())


def test_nobody_is_named_by_what_is_kept_or_mapped() -> None:
    told = order(1, NOW, packages=[package("SHIPPED", NOW)], tomorrow={"name": BUYER})
    told["orderItems"][0]["programs"] = [{"name": BUYER}]
    text = json.dumps(kept(told), ensure_ascii=False)
    for private in (
        "見本",
        "神宮前",
        "@",
        "0900",
        "150-0001",
        "渋谷",
        "PO-0",
        "4000000",
        "recipient",
    ):
        assert private not in text
    one = mapped()
    assert (one.buyer, one.recipient) == (Buyer(), None)
    assert not [name for name in one.present if name.startswith(("buyer", "recipient"))]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PENDING_AVAILABILITY", (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED)),
        ("PENDING", (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED)),
        ("UNSHIPPED", (Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED)),
        ("PARTIALLY_SHIPPED", (Life.OPEN, Payment.PAID, Fulfilment.PART)),
        ("SHIPPED", (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED)),
        ("CANCELLED", (Life.CANCELLED, None, None)),
    ],
)
def test_every_status_has_its_states(status: str, expected: tuple[object, ...]) -> None:
    one = mapped(status)
    assert (one.life, one.payment, one.fulfilment) == expected


def test_it_is_delivered_when_every_parcel_that_was_sent_is() -> None:
    done, gone = package("DELIVERED", NOW), package("CANCELLED", NOW)
    assert mapped("SHIPPED", packages=[done, gone]).fulfilment is Fulfilment.DELIVERED
    late = package("IN_TRANSIT", datetime(2026, 11, 20, 9, tzinfo=UTC))
    one = mapped("SHIPPED", packages=[done, late])
    assert one.fulfilment is Fulfilment.SHIPPED
    assert one.shipped_at == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert mapped("SHIPPED", packages=[gone]).fulfilment is Fulfilment.SHIPPED


def test_cancelled_items_are_left_out_and_all_of_them_cancel_the_order() -> None:
    gone = item(cancellation={"cancellationExecution": {"cancelledBy": "SELLER"}})
    one = mapped(orderItems=[item(), gone])
    assert (one.life, len(one.lines)) == (Life.OPEN, 1)
    sent = gone | {"fulfillment": {"quantityFulfilled": 2}}
    assert len(mapped("SHIPPED", orderItems=[item(), sent]).lines) == 2
    one = mapped(orderItems=[gone, gone])
    assert (one.life, one.lines) == (Life.CANCELLED, ())


def test_a_pending_order_without_amounts_is_silent_about_money() -> None:
    bare = {"orderItemId": "1", "quantityOrdered": 1, "product": {"asin": "B000000001"}}
    one = mapped("PENDING", proceeds={}, payment={}, orderItems=[bare])
    assert not {"total", "subtotal", "discount"} & one.present
    assert (one.currency, one.lines[0].name) == ("JPY", "B000000001")


def test_breakdowns_of_the_order_come_before_those_of_its_items() -> None:
    told = parts(ITEM=2000, SHIPPING=400, COD_FEE=330, GIFT_WRAP=100, DISCOUNT=-200, TAX=181)
    one = mapped(proceeds={"grandTotal": yen(2630), "breakdowns": told}, payment={})
    assert (one.subtotal, one.shipping, one.fee, one.discount) == (2000, 400, 430, 200)
    assert (one.tax, one.total, one.warnings) == (181, 2630, ())


def test_doubts_are_warnings_and_what_was_paid_is_the_total() -> None:
    told = {"grandTotal": yen(2000), "breakdowns": parts(ITEM=2000, MYSTERY=10)}
    origin = [{"orderId": order_id(9), "associationType": "REPLACEMENT_ORIGINAL_ID"}]
    one = mapped("LOST", proceeds=told, associatedOrders=origin)
    assert one.total == 2400
    wanted = ("unknown_status", "unknown_amount", "total_differs", "replacement_order")
    assert one.warnings == wanted
    assert "life" not in one.present


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"createdTime": ""}, "missing_value", "createdTime"),
        ({"createdTime": "soon"}, "bad_date", "createdTime"),
        ({"fulfillment": {"fulfillmentStatus": "UNFULFILLABLE"}}, "unfulfillable", None),
        ({"proceeds": {"grandTotal": yen("24.5")}}, "bad_money", "proceeds.grandTotal"),
        (
            {"proceeds": {"grandTotal": yen(-1)}, "payment": {}},
            "negative_total",
            "proceeds.grandTotal",
        ),
        (
            {"payment": {"paymentExecutions": [{"paymentAmount": {
                "amount": "1", "currencyCode": "USD"}}]}},
            "bad_money",
            "payment.paymentExecutions",
        ),
        (
            {"proceeds": {"grandTotal": {"amount": "1", "currencyCode": "YEN"}}, "payment": {}},
            "bad_money",
            None,
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_an_order_is_named(
    changes: dict[str, Any], code: str, field: str | None
) -> None:
    bad = refused(**changes)
    assert (bad.code, bad.position, bad.external_id) == (code, "item 1", order_id(1))
    assert field is None or bad.field_name == field
    assert bad.reason_ja
    assert BUYER not in json.dumps(bad.payload, ensure_ascii=False)
