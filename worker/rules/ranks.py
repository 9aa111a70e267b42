"""Ranks by a walk over one person's orders: up at once, down only by judging day and grace.

The six decisions of a rank rule, and how they are decided here:

1. How often judged: promotion at every counting order; demotion on ``judging_day`` of each month
   (the month's last day where it is shorter), in the morning, before the orders of that day.
2. Length of the window: per condition, in calendar months or days; neither means lifetime.
3. What the window is counted from: backwards from the day that is judged, that day included.
   ``(day - window, day]``, so the same day 24 months ago is outside.
4. Grace: a rank falls on judging day J when the ladder's answer was below it at the end of every
   one of the ``grace_days`` days before J (at least of the day before J). An order that lifts the
   answer again starts the grace anew.
5. Step up: at once, to whatever the ladder says, and never without an order.
6. Step down: ``steps`` rungs at most and never below the ladder's answer; each further step needs
   its own judging day and its own full grace.

Which orders count was decided before: a cancelled, refunded or merged order changes the list, and
the walk is made anew as if it had always been so. Hence an order placed only to climb and then
cancelled leaves nothing behind. A first visit never meets a condition of count or money, however
large. Where no rung fits, the last one is the rank: nobody is without.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from worker.rules.numbers import NO_OPENING, Opening, month_key, months_before
from worker.rules.shop import Condition, Demotion, Ladder

Facts = dict[str, Any]
"""``on`` (day), ``orders``, ``visits``, ``spend`` (lifetime), ``windows`` ``{"24m": [6, 61200]}``;
``kept`` where the rank stands higher than the ladder's answer of that day."""


Measured = dict[str, tuple[int, int]]
"""(orders, spend) by window name; an empty name is the lifetime."""


class Purchase(NamedTuple):
    """One order of the walk, in the person's order of buying; opening counts are not in it."""

    day: date
    counts: bool
    """False: its gate is still closed; it is judged as one order more and then forgotten. Its
    money has not come: ``spend`` is 0 then."""
    spend: int
    orders: int
    """Counting orders up to and with this one."""
    visits: int
    """Visits up to and with this one."""


class Judged(NamedTuple):
    """The rank at one order, as an index from the top of the ladder."""

    rung: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Walked:
    """Ranks at every order, and where the person stands at the end of ``today``."""

    at_orders: list[Judged]
    rung: int | None
    """None: no counting order yet."""
    facts: Facts
    fell: bool
    """The last change was a demotion."""
    next_fall: date | None
    """The judging day on which the rank falls if nothing is ordered until then."""


def window_name(condition: Condition) -> str:
    """``24m``, ``90d``, or empty for a lifetime."""
    if condition.months is not None:
        return f"{condition.months}m"
    return f"{condition.days}d" if condition.days is not None else ""


def judging_days(after: date, until: date, day_of_month: int) -> Iterator[date]:
    """The judging days after ``after``, up to and with ``until``."""
    year, month = after.year, after.month
    while True:
        day = date(year, month, min(day_of_month, monthrange(year, month)[1]))
        if day > until:
            return
        if day > after:
            yield day
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


class _Past:
    """The counting orders so far, ready for "how many, how much, within the window"."""

    __slots__ = ("days", "keys", "opening", "spends", "visits")

    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.days: list[int] = []
        self.keys: list[int] = []
        self.spends: list[int] = [0]
        self.visits: list[int] = []

    def add(self, purchase: Purchase) -> None:
        self.days.append(purchase.day.toordinal())
        self.keys.append(month_key(purchase.day))
        self.spends.append(self.spends[-1] + purchase.spend)
        self.visits.append(purchase.visits)

    def visits_on(self, day: date) -> int:
        last = bisect_right(self.days, day.toordinal())
        return (self.visits[last - 1] if last else 0) + self.opening.count

    def measure(self, condition: Condition, day: date) -> tuple[int, int]:
        """(orders, spend) of the window that ends with ``day``."""
        last = bisect_right(self.days, day.toordinal())
        if condition.months is not None:
            start = bisect_right(self.keys, months_before(month_key(day), condition.months))
        elif condition.days is not None:
            start = bisect_right(self.days, day.toordinal() - condition.days)
        else:
            return last + self.opening.count, self.spends[last] + self.opening.spend
        start = min(start, last)
        return last - start, self.spends[last] - self.spends[start]


def meets(condition: Condition, orders: int, spend: int) -> bool:
    """Whether a window with so many orders and so much net spend meets every value given."""
    return (
        (condition.orders is None or orders >= condition.orders)
        and (condition.spend is None or spend >= condition.spend)
        and (condition.average is None or (orders > 0 and spend >= condition.average * orders))
    )


class LadderRules:
    """A ladder made ready for many walks: its windows, each measured once."""

    __slots__ = ("averages", "demotion", "least_visits", "longest", "rungs", "windows")

    def __init__(self, ladder: Ladder) -> None:
        self.rungs = [
            (rung.min_visit, [(window_name(condition), condition) for condition in rung.any_of])
            for rung in ladder.rungs
        ]
        conditions = [condition for rung in ladder.rungs for condition in rung.any_of]
        self.windows = {window_name(condition): condition for condition in conditions}
        self.demotion = ladder.demotion
        conditional = [rung.min_visit for rung in ladder.rungs if rung.any_of]
        self.least_visits = max(2, min(conditional, default=1 << 30))
        self.longest = max(((c.months or 0) * 31 + (c.days or 0) for c in conditions), default=0)
        # Dropping cheap orders out of a window raises an average: only then can the ladder's
        # answer rise without an order.
        self.averages = any(condition.average is not None for condition in conditions)

    def answer(self, visits: int, measured: Measured) -> int:
        """The first rung that fits, as an index from the top."""
        for index, (least, conditions) in enumerate(self.rungs):
            if visits < least:
                continue
            if not conditions:
                return index
            if visits > 1:
                for name, condition in conditions:
                    if meets(condition, *measured[name]):
                        return index
        return len(self.rungs) - 1

    def plain_answer(self, visits: int) -> int:
        """The first rung that asks for visits only."""
        for index, (least, conditions) in enumerate(self.rungs):
            if visits >= least and not conditions:
                return index
        return len(self.rungs) - 1


class _Walk:
    """The walk itself; ``held`` is the rank in hand, an index from the top."""

    __slots__ = ("facts", "fell", "held", "past", "rules", "since")

    def __init__(self, rules: LadderRules, opening: Opening) -> None:
        self.rules = rules
        self.past = _Past(opening)
        self.held: int | None = None
        self.facts: Facts = {}
        self.since = date.min
        self.fell = False

    def _measure(self, day: date, orders: int = 0, spend: int = 0) -> Measured:
        measured: Measured = {}
        for name, condition in self.rules.windows.items():
            had = self.past.measure(condition, day)
            measured[name] = (had[0] + orders, had[1] + spend)
        return measured

    def answer_on(self, day: date) -> int:
        """The ladder's answer at the end of a day, from the orders up to it."""
        return self.rules.answer(self.past.visits_on(day), self._measure(day))

    def order(self, purchase: Purchase) -> Judged:
        """Judge one order: up at once; a provisional one leaves no trace."""
        self.judge_until(purchase.day)
        opening = self.past.opening
        visits = purchase.visits + opening.count
        orders = spend = 0
        if purchase.counts:
            self.past.add(purchase)
        else:
            orders, spend = 1, purchase.spend
        facts: Facts = {
            "on": purchase.day.isoformat(),
            "orders": purchase.orders + opening.count,
            "visits": visits,
            "spend": self.past.spends[-1] + opening.spend + spend,
        }
        if visits >= self.rules.least_visits:
            measured = self._measure(purchase.day, orders, spend)
            facts["windows"] = _told(measured)
            answer = self.rules.answer(visits, measured)
        else:
            answer = self.rules.plain_answer(visits)
        rung = answer if self.held is None else min(answer, self.held)
        if rung < answer:
            facts["kept"] = True
        if purchase.counts:
            self.fell = self.fell and rung == self.held
            self.held, self.facts, self.since = rung, facts, purchase.day
        return Judged(rung, facts)

    def _may_fall(self) -> Demotion | None:
        # A rung of visits alone is never lost: visits only grow.
        if self.held is None or not self.rules.rungs[self.held][1]:
            return None
        return self.rules.demotion

    def judge_until(self, day: date) -> None:
        """Work off the judging days since the last counting order, up to and with ``day``."""
        demotion = self._may_fall()
        if demotion is None:
            return
        for judged in judging_days(self.since, day, demotion.judging_day):
            if self._falls(judged, demotion):
                self._fall(judged, demotion)
                if self._may_fall() is None:
                    return

    def _falls(self, judged: date, demotion: Demotion) -> bool:
        held = self.held
        assert held is not None
        return all(self.answer_on(day) > held for day in self._days_to_check(judged, demotion))

    def _days_to_check(self, judged: date, demotion: Demotion) -> Iterator[date]:
        """The grace's days; without averages, its first day and those with orders suffice."""
        last = judged.toordinal() - 1
        first = judged.toordinal() - max(1, demotion.grace_days)
        if self.rules.averages:
            yield from map(date.fromordinal, range(first, last + 1))
            return
        yield date.fromordinal(first)
        days = self.past.days
        for day in days[bisect_right(days, first) : bisect_right(days, last)]:
            yield date.fromordinal(day)

    def _fall(self, judged: date, demotion: Demotion) -> None:
        assert self.held is not None
        measured = self._measure(judged - timedelta(days=1))
        answer = self.answer_on(judged - timedelta(days=1))
        self.held = min(self.held + demotion.steps, answer)
        self.fell = True
        self.facts = {
            **{key: self.facts[key] for key in ("orders", "visits", "spend")},
            "on": judged.isoformat(),
            "windows": _told(measured),
        }
        if self.held < answer:
            self.facts["kept"] = True

    def next_fall(self, today: date) -> date | None:
        """The first judging day after ``today`` on which the rank would fall."""
        demotion = self._may_fall()
        if demotion is None:
            return None
        horizon = today + timedelta(days=self.rules.longest + demotion.grace_days + 62)
        for judged in judging_days(today, horizon, demotion.judging_day):
            if self._falls(judged, demotion):
                return judged
        return None


def _told(measured: Measured) -> dict[str, list[int]]:
    return {name: [orders, spend] for name, (orders, spend) in measured.items() if name}


def walk(
    history: Sequence[Purchase], rules: LadderRules, today: date, opening: Opening = NO_OPENING
) -> Walked:
    """Walk one person's orders of one scope, in the order of buying, to the end of ``today``."""
    path = _Walk(rules, opening)
    judged = [path.order(purchase) for purchase in history]
    path.judge_until(today)
    return Walked(judged, path.held, path.facts, path.fell, path.next_fall(today))
