"""Fixed windows over time: how a stream is polled without losing or chasing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A closed span to ask for; both ends are aware and fixed before the first page is read."""

    start: datetime
    end: datetime


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a window needs aware times")
    return moment.astimezone(UTC)


def windows(
    watermark: datetime | None,
    now: datetime,
    *,
    overlap: timedelta,
    longest: timedelta,
    since: datetime,
    lag: timedelta = timedelta(0),
) -> Iterator[Window]:
    """Cut the time from ``watermark - overlap`` to ``now - lag`` into windows.

    No window is longer than ``longest`` (the source's own limit), none starts before
    ``since`` (how far back the source or the shop's right goes), and each begins where
    the one before it ended. ``lag`` keeps away from seconds that still fill up. Yields
    nothing where there is nothing to read yet.
    """
    if longest <= timedelta(0):
        raise ValueError("a window needs a positive length")
    begin = _aware(since)
    if watermark is not None:
        begin = max(begin, _aware(watermark) - overlap)
    end = _aware(now) - lag
    while begin < end:
        stop = min(begin + longest, end)
        yield Window(begin, stop)
        begin = stop


def advanced(old: datetime | None, new: datetime) -> datetime:
    """Move a watermark forward only: an earlier moment never replaces a later one."""
    return _aware(new) if old is None else max(_aware(old), _aware(new))
