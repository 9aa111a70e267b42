"""Thresholds for the top rank, proposed from what the shop's own customers bought."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LOW, AIM, HIGH = 0.03, 0.05, 0.08
"""The share of customers that a top rank should hold: so many can really be looked after."""

_COUNTS = (3, 4, 5, 6, 8, 10, 12)
LEAST_PEOPLE = 30
"""Of fewer customers a share says nothing."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """``orders`` and ``spend`` (minor units) within the window, and who would fit them."""

    orders: int
    spend: int
    people: int
    of: int

    @property
    def share(self) -> float:
        """Part of the customers, 0 to 1."""
        return self.people / self.of


def propose(bought: Sequence[tuple[int, int]], most: int = 3) -> list[Proposal]:
    """Thresholds by which 3 to 8 % fit, those nearest to 5 % first.

    ``bought`` holds (orders, net spend) in the window of every customer who bought in it.
    """
    if len(bought) < LEAST_PEOPLE:
        return []
    found = [p for orders in _COUNTS for p in _for_count(bought, orders)]
    inside = [p for p in found if LOW <= p.share <= HIGH]
    return sorted(inside, key=lambda p: (abs(p.share - AIM), p.orders))[:most]


def _for_count(bought: Sequence[tuple[int, int]], orders: int) -> Iterator[Proposal]:
    spends = sorted(spend for count, spend in bought if count >= orders)
    wanted = round(AIM * len(bought))
    if len(spends) < LOW * len(bought) or not wanted:
        return
    edge = spends[-min(wanted, len(spends))]
    spend = _round(max(edge, 1))
    people = len(spends) - bisect_left(spends, spend)
    yield Proposal(orders, spend, people, len(bought))


def _round(spend: int) -> int:
    """To a figure that people remember: 28,340 becomes 28,000, 3,480 becomes 3,500."""
    step = 100 if spend < 5_000 else 500 if spend < 10_000 else 1_000
    step = 5_000 if spend >= 50_000 else step
    return max(step, round(spend / step) * step)
