"""Which regulars are due by their own rhythm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from worker.rules.timing import usual_gap

NEARLY = Decimal("0.9")
"""From this part of the usual interval on the next order is looked for."""
GONE = 4
"""After so many usual intervals it is no lateness any more: winning back begins."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A person's usual interval and the days since the last visit, both in days."""

    gap: int
    since: int

    @property
    def over(self) -> int:
        """Days past the usual interval; 0 where it has not passed."""
        return max(0, self.since - self.gap)

    @property
    def due(self) -> bool:
        """Whether the next order is near or late, and not given up."""
        return NEARLY * self.gap <= self.since <= GONE * self.gap


def rhythm_of(visit_days: Sequence[date], today: date) -> Rhythm | None:
    """The rhythm of a person; None for too few visits to have one."""
    gap = usual_gap(visit_days)
    if gap is None:
        return None
    return Rhythm(gap=max(1, round(gap)), since=(today - max(visit_days)).days)
