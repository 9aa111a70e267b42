"""A source's clock is read off its answers, travel time and caches left out."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.clock import difference_told, skew

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"date": "Fri, 20 Nov 2026 03:10:00 GMT"}, 600),
        ({"date": "Fri, 20 Nov 2026 02:00:00 GMT"}, -3600),
        ({"date": "Fri, 20 Nov 2026 03:00:20 GMT"}, 0),
        ({"date": "Fri, 20 Nov 2026 02:00:00 GMT", "age": "3600"}, 0),
        ({"date": "now"}, 0),
        ({}, 0),
    ],
)
def test_the_difference_is_the_sources_time_less_ours(
    headers: dict[str, str], seconds: int
) -> None:
    assert skew(headers, NOW) == timedelta(seconds=seconds)


def test_a_wrong_clock_is_told_in_minutes() -> None:
    assert difference_told(timedelta(0)) == ""
    told = difference_told(timedelta(minutes=-40))
    assert "時計が -40 分ずれています。" in told
    assert "The clocks differ by -40 min." in told
