"""Numbers, spend and ranks once more, the slow and simple way, to compare with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from worker.rules.shop import Condition, Ladder


@dataclass(frozen=True)
class Bought:
    """One order as an outsider sees it; ``counts`` and ``spend`` are decided already."""

    key: str
    person: str
    scope: str
    at: datetime
    day: date
    channel: str
    number: str
    counts: bool
    waits: bool
    spend: int


@dataclass(frozen=True)
class Expected:
    ordinal: int | None
    visit: int | None
    rank: str | None


def expected(
    orders: Iterable[Bought], ladder: Ladder, today: date
) -> tuple[dict[str, Expected], dict[tuple[str, str], tuple[int, int, int, str | None]]]:
    """By order key; and by (person, scope): count, visits, spend and rank at the end of today."""
    people: dict[tuple[str, str], list[Bought]] = defaultdict(list)
    for order in orders:
        people[order.person, order.scope].append(order)
    found: dict[str, Expected] = {}
    totals: dict[tuple[str, str], tuple[int, int, int, str | None]] = {}
    for key, mine in people.items():
        mine.sort(key=lambda o: (o.at, o.channel.encode(), o.number.encode()))
        counted: list[Bought] = []
        held: int | None = None
        for order in mine:
            if not (order.counts or order.waits):
                found[order.key] = Expected(None, None, None)
                continue
            if held is not None and counted:
                held = _judged(counted, held, ladder, counted[-1].day, order.day)
            at_order = [*counted, order]
            answer = _answer(at_order, ladder, order.day)
            rank = answer if held is None else min(held, answer)
            visits = len({each.day for each in at_order})
            found[order.key] = Expected(len(at_order), visits, ladder.rungs[rank].id)
            if order.counts:
                counted, held = at_order, rank
        if held is not None:
            held = _judged(counted, held, ladder, counted[-1].day, today)
        totals[key] = (
            len(counted),
            len({each.day for each in counted}),
            sum(each.spend for each in counted),
            None if held is None else ladder.rungs[held].id,
        )
    return found, totals


def _judged(counted: list[Bought], held: int, ladder: Ladder, after: date, until: date) -> int:
    assert ladder.demotion is not None
    day = after
    while day < until:
        day += timedelta(days=1)
        if day.day != ladder.demotion.judging_day:
            continue
        grace = [day - timedelta(days=back) for back in range(1, ladder.demotion.grace_days + 1)]
        if all(_on(counted, ladder, each) > held for each in grace):
            held = min(held + 1, _on(counted, ladder, grace[0]))
    return held


def _on(counted: list[Bought], ladder: Ladder, day: date) -> int:
    return _answer([each for each in counted if each.day <= day], ladder, day)


def _answer(orders: list[Bought], ladder: Ladder, day: date) -> int:
    visits = len({each.day for each in orders})
    for place, rung in enumerate(ladder.rungs):
        if visits < rung.min_visit or (rung.any_of and visits < 2):
            continue
        if not rung.any_of or any(_meets(orders, condition, day) for condition in rung.any_of):
            return place
    return len(ladder.rungs) - 1


def _meets(orders: list[Bought], condition: Condition, day: date) -> bool:
    inside = [order for order in orders if _inside(order.day, condition, day)]
    spend = sum(order.spend for order in inside)
    return (
        len(inside) >= (condition.orders or 0)
        and spend >= (condition.spend or 0)
        and (condition.average is None or bool(inside and spend / len(inside) >= condition.average))
    )


def _inside(bought: date, condition: Condition, day: date) -> bool:
    if condition.days is not None:
        return bought > day - timedelta(days=condition.days)
    if condition.months is None:
        return True
    months = day.year * 12 + day.month - 1 - condition.months
    return (bought.year, bought.month, bought.day) > (months // 12, months % 12 + 1, day.day)
