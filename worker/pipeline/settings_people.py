"""Counts whom another ladder would lift or let fall: everybody is walked, nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.rank_basis import OVERALL, Basis, gather
from worker.pipeline.standings import Computed, Person, compute
from worker.store import standing_queries as standings
from worker.store.customers import Customer
from worker.store.orders import OrderRow
from worker.store.settings_queries import ranks_held

_CHUNK = 2000
EXAMPLES = 60
"""So many of the people who move can be looked at by name."""


@dataclass
class People:
    """``was`` and ``then`` count people by rank."""

    was: Counter[str] = field(default_factory=Counter)
    then: Counter[str] = field(default_factory=Counter)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[tuple[int, str, str]] = field(default_factory=list)
    """(customer, from, to)."""
    order_ranks: dict[int, str | None] = field(default_factory=dict)
    """The rank of orders that would have another."""


def count_people(session: Session, now_ctx: Context, then_ctx: Context, now: datetime) -> People:
    """Walk everybody by both ladders, as ranking itself would at ``now``."""
    found = People()
    before, after = gather(session, now_ctx, now), gather(session, then_ctx, now)
    places = {rung.id: place for place, rung in enumerate(before.ladder.rungs)}
    for ids in _chunks(session):
        held, then = ranks_held(session, ids), _walked(session, after, ids)
        for (customer_id, scope), row in then.customers.items():
            if scope == OVERALL:
                _tell(found, customer_id, held.get(customer_id), row["rank"])
        turned = {order.order_id for order in then.visibly_changed}
        found.order_ranks.update(
            (row["order_id"], row["rank"]) for row in then.orders if row["order_id"] in turned
        )
    found.examples.sort(key=lambda moved: places.get(moved[1], 99))
    return found


def _chunks(session: Session) -> Iterator[list[int]]:
    ids = [customer_id for customer_id, _orders in standings.customer_sizes(session)]
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _walked(session: Session, basis: Basis, ids: list[int]) -> Computed:
    statement = standings.numbers(
        basis.channels,
        OrderRow.customer_id.between(ids[0], ids[-1]),
        one_visit=basis.counting.visits == "one_visit",
        zero_amount=basis.counting.zero_amount,
    )
    rows = map(standings.Numbered._make, session.connection().execute(statement))
    return compute(rows, basis, _people(session, ids))


def _people(session: Session, ids: list[int]) -> dict[int, Person]:
    """As ranking reads them, but without its locks."""
    rows = session.execute(
        select(Customer.id, Customer.identity_unsure, Customer.merged_into).where(
            Customer.id.between(ids[0], ids[-1])
        )
    ).all()
    people = {row.id: Person(unsure=row.identity_unsure) for row in rows}
    root = standings.groups(session, [row.id for row in rows if row.merged_into is None])
    for told in standings.openings(session, root):
        people[root[told.customer_id]].openings.append(told)
    for pin in standings.pins(session, root):
        people[root[pin.customer_id]].pins[pin.scope] = pin
    return people


def _tell(found: People, customer_id: int, was: str | None, then: str | None) -> None:
    if was is not None:
        found.was[was] += 1
    if then is not None:
        found.then[then] += 1
    if was is not None and then is not None and was != then:
        found.moves[was, then] += 1
        if len(found.examples) < EXAMPLES:
            found.examples.append((customer_id, was, then))
