"""Positions of orders in a person's history: calendar windows, opening counts, how certain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from worker.rules.states import Certainty

_MONTH = 32
"""Days a month takes in a month key: more than any month has, so that keys never overlap."""


def month_key(day: date) -> int:
    """Number a day so that "the same day N calendar months earlier" is N * 32 less.

    Keys grow with days. A window of 24 months that ends on 31 March begins after "31 March" two
    years earlier; where a month has no such day, its last day is still outside the window.
    """
    return (day.year * 12 + day.month - 1) * _MONTH + day.day


def months_before(key: int, months: int) -> int:
    """The key of the same day so many calendar months earlier."""
    return key - months * _MONTH


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a scope's orders are complete, and how far they must be for a sure number."""

    since: date | None
    """None: nothing is known of the scope's past, every number in it is uncertain."""
    limit_months: int

    def covers(self, day: date) -> bool:
        """Whether the history reaches far enough back before an order of this day."""
        if self.since is None:
            return False
        return month_key(self.since) <= months_before(month_key(day), self.limit_months)


def scope_reach(channels: Iterable[date | None]) -> date | None:
    """A scope reaches back as far as the shortest history of its channels that have orders."""
    return max((day for day in channels if day is not None), default=None)


def certainty(*, uncertain: bool, counts: bool) -> Certainty:
    """Uncertain beats provisional, provisional beats proved."""
    if uncertain:
        return Certainty.UNCERTAIN
    return Certainty.PROVED if counts else Certainty.PROVISIONAL


@dataclass(frozen=True, slots=True)
class Opening:
    """What a customer had before the stored history, less the stored orders of that same time."""

    count: int = 0
    spend: int = 0

    @classmethod
    def left_over(cls, told: tuple[int, int], stored: tuple[int, int]) -> Opening:
        """(count, spend) as told, less what is stored from before the same day.

        Older orders that arrive later are among those told: they must not count twice.
        """
        return cls(max(0, told[0] - stored[0]), max(0, told[1] - stored[1]))

    def plus(self, other: Opening) -> Opening:
        """Both together: several channels, or two customers found to be one."""
        return Opening(self.count + other.count, self.spend + other.spend)


NO_OPENING = Opening()
