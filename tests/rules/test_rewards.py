"""Milestone numbers, gift limits and the arithmetic of reach and opening counts."""

from __future__ import annotations

from datetime import date

import pytest

from worker.rules.gifts import gift_allowed, gift_limit
from worker.rules.milestones import (
    first_milestone,
    is_milestone,
    milestones_up_to,
    reward_name,
    reward_of,
)
from worker.rules.numbers import Opening, Reach, certainty, month_key, months_before, scope_reach
from worker.rules.shop import MilestonePlan, Reward


def test_the_default_milestones_are_5_10_then_every_10() -> None:
    plan = MilestonePlan()
    assert [n for n in range(1, 41) if is_milestone(plan, n)] == [5, 10, 20, 30, 40]
    assert list(milestones_up_to(plan, 34)) == [5, 10, 20, 30]
    assert first_milestone(plan) == 5
    assert list(milestones_up_to(MilestonePlan(numbers=(3,), every=0), 99)) == [3]


def test_every_so_many_is_counted_from_the_last_named_number() -> None:
    plan = MilestonePlan(numbers=(5, 10), every=7)
    assert [n for n in range(1, 30) if is_milestone(plan, n)] == [5, 10, 17, 24]
    assert list(milestones_up_to(plan, 29)) == [5, 10, 17, 24]


def test_the_reward_of_every_tenth_does_not_spill_onto_named_ones() -> None:
    plan = MilestonePlan(rewards={"5": Reward(coupon_pool="p"), "every": Reward(sample="茶")})
    assert reward_name(reward_of(plan, 5)) == "card+coupon:p"
    assert reward_of(plan, 10) is None
    assert reward_name(reward_of(plan, 20)) == "card+sample"


@pytest.mark.parametrize(
    ("goods", "limit"), [(0, 200), (999, 200), (1000, 200), (1001, 200), (5000, 1000)]
)
def test_a_gift_is_at_most_a_fifth_and_200_yen_for_small_orders(goods: int, limit: int) -> None:
    assert gift_limit(goods) == limit
    assert gift_allowed(limit, goods)
    assert not gift_allowed(limit + 1, goods)


def test_month_keys_count_calendar_months() -> None:
    key = month_key(date(2026, 3, 31))
    assert months_before(key, 24) == month_key(date(2024, 3, 31))
    assert month_key(date(2026, 2, 28)) <= months_before(key, 1) < month_key(date(2026, 3, 1))


def test_a_scope_reaches_as_far_as_its_shortest_history() -> None:
    assert scope_reach([date(2020, 1, 1), None, date(2024, 5, 1)]) == date(2024, 5, 1)
    reach = Reach(date(2024, 5, 1), 12)
    assert [reach.covers(day) for day in (date(2025, 4, 30), date(2025, 5, 1))] == [False, True]
    assert not Reach(None, 12).covers(date(2026, 1, 1))


def test_uncertain_beats_provisional_and_provisional_beats_proved() -> None:
    assert [certainty(uncertain=u, counts=c) for u in (True, False) for c in (False, True)] == [
        "uncertain",
        "uncertain",
        "provisional",
        "proved",
    ]


def test_orders_that_were_told_already_are_not_counted_twice() -> None:
    assert Opening.left_over((7, 50_000), (2, 9_000)) == Opening(5, 41_000)
    assert Opening.left_over((1, 1_000), (3, 9_000)) == Opening(0, 0)
