"""A stream is polled in fixed windows that overlap what was read before."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.windows import Window, advanced, windows

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_windows_touch_and_never_exceed_the_longest() -> None:
    found = list(windows(None, START + 2.5 * DAY, overlap=HOUR, longest=DAY, since=START))
    assert found == [
        Window(START, START + DAY),
        Window(START + DAY, START + 2 * DAY),
        Window(START + 2 * DAY, START + 2.5 * DAY),
    ]


def test_the_overlap_is_read_again_but_never_before_the_start() -> None:
    mark = START + 10 * HOUR
    (one,) = windows(mark, START + 12 * HOUR, overlap=2 * HOUR, longest=DAY, since=START)
    assert one == Window(START + 8 * HOUR, START + 12 * HOUR)
    (two,) = windows(mark, START + 12 * HOUR, overlap=DAY, longest=DAY, since=START)
    assert two.start == START


def test_the_lag_keeps_away_from_seconds_that_still_fill() -> None:
    (one,) = windows(None, START + HOUR, overlap=HOUR, longest=DAY, since=START, lag=HOUR / 2)
    assert one.end == START + HOUR / 2
    assert list(windows(None, START, overlap=HOUR, longest=DAY, since=START)) == []


def test_a_watermark_never_goes_back() -> None:
    assert advanced(None, START) == START
    assert advanced(START + DAY, START) == START + DAY
    assert advanced(START, START + DAY) == START + DAY


def test_times_without_a_zone_are_refused() -> None:
    naive = START.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        list(windows(None, naive, overlap=HOUR, longest=DAY, since=START))
    with pytest.raises(ValueError, match="positive"):
        list(windows(None, START, overlap=HOUR, longest=timedelta(0), since=START))
