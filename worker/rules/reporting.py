"""Months, shares and middles: the arithmetic of the reports."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

WITHIN = (30, 60, 90, 180)
"""Days from a first order within which a second one is looked for."""
LAST_NUMBER = 10
"""Up to this order the time from the first is told."""
SILENT = (180, 365, 730)
"""Days without an order from which on somebody is dormant, in three steps."""
PERIODS = (6, 12, 24)
"""Months that a report may cover, the present one among them."""


def month_of(day: date) -> int:
    """Months since year 0: neighbours differ by one."""
    return day.year * 12 + day.month - 1


def first_day(month: int) -> date:
    """The first day of a month given by its number."""
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    """Its last day."""
    return first_day(month + 1) - timedelta(days=1)


def months_until(today: date, length: int) -> range:
    """The ``length`` months that end with today's."""
    end = month_of(today)
    return range(end - length + 1, end + 1)


def has_passed(month: int, days: int, today: date) -> bool:
    """Whether so many days have gone by for everybody who came in that month."""
    return last_day(month) + timedelta(days=days) < today


def share(part: int, whole: int) -> float | None:
    """Per cent; None where there is nothing to share."""
    return 100 * part / whole if whole else None


def middle(counted: Iterable[tuple[int, int]], part: float = 0.5) -> int | None:
    """The value below which ``part`` of all lie, of (value, how many) pairs; None without any.

    The lower of two middles: it is a value that somebody really has.
    """
    pairs = sorted(counted)
    whole = sum(number for _, number in pairs)
    seen = 0
    for value, number in pairs:
        seen += number
        if number and seen >= whole * part:
            return value
    return None
