"""From numbered orders to standings: one person at a time, nothing read and nothing written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any

from worker.pipeline.rank_basis import OVERALL, Basis
from worker.rules.numbers import NO_OPENING, Opening, certainty
from worker.rules.ranks import Judged, Purchase, Walked, walk
from worker.rules.states import Certainty
from worker.store.customers import OpeningCount, RankPin
from worker.store.standing_queries import Numbered

Row = dict[str, Any]


@dataclass
class Person:
    """What ranking knows of a customer besides the orders."""

    unsure: bool = False
    openings: list[OpeningCount] = field(default_factory=list)
    """Of the customer and of those merged into it."""
    pins: dict[str, RankPin] = field(default_factory=dict)


@dataclass
class Computed:
    """Standings as they should be, and which orders' visible part differs from the stored."""

    orders: list[Row] = field(default_factory=list)
    """Only those that differ in any way."""
    customers: dict[tuple[int, str], Row] = field(default_factory=dict)
    fell: set[tuple[int, str]] = field(default_factory=set)
    visibly_changed: list[Numbered] = field(default_factory=list)
    seen: int = 0
    known: int = 0
    """Orders that had a standing before."""


def compute(rows: Iterable[Numbered], basis: Basis, people: dict[int, Person]) -> Computed:
    """Walk every customer of ``rows`` (sorted by customer and time) to its standings."""
    out = Computed()
    for customer_id, orders in groupby(rows, key=_customer):
        person = people.get(customer_id) or Person()
        scoped = [order for order in orders if order.scope >= 0]
        if scoped:
            _Walker(out, basis, customer_id, person).run(scoped)
    return out


def _customer(row: Numbered) -> int:
    return row.customer_id


class _Walker:
    """One customer's way through scopes and over all."""

    def __init__(self, out: Computed, basis: Basis, customer_id: int, person: Person) -> None:
        self.out, self.basis, self.customer_id, self.person = out, basis, customer_id, person

    def run(self, orders: list[Numbered]) -> None:
        openings = _openings(orders, self.basis, self.person.openings)
        overall = NO_OPENING
        for each in openings.values():
            overall = overall.plus(each)
        scopes = sorted({order.scope for order in orders})
        for scope in scopes:
            mine = [order for order in orders if order.scope == scope]
            opening = openings.get(scope, NO_OPENING)
            walked = self._walk(mine, opening, everywhere=False)
            self._orders(mine, scope, walked, opening, overall)
            self._customer(mine, self.basis.scopes[scope], walked, opening, scope in openings)
        if len(scopes) == 1 and overall == openings.get(scopes[0], NO_OPENING):
            if self.person.pins or openings:
                self._customer(orders, OVERALL, walked, overall, bool(openings))
            else:
                self._same_overall(self.basis.scopes[scopes[0]])
        else:
            everywhere = self._walk(orders, overall, everywhere=True)
            self._customer(orders, OVERALL, everywhere, overall, bool(openings))

    def _walk(self, orders: list[Numbered], opening: Opening, *, everywhere: bool) -> Walked:
        history = [
            Purchase(
                order.ordered_on,
                bool(order.counting),
                order.spend,
                order.orders_overall if everywhere else order.orders,
                order.visits_overall if everywhere else order.visits,
            )
            for order in orders
            if order.counting or order.provisional
        ]
        return walk(history, self.basis.rules, self.basis.today, opening)

    # --- orders ---

    def _orders(
        self,
        orders: list[Numbered],
        scope: int,
        walked: Walked,
        opening: Opening,
        overall: Opening,
    ) -> None:
        judged = iter(walked.at_orders)
        name, told = self.basis.scopes[scope], opening != NO_OPENING
        pin = self.person.pins.get(name)
        for order in orders:
            self.out.seen += 1
            self.out.known += order.was_customer is not None
            certain = self._certainty(scope, order.ordered_on, bool(order.counting), told)
            numbers: tuple[int | None, int | None, int | None] = (None, None, None)
            rank: str | None = None
            facts: dict[str, Any] = {}
            if order.counting or order.provisional:
                numbers = (
                    order.orders + opening.count,
                    order.visits + opening.count if order.is_visit else None,
                    order.orders_overall + overall.count,
                )
                rank, facts = self._rank(next(judged), order.ordered_on, pin)
            elif certain is Certainty.PROVISIONAL:
                certain = Certainty.PROVED
            self._compare(order, name, numbers, certain, rank, facts)

    def _rank(self, judged: Judged, day: date, pin: RankPin | None) -> tuple[str, dict[str, Any]]:
        if pin is not None and _pinned(pin, day, self.basis):
            return pin.rank, {**judged.facts, "pin": _pin_facts(pin)}
        return self.basis.ladder.rungs[judged.rung].id, judged.facts

    def _certainty(self, scope: int, day: date, counts: bool, told: bool) -> Certainty:
        uncertain = self.person.unsure or not (told or self.basis.covered(scope, day))
        return certainty(uncertain=uncertain, counts=counts)

    def _compare(
        self,
        order: Numbered,
        scope: str,
        numbers: tuple[int | None, int | None, int | None],
        certain: Certainty,
        rank: str | None,
        facts: dict[str, Any],
    ) -> None:
        is_now = (order.customer_id, scope, *numbers, certain, rank)
        was = order[15:22]
        version = self.basis.ladder_version
        if is_now == was and order.was_ladder == version and order.was_facts == facts:
            return
        if is_now != was:
            self.out.visibly_changed.append(order)
        ordinal, visit, everywhere = numbers
        self.out.orders.append(
            {
                "order_id": order.order_id,
                "customer_id": order.customer_id,
                "scope": scope,
                "ordinal": ordinal,
                "visit_number": visit,
                "ordinal_overall": everywhere,
                "certainty": certain,
                "rank": rank,
                "facts": facts,
                "ladder": version,
            }
        )

    # --- the customer ---

    def _customer(
        self, orders: list[Numbered], scope: str, walked: Walked, opening: Opening, told: bool
    ) -> None:
        counting = [order for order in orders if order.counting]
        last = (counting or orders)[-1]
        pin = self.person.pins.get(scope)
        pinned = pin is not None and _pinned(pin, self.basis.today, self.basis)
        rank, facts = None, walked.facts
        if walked.rung is not None:
            rank = self.basis.ladder.rungs[walked.rung].id
        if pin is not None and pinned:
            rank, facts = pin.rank, {**facts, "pin": _pin_facts(pin)}
        if walked.fell:
            self.out.fell.add((self.customer_id, scope))
        everywhere = scope == OVERALL
        self.out.customers[self.customer_id, scope] = {
            "customer_id": self.customer_id,
            "scope": scope,
            "rank": rank,
            "count": len(counting) + opening.count,
            "visits": _visits(counting, everywhere) + opening.count,
            "net_spend": sum(order.spend for order in counting) + opening.spend,
            "first_order_at": counting[0].ordered_at if counting else None,
            "last_order_at": counting[-1].ordered_at if counting else None,
            "certainty": self._certainty(last.scope, last.ordered_on, bool(counting), told),
            "facts": facts,
            "ladder": self.basis.ladder_version,
            "next_change_at": self._next_change(walked.next_fall, pin if pinned else None),
        }

    def _same_overall(self, scope: str) -> None:
        """With one scope, no pin and no opening count nothing differs over all channels."""
        self.out.customers[self.customer_id, OVERALL] = {
            **self.out.customers[self.customer_id, scope],
            "scope": OVERALL,
        }
        if (self.customer_id, scope) in self.out.fell:
            self.out.fell.add((self.customer_id, OVERALL))

    def _next_change(self, fall: date | None, pin: RankPin | None) -> datetime | None:
        moments = [self.basis.morning(fall)] if fall is not None else []
        if pin is not None and pin.until is not None:
            moments.append(self.basis.after(pin.until))
        return min(moments, default=None)


def _visits(counting: Sequence[Numbered], everywhere: bool) -> int:
    if not counting:
        return 0
    return int(counting[-1].visits_overall if everywhere else counting[-1].visits)


def _pinned(pin: RankPin, day: date, basis: Basis) -> bool:
    """From the day it was set to its last day, both included."""
    since = pin.at.astimezone(basis.zone).date()
    return since <= day and (pin.until is None or day <= pin.until)


def _pin_facts(pin: RankPin) -> dict[str, Any]:
    until = pin.until.isoformat() if pin.until is not None else None
    return {"by": pin.by, "reason": pin.reason, "until": until}


def _openings(
    orders: list[Numbered], basis: Basis, told: Sequence[OpeningCount]
) -> dict[int, Opening]:
    """Opening counts by scope, less the stored orders that they already hold."""
    found: dict[int, Opening] = {}
    for channel_id in sorted({row.channel_id for row in told}):
        scope = basis.scope_of(channel_id)
        if scope is None:
            continue
        rows = [row for row in told if row.channel_id == channel_id]
        before = min(row.before for row in rows)
        stored = [
            order.spend
            for order in orders
            if order.channel_id == channel_id and order.counting and order.ordered_on < before
        ]
        left = Opening.left_over(
            (sum(row.count for row in rows), sum(row.spend for row in rows)),
            (len(stored), sum(stored)),
        )
        found[scope] = found.get(scope, NO_OPENING).plus(left)
    return found
