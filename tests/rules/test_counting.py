"""What counts, and for how much."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from worker.rules.counting import Counted, OrderFacts, count, counts, gate_open
from worker.rules.shop import Counting

RULES = Counting()
ORDER = OrderFacts(
    life="open",
    payment="paid",
    fulfilment="unshipped",
    payment_kind="card",
    paid_at=None,
    total=3000,
    shipping=500,
    refunded=None,
    currency="JPY",
)


@pytest.mark.parametrize(
    ("kind", "payment", "opens"),
    [
        ("card", "unpaid", False),
        ("card", "authorized", True),
        ("card", "refunded_part", True),
        ("cod", "unpaid", True),
        ("deferred", "unpaid", True),
        ("free", "unpaid", True),
        ("prepayment", "unpaid", False),
        ("prepayment", "authorized", False),
        ("prepayment", "paid", True),
        ("unknown", "authorized", False),
        ("unknown", "paid", True),
    ],
)
def test_the_gate_depends_on_the_payment_method(kind: str, payment: str, opens: bool) -> None:
    assert gate_open(replace(ORDER, payment_kind=kind, payment=payment), RULES) is opens


def test_a_payment_date_or_a_parcel_that_left_opens_the_gate() -> None:
    waiting = replace(ORDER, payment_kind="prepayment", payment="unpaid")
    assert not gate_open(waiting, RULES)
    assert gate_open(replace(waiting, paid_at=datetime(2026, 11, 1, tzinfo=UTC)), RULES)
    assert gate_open(replace(waiting, fulfilment="shipped"), RULES)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"life": "cancelled"}, False),
        ({"fulfilment": "returned"}, False),
        ({"payment": "refunded"}, False),
        ({"payment": "refunded_part", "refunded": 2999}, True),
        ({"total": 0}, True),
        ({"total": None}, True),
        ({"life": "cancelled", "fulfilment": "shipped"}, False),
    ],
)
def test_cancelled_returned_and_refunded_orders_do_not_count(
    change: dict[str, Any], expected: bool
) -> None:
    assert counts(replace(ORDER, **change), RULES) is expected


def test_a_partial_refund_lowers_the_spend_and_not_the_count() -> None:
    refunded = replace(ORDER, payment="refunded_part", refunded=1200)
    assert count(refunded, RULES) == Counted(counting=True, visit_counting=True, spend=1800)


def test_zero_totals_count_unless_the_shop_says_otherwise() -> None:
    free = replace(ORDER, total=0)
    assert count(free, RULES).counting
    assert not count(free, Counting(zero_amount=False)).counting


def test_only_the_first_delivery_of_a_subscription_is_a_visit() -> None:
    assert count(replace(ORDER, delivery_count=1), RULES).visit_counting
    later = count(replace(ORDER, delivery_count=2), RULES)
    assert (later.counting, later.visit_counting, later.spend) == (True, False, 3000)


@pytest.mark.parametrize(
    ("currency", "total", "rates", "spend", "warnings"),
    [
        ("USD", 1999, {"USD": Decimal("150.5")}, 3008, ()),
        ("KWD", 1500, {"KWD": Decimal(500)}, 750, ()),
        ("USD", 1999, {}, 0, ("no_rate",)),
    ],
)
def test_other_currencies_go_by_the_rate_or_are_no_spend(
    currency: str,
    total: int,
    rates: dict[str, Decimal],
    spend: int,
    warnings: tuple[str, ...],
) -> None:
    counted = count(replace(ORDER, currency=currency, total=total), Counting(rates=rates))
    assert (counted.counting, counted.spend, counted.warnings) == (True, spend, warnings)


def test_shipping_stays_out_of_the_spend_where_the_shop_says_so() -> None:
    assert count(ORDER, Counting(spend_without_shipping=True)).spend == 2500
    free = replace(ORDER, total=300)
    assert count(free, Counting(spend_without_shipping=True)).spend == 0
