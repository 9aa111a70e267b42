"""Drawings of reports: bars as tall as their numbers, shades as their shares."""

from __future__ import annotations

import pytest

from console.views.report_charts import Column, nice_top, shade_of, stacked, up_and_down
from console.views.report_tables import scale_for
from tests.factories import NOW
from worker.rules.reporting import has_passed, middle, month_of

MONTH = month_of(NOW.date())


def test_a_stack_is_as_tall_as_its_numbers_and_starts_at_the_base() -> None:
    columns = [Column(MONTH, (100, 0, 300), "400")]
    chart = stacked("t", columns, ("f-first", "f-repeat", "f-vip"), ("0", "200", "400"), 400, "ja")
    assert [(bar.look, bar.y) for bar in chart.bars] == [("f-first", 223.0), ("f-vip", 22.0)]
    assert [(tick.y, tick.words) for tick in chart.ticks] == [
        (290.0, "0"),
        (156.0, "200"),
        (22.0, "400"),
    ]
    assert [one.words for one in chart.below] == ["11月", "2026年"]


def test_what_rose_and_what_fell_share_one_scale() -> None:
    chart = up_and_down("t", [(MONTH, 10, 5)], "en")
    up, down = chart.bars
    assert (up.h, down.h) == (80.0, 40.0)
    assert [one.words for one in chart.below] == ["Nov"]


@pytest.mark.parametrize(("most", "top"), [(0, 4), (3, 4), (41, 50), (101, 200), (450, 500)])
def test_the_scale_ends_at_a_round_number_above_the_largest(most: int, top: int) -> None:
    assert nice_top(most) == top


@pytest.mark.parametrize(("part", "shade"), [(None, 0), (10.0, 1), (20.0, 3), (30.0, 5)])
def test_a_share_is_shaded_among_the_others(part: float | None, shade: int) -> None:
    assert shade_of(part, 10.0, 30.0) == shade


@pytest.mark.parametrize(
    ("most", "currency", "locale", "words"),
    [
        (999_999, "JPY", "ja", "12,345"),
        (1_000_000, "JPY", "ja", "1"),
        (1_000_000, "JPY", "en", "12"),
        (9_999_999, "USD", "en", "123.45"),
    ],
)
def test_money_is_written_in_one_unit_for_a_table(
    most: int, currency: str, locale: str, words: str
) -> None:
    assert scale_for(most, currency, locale).words(12_345) == words


def test_a_cohort_waits_until_the_last_of_its_people_had_the_days() -> None:
    september = MONTH - 2
    assert has_passed(september, 30, NOW.date())
    assert not has_passed(september, 51, NOW.date())
    assert has_passed(september, 50, NOW.date())


def test_the_middle_is_a_value_that_somebody_has() -> None:
    assert middle([(10, 1), (40, 1)]) == 10
    assert middle([(10, 1), (20, 3), (90, 1)], 0.75) == 20
    assert middle([]) is None
