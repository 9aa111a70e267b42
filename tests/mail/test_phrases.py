"""Dates, money and time words as they stand in a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from worker.mail import phrases, wording
from worker.mail.facts import CouponFacts, LineFacts, OrderFacts, ShipPlan
from worker.mail.samples import sample_facts

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("day", "japanese", "english"),
    [
        (date(2026, 11, 2), "今月", "earlier this month"),
        (date(2026, 10, 31), "先月", "last month"),
        (date(2026, 3, 8), "今年3月", "in March this year"),
        (date(2025, 12, 24), "昨年12月", "in December last year"),
        (date(2024, 5, 19), "2024年5月", "in May 2024"),
    ],
)
def test_a_past_month_is_named_as_people_say_it(day: date, japanese: str, english: str) -> None:
    assert phrases.past_month(day, TODAY, "ja") == japanese
    assert phrases.past_month(day, TODAY, "en") == english


def test_december_seen_from_january_is_last_month() -> None:
    assert phrases.past_month(date(2026, 12, 31), date(2027, 1, 1), "ja") == "先月"


def test_dates_carry_their_weekday_and_a_year_only_when_far() -> None:
    assert phrases.full_date(TODAY, "ja") == "2026年11月22日(日)"
    assert phrases.full_date(TODAY, "en") == "Sunday, 22 November 2026"
    assert phrases.near_date(date(2026, 11, 24), TODAY, "ja") == "11月24日(火)"
    assert phrases.near_date(date(2027, 1, 5), TODAY, "ja") == "1月5日(火)"
    assert phrases.near_date(date(2027, 8, 5), TODAY, "ja") == "2027年8月5日(木)"


@pytest.mark.parametrize(
    ("minor", "currency", "japanese", "english"),
    [
        (12800, "JPY", "12,800円", "¥12,800"),
        (-100, "JPY", "-100円", "-¥100"),
        (0, "JPY", "0円", "¥0"),
        (1234, "USD", "$12.34", "$12.34"),
        (123456789012345678, "USD", "$1,234,567,890,123,456.78", "$1,234,567,890,123,456.78"),
    ],
)
def test_money_is_exact(minor: int, currency: str, japanese: str, english: str) -> None:
    assert phrases.money(minor, currency, "ja") == japanese
    assert phrases.money(minor, currency, "en") == english


@pytest.mark.parametrize(
    ("months", "japanese", "english"),
    [
        (0, "", ""),
        (1, "1か月", "1 month"),
        (5, "5か月", "5 months"),
        (12, "1年", "1 year"),
        (27, "2年3か月", "2 years and 3 months"),
    ],
)
def test_a_span_of_months_reads_naturally(months: int, japanese: str, english: str) -> None:
    assert phrases.span_of_months(months, "ja") == japanese
    assert phrases.span_of_months(months, "en") == english


def test_months_count_only_when_whole() -> None:
    assert phrases.months_between(date(2026, 1, 31), date(2026, 2, 28)) == 0
    assert phrases.months_between(date(2026, 6, 14), TODAY) == 5
    assert phrases.months_between(TODAY, date(2026, 1, 1)) == 0


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (22, "22nd"), (113, "113th")],
)
def test_english_ordinals(number: int, expected: str) -> None:
    assert phrases.ordinal(number) == expected


def test_a_designated_day_wins_over_the_shipping_day() -> None:
    plan = ShipPlan(date(2026, 11, 24), date(2026, 11, 28), "午前中")
    facts = replace(sample_facts("ja"), ship_plan=plan)
    assert wording.ship_plan(facts, "ja") == "ご指定の11月28日(土)のお届けに合わせて"
    assert wording.delivery_plan(facts, "ja") == "11月28日(土) 午前中 お届けご指定"
    assert wording.ship_plan(replace(facts, ship_plan=ShipPlan()), "ja") is None


def test_the_day_of_an_order_is_the_shops_day() -> None:
    late = OrderFacts("1", datetime(2026, 11, 21, 15, 0, tzinfo=UTC))
    facts = replace(sample_facts("ja"), orders=(late,))
    assert wording.ordered_on(facts, "ja") == "2026年11月22日(日)"


def test_a_coupon_ending_at_midnight_is_good_until_the_minute_before() -> None:
    coupon = CouponFacts(expires_at=datetime(2026, 12, 31, 15, 0, tzinfo=UTC))
    facts = replace(sample_facts("ja"), coupon=coupon)
    assert wording.coupon_expires(facts, "ja") == "2026年12月31日(木)23:59まで"


def test_an_unknown_smallest_purchase_is_not_no_condition() -> None:
    facts = sample_facts("ja")
    unknown = replace(facts, coupon=CouponFacts(amount=500))
    free = replace(facts, coupon=CouponFacts(amount=500, min_spend=0))
    assert wording.coupon_min_spend(unknown, "ja") is None
    assert wording.coupon_min_spend(free, "ja") == "すべての金額"
    assert wording.coupon_value(replace(facts, coupon=CouponFacts(percent=10)), "ja") == "10%"


def test_the_order_block_shows_what_was_bought_and_what_it_cost() -> None:
    assert wording.order_lines(sample_facts("ja"), "ja") == (
        "・煎茶ティーバッグ 20包\n  2点  2,160円\n・ほうじ茶 100g\n  1点  864円\n"
        "商品合計: 3,024円\n送料: 550円\nポイントご利用: -100円\nお支払い合計: 3,474円(税込)"
    )


def test_an_order_without_total_has_no_block_and_one_without_items_tells_its_sums() -> None:
    facts = sample_facts("ja")
    order = facts.orders[0]
    assert wording.order_lines(replace(facts, orders=(replace(order, total=None),)), "ja") is None
    bare = wording.order_lines(replace(facts, orders=(replace(order, lines=()),)), "ja")
    assert (
        bare
        == "商品合計: 3,024円\n送料: 550円\nポイントご利用: -100円\nお支払い合計: 3,474円(税込)"
    )
    assert wording.order_lines(replace(facts, orders=()), "ja") is None


def test_a_free_order_says_so() -> None:
    facts = sample_facts("ja")
    free = OrderFacts("1", facts.now, lines=(LineFacts("お試し"),), shipping=0, total=0)
    block = wording.order_lines(replace(facts, orders=(free,)), "ja")
    assert block == "・お試し\n  1点\n送料: 0円\nお支払い合計: 0円(税込)"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("煎茶ティーバッグ", "煎茶ティーバッグ"),
        (
            "【送料無料】★煎茶ティーバッグ 20包 国産 無農薬 ポスト投函",
            "煎茶ティーバッグ 20包 国産",
        ),
        ("[限定]《新茶》煎茶", "煎茶"),
        ("【送料無料】", "【送料無料】"),
        ("あ" * 60, "あ" * 40),
        (None, None),
    ],
)
def test_the_last_item_is_named_as_one_would_say_it(name: str | None, short: str | None) -> None:
    facts = replace(sample_facts("ja"), last_item_name=name)
    assert wording.last_item(facts, "ja") == short
