"""Measuring: the median of some rounds, always beside the bare limit of the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

ROUNDS = 3


@dataclass(slots=True)
class Stopwatch:
    """Seconds spent inside its blocks; what a trial prepares outside of them is free."""

    seconds: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time of this block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - start


Trial = Callable[[Stopwatch], int]
"""Does the work once, its essential part under the stopwatch, and says how many it did."""


@dataclass(frozen=True, slots=True)
class Contest:
    """One line of the table. ``aim``: Okaeri may take so many times as long as the bare limit."""

    name: str
    unit: str
    bare: Trial
    okaeri: Trial | None = None
    aim: float | None = None
    seconds: float = 60.0
    """No further round is begun that would end after so long: a slow machine gets fewer."""


@dataclass(slots=True)
class Result:
    """Rates per second of each round, in the order they were run."""

    contest: Contest
    bare: list[float] = field(default_factory=list)
    okaeri: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """How many times as long Okaeri takes: the median of the rounds' ratios."""
        pairs = list(zip(self.bare, self.okaeri, strict=False))
        return statistics.median(bare / ours for bare, ours in pairs) if pairs else None


def rate(trial: Trial) -> float:
    """Run a trial once; how many it did per second."""
    watch = Stopwatch()
    done = trial(watch)
    return done / watch.seconds


def compare(contest: Contest, rounds: int = ROUNDS) -> Result:
    """Run both sides in turns, so that a busy moment of the machine falls on both.

    At least one round, at most ``rounds``, fewer where the contest's seconds do not suffice.
    """
    result = Result(contest)
    began = time.perf_counter()
    for done in range(rounds):
        spent = time.perf_counter() - began
        if done and spent * (done + 1) / done > contest.seconds:
            break
        if contest.okaeri is not None:
            result.okaeri.append(rate(contest.okaeri))
        result.bare.append(rate(contest.bare))
    return result


def row(result: Result) -> tuple[str, ...]:
    """The result as words of one table line."""
    contest = result.contest
    ours = f"{statistics.median(result.okaeri):,.0f}" if result.okaeri else ""
    ratio = f"{result.ratio:.2f}x" if result.ratio is not None else ""
    aim = f"{contest.aim:g}x" if contest.aim is not None and result.okaeri else ""
    bare = f"{statistics.median(result.bare):,.0f}"
    return contest.name, contest.unit, str(len(result.bare)), bare, ours, ratio, aim
