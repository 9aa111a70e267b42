"""Ladders, windows, judging days, grace, in words and against the slow way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline.naive_ranks import Bought, expected
from worker.rules.numbers import NO_OPENING, Opening
from worker.rules.rank_words import missing_words, rank_words
from worker.rules.ranks import LadderRules, Purchase, Walked, judging_days, walk
from worker.rules.shop import Condition, Demotion, Ladder, Rung

VIP = Rung("vip", "VIP", "VIP", 2, (Condition(orders=3, spend=9000, months=6),))
REPEAT = Rung("repeat", "リピーター", "Repeat", 2)
FIRST = Rung("first", "新規", "First-time")
LADDER = Ladder(rungs=(VIP, REPEAT, FIRST), demotion=Demotion(1, 1, 30))


def _history(*bought: tuple[date, int]) -> list[Purchase]:
    days: list[date] = []
    found = []
    for day, spend in bought:
        days.append(day)
        found.append(Purchase(day, True, spend, len(days), len(set(days))))
    return found


def _walk(
    *bought: tuple[date, int], today: date, ladder: Ladder = LADDER, opening: Opening = NO_OPENING
) -> Walked:
    return walk(_history(*bought), LadderRules(ladder), today, opening)


def _rank(walked: Walked, ladder: Ladder = LADDER) -> str | None:
    return None if walked.rung is None else ladder.rungs[walked.rung].id


CLIMBED = ((date(2026, 1, 10), 3000), (date(2026, 1, 20), 3000), (date(2026, 2, 5), 3000))


def test_promotion_is_at_once() -> None:
    walked = _walk(*CLIMBED, today=date(2026, 2, 5))
    assert [LADDER.rungs[each.rung].id for each in walked.at_orders] == ["first", "repeat", "vip"]


def test_the_same_day_so_many_months_ago_is_outside_the_window() -> None:
    ladder = Ladder((Rung("vip", "", "", 2, (Condition(orders=2, months=1),)), FIRST), None)
    for later, rank in ((date(2026, 4, 30), "vip"), (date(2026, 5, 1), "first")):
        walked = _walk((date(2026, 4, 1), 1), (later, 1), today=later, ladder=ladder)
        assert _rank(walked, ladder) == rank


@pytest.mark.parametrize("day", [date(2026, 2, 28), date(2028, 2, 29)])
def test_a_month_without_such_a_day_loses_nothing_and_keeps_nothing_extra(day: date) -> None:
    ladder = Ladder((Rung("vip", "", "", 2, (Condition(orders=2, months=1),)), FIRST), None)
    march = date(day.year, 3, 31)
    walked = _walk((day, 1), (march, 1), today=march, ladder=ladder)
    assert _rank(walked, ladder) == "first"


def test_a_rank_falls_on_the_first_judging_day_after_a_full_grace() -> None:
    # 10 January leaves the six months on 10 July; 30 days are full on 9 August.
    assert _rank(_walk(*CLIMBED, today=date(2026, 8, 31))) == "vip"
    fallen = _walk(*CLIMBED, today=date(2026, 9, 1))
    assert (_rank(fallen), fallen.fell, fallen.next_fall) == ("repeat", True, None)
    assert _walk(*CLIMBED, today=date(2026, 2, 5)).next_fall == date(2026, 9, 1)


def test_an_order_that_lifts_the_answer_starts_the_grace_anew() -> None:
    # Lower from 10 July, lifted on 12 August before any judging day found a full grace.
    again = [(date(2026, 8, day), 3000) for day in (10, 11, 12)]
    walked = _walk(*CLIMBED, *again, today=date(2026, 9, 1))
    assert (_rank(walked), walked.next_fall) == ("vip", date(2027, 4, 1))


def test_an_order_keeps_a_rank_that_the_ladder_would_not_give_now() -> None:
    walked = _walk(*CLIMBED, (date(2026, 8, 15), 100), today=date(2026, 8, 15))
    judged = walked.at_orders[-1]
    assert (LADDER.rungs[judged.rung].id, judged.facts["kept"]) == ("vip", True)


def test_without_demotion_a_rank_is_kept_for_good() -> None:
    kept = Ladder(LADDER.rungs, None)
    walked = _walk(*CLIMBED, today=date(2036, 1, 1), ladder=kept)
    assert (_rank(walked, kept), walked.next_fall) == ("vip", None)


def test_one_step_a_judging_day() -> None:
    high = Rung("high", "", "", 2, (Condition(spend=9000, months=1),))
    middle = Rung("middle", "", "", 2, (Condition(spend=9000, months=2),))
    ladder = Ladder((high, middle, REPEAT, FIRST), Demotion(1, 1, 1))
    bought = ((date(2026, 1, 10), 4500), (date(2026, 1, 11), 4500))
    found = [
        _rank(_walk(*bought, today=day, ladder=ladder), ladder)
        for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 31), date(2026, 4, 1))
    ]
    assert found == ["high", "middle", "middle", "repeat"]


def test_judging_days_of_short_months_are_their_last() -> None:
    days = list(judging_days(date(2026, 1, 31), date(2026, 4, 30), 31))
    assert days == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30)]


def test_opening_counts_are_visits_but_in_no_window() -> None:
    walked = _walk((date(2026, 1, 1), 1), today=date(2026, 1, 1), opening=Opening(9, 90_000))
    assert (_rank(walked), walked.facts["visits"], walked.facts["spend"]) == ("repeat", 10, 90_001)


def test_reasons_and_what_is_missing_in_words() -> None:
    walked = _walk(*CLIMBED[:2], today=date(2026, 2, 5))
    assert rank_words("repeat", walked.facts, LADDER, "ja") == "リピーター: 購入2回、累計6,000円"
    assert rank_words("repeat", walked.facts, LADDER, "en") == "Repeat: 2 visits, ¥6,000 in all"
    assert (
        missing_words("repeat", walked.facts, LADDER, "ja")
        == "VIPまで: 6か月であと1回、あと3,000円"
    )
    assert missing_words("repeat", walked.facts, LADDER, "en") == (
        "To VIP: 1 more and ¥3,000 more within 6 months"
    )
    assert missing_words("vip", walked.facts, LADDER, "ja") == ""


conditions = st.builds(
    Condition,
    orders=st.none() | st.integers(1, 6),
    spend=st.none() | st.integers(1, 9000),
    average=st.none() | st.integers(100, 2500),
).flatmap(
    lambda plain: st.one_of(
        st.just(plain),
        st.integers(1, 8).map(lambda n: _windowed(plain, months=n)),
        st.integers(5, 200).map(lambda n: _windowed(plain, days=n)),
    )
)


def _windowed(plain: Condition, months: int | None = None, days: int | None = None) -> Condition:
    return Condition(plain.orders, plain.spend, plain.average, months, days)


ladders = st.builds(
    Ladder,
    rungs=st.tuples(
        st.builds(Rung, st.just("a"), st.just(""), st.just(""), st.integers(1, 4),
                  st.lists(conditions, min_size=1, max_size=2).map(tuple)),
        st.builds(Rung, st.just("b"), st.just(""), st.just(""), st.integers(1, 3),
                  st.lists(conditions, min_size=1, max_size=1).map(tuple)),
        st.just(REPEAT),
        st.just(FIRST),
    ),
    demotion=st.builds(Demotion, st.integers(1, 31), st.just(1), st.integers(1, 45)),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    ladder=ladders.filter(
        lambda each: each.demotion is not None and each.demotion.judging_day < 29
    ),
    bought=st.lists(
        st.tuples(st.integers(0, 400), st.integers(0, 4000), st.booleans()), max_size=12
    ),
    rest=st.integers(0, 300),
)
def test_the_walk_equals_the_slow_way(
    ladder: Ladder, bought: list[tuple[int, int, bool]], rest: int
) -> None:
    start = date(2025, 1, 1)
    bought.sort(key=lambda each: each[0])
    orders = [
        Bought(
            key=str(n), person="p", scope="s", at=datetime(2025, 1, 1, tzinfo=UTC) + timedelta(day),
            day=start + timedelta(days=day), channel="c", number=f"{n:03d}",
            counts=counts, waits=not counts, spend=spend if counts else 0,
        )
        for n, (day, spend, counts) in enumerate(bought)
    ]  # fmt: skip
    today = (orders[-1].day if orders else start) + timedelta(days=rest)
    want, totals = expected(orders, ladder, today)
    walked = walk(_purchases(orders), LadderRules(ladder), today)
    ranks = [ladder.rungs[each.rung].id for each in walked.at_orders]
    assert ranks == [want[order.key].rank for order in orders]
    assert _rank(walked, ladder) == (totals["p", "s"][3] if totals else None)


def _purchases(orders: list[Bought]) -> list[Purchase]:
    found: list[Purchase] = []
    counted: list[Bought] = []
    for order in orders:
        so_far = [*counted, order]
        visits = len({each.day for each in so_far})
        found.append(Purchase(order.day, order.counts, order.spend, len(so_far), visits))
        if order.counts:
            counted = so_far
    return found
