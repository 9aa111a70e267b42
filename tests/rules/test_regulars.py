"""Who is due by their own rhythm."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from worker.rules.regulars import Rhythm, rhythm_of

TODAY = date(2026, 11, 24)


def days_ago(*days: int) -> list[date]:
    return [TODAY - timedelta(days=n) for n in days]


def test_two_visits_make_no_rhythm() -> None:
    assert rhythm_of(days_ago(60, 30), TODAY) is None


def test_the_usual_interval_is_the_median() -> None:
    assert rhythm_of(days_ago(150, 110, 68, 38), TODAY) == Rhythm(gap=40, since=38)


@pytest.mark.parametrize(
    ("since", "due", "over"),
    [
        (26, False, 0),
        (27, True, 0),
        (30, True, 0),
        (38, True, 8),
        (120, True, 90),
        (121, False, 91),
    ],
)
def test_due_is_from_nine_tenths_to_four_intervals(since: int, due: bool, over: int) -> None:
    rhythm = Rhythm(gap=30, since=since)
    assert (rhythm.due, rhythm.over) == (due, over)


def test_visits_on_one_day_are_one() -> None:
    assert rhythm_of([TODAY, TODAY, TODAY], TODAY) is None
