"""The step that numbers orders and ranks customers, and writes only what came out different."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context, Transaction
from worker.pipeline.rank_basis import OVERALL, Basis, gather, notice_moves
from worker.pipeline.standings import Computed, Person, Row, compute
from worker.store import standing_queries as store
from worker.store.bulk import put
from worker.store.customers import (
    Customer,
    CustomerStanding,
    OrderStanding,
    RankHistory,
    RankPin,
)
from worker.store.orders import OrderRow
from worker.store.running import Audit

_CHUNK = {"sqlite": 1500, "postgresql": 6000}
"""Orders per transaction of a full ranking: on SQLite every other writer waits meanwhile, and
should not wait for more than 200 ms. PostgreSQL locks these customers alone."""


class UnknownRank(ValueError):
    """A rank that the ladder does not have, or a scope that no channel belongs to."""


@dataclass
class RankResult:
    """What a ranking did; ``customer_ids`` are all it worked on, whatever came out."""

    customers: int = 0
    orders: int = 0
    changed_orders: int = 0
    changed_customers: int = 0
    promoted: int = 0
    demoted: int = 0
    customer_ids: set[int] = field(default_factory=set)

    def add(self, other: RankResult) -> None:
        """Sum up the result of a further chunk."""
        for name in ("customers", "orders", "changed_orders", "changed_customers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.promoted += other.promoted
        self.demoted += other.demoted
        self.customer_ids |= other.customer_ids


def rank(
    session: Session,
    ctx: Context,
    now: datetime,
    customer_ids: Sequence[int] | None = None,
    limit: int = 2000,
) -> RankResult:
    """Number and rank these customers; None: those flagged, and those whose time has come.

    Standings are made anew from orders, links, opening counts, pins and the ladder (P11). Where
    ladder, scopes or the reach of the history moved since the last run, everybody they concern is
    flagged first. Changed orders and customers are put on the plan's work list.
    """
    basis = gather(session, ctx, now)
    notice_moves(session, basis, now)
    ids = list(customer_ids) if customer_ids is not None else None
    if ids is None:
        ids = store.due_customers(session, now, limit)
    result = RankResult()
    for start in range(0, len(ids), 2000):
        result.add(_rank_set(session, basis, now, sorted(set(ids[start : start + 2000]))))
    return result


def rank_all(
    transaction: Transaction,
    ctx: Context,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> RankResult:
    """Rank everybody, in short transactions; ``progress`` is told (done, of all)."""
    with transaction() as session:
        basis = gather(session, ctx, now)
        notice_moves(session, basis, now)
        sizes = store.customer_sizes(session)
        chunk = _CHUNK[session.get_bind().dialect.name]
    result = RankResult()
    for part in _chunks(sizes, chunk):
        with transaction() as session:
            result.add(_rank_set(session, basis, now, part, everybody=True))
        if progress is not None:
            progress(result.customers, len(sizes))
    return result


def _chunks(sizes: Sequence[tuple[int, int]], most: int) -> Iterator[list[int]]:
    part: list[int] = []
    weight = 0
    for customer_id, orders in sizes:
        if part and weight + orders > most:
            yield part
            part, weight = [], 0
        part.append(customer_id)
        weight += orders + 1
    if part:
        yield part


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Spare a chunk the search for cyclic garbage: its many rows make none, and live briefly."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@_collector_resting()
def _rank_set(
    session: Session, basis: Basis, now: datetime, ids: list[int], *, everybody: bool = False
) -> RankResult:
    """One set of customers, ids rising; ``everybody``: no id between first and last is left out."""

    def chosen(column: Any) -> sa.ColumnElement[bool]:
        found: sa.ColumnElement[bool] = (
            column.between(ids[0], ids[-1]) if everybody else column.in_(ids)
        )
        return found

    if not ids:
        return RankResult()
    people = _people(session, chosen)
    statement = store.numbers(
        basis.channels,
        chosen(OrderRow.customer_id),
        one_visit=basis.counting.visits == "one_visit",
        zero_amount=basis.counting.zero_amount,
    )
    # Plain rows of the connection: the session's own row handling costs as much as the walk.
    rows = map(store.Numbered._make, session.connection().execute(statement))
    computed = compute(rows, basis, people)
    result = RankResult(customers=len(ids), orders=computed.seen, customer_ids=set(ids))
    _write_orders(session, computed, chosen, result)
    _write_customers(session, computed, basis, chosen, now, result)
    return result


def _people(session: Session, chosen: Callable[[Any], sa.ColumnElement[bool]]) -> dict[int, Person]:
    # The rows stay locked to the end: two rankings of one person would mix their halves.
    rows = session.execute(
        sa.select(Customer.id, Customer.identity_unsure, Customer.merged_into)
        .where(chosen(Customer.id))
        .order_by(Customer.id)
        .with_for_update()
    ).all()
    people = {row.id: Person(unsure=row.identity_unsure) for row in rows}
    root = store.groups(session, [row.id for row in rows if row.merged_into is None])
    for told in store.openings(session, root):
        people[root[told.customer_id]].openings.append(told)
    for pin_ in store.pins(session, root):
        people[root[pin_.customer_id]].pins[pin_.scope] = pin_
    return people


def _write_orders(
    session: Session,
    computed: Computed,
    chosen: Callable[[Any], sa.ColumnElement[bool]],
    result: RankResult,
) -> None:
    put(session, OrderStanding, computed.orders)
    result.changed_orders = len(computed.orders)
    held = session.scalar(
        sa.select(sa.func.count())
        .select_from(OrderStanding)
        .where(chosen(OrderStanding.customer_id))
    )
    if held != computed.seen:
        store.drop_strays(session, chosen(OrderStanding.customer_id))
    changed = [order.order_id for order in computed.visibly_changed if not order.plan_due]
    store.flag_orders(session, changed)


def _write_customers(
    session: Session,
    computed: Computed,
    basis: Basis,
    chosen: Callable[[Any], sa.ColumnElement[bool]],
    now: datetime,
    result: RankResult,
) -> None:
    columns = CustomerStanding.__table__.c
    statement = sa.select(*columns).where(chosen(columns.customer_id))
    stored = session.connection().execute(statement).mappings()
    was = {(row["customer_id"], row["scope"]): dict(row) for row in stored}
    changed = [row for key, row in computed.customers.items() if was.get(key) != row]
    put(session, CustomerStanding, changed)
    gone = [key for key in was if key not in computed.customers]
    store.drop_standings(session, gone)
    result.changed_customers = len(changed) + len(gone)
    seen = {row["customer_id"] for row in changed if _visible(row, was)}
    seen |= {order.customer_id for order in computed.visibly_changed}
    store.settle_customers(session, chosen(Customer.id), sorted(seen))
    history = [_moved(row, was, computed, basis, now) for row in changed]
    kept = [row for row in history if row is not None]
    if kept:
        session.execute(sa.insert(RankHistory), kept)
    places = {rung.id: place for place, rung in enumerate(basis.ladder.rungs)}
    for row in kept:
        up = places.get(row["to_rank"], 1 << 20) < places.get(row["from_rank"], 1 << 20)
        result.promoted += up
        result.demoted += not up


def _visible(row: Row, was: dict[tuple[int, str], Row]) -> bool:
    before = was.get((row["customer_id"], row["scope"]))
    seen = ("rank", "count", "visits", "certainty", "last_order_at")
    return before is None or any(before[name] != row[name] for name in seen)


def _moved(
    row: Row,
    was: dict[tuple[int, str], Row],
    computed: Computed,
    basis: Basis,
    now: datetime,
) -> Row | None:
    """The history row of a rank that changed; a first ranking is no change."""
    key = (row["customer_id"], row["scope"])
    before = was.get(key)
    if before is None or before["rank"] == row["rank"]:
        return None
    return {
        "customer_id": key[0],
        "scope": key[1],
        "at": now,
        "from_rank": before["rank"],
        "to_rank": row["rank"],
        "cause": _cause(before, row, fell=key in computed.fell),
        "facts": row["facts"],
        "ladder": basis.ladder_version,
    }


def _cause(before: Row, row: Row, *, fell: bool) -> str:
    if "pin" in row["facts"]:
        return "pin"
    if "pin" in before["facts"]:
        return "pin_ended"
    if before["ladder"] != row["ladder"]:
        return "ladder"
    if fell:
        return "judging_day"
    last, earlier = row["last_order_at"], before["last_order_at"]
    newer = last is not None and (earlier is None or last > earlier)
    return "order" if newer else "recomputed"


# --- pins -------------------------------------------------------------------------------------


def pin(
    session: Session,
    ctx: Context,
    customer_id: int,
    scope: str,
    rank: str,
    until: date | None,
    by: str,
    reason: str,
    now: datetime,
) -> None:
    """Fix a rank until the end of a shop-local day (None: for good). Raises UnknownRank."""
    basis = gather(session, ctx, now)
    if rank not in {rung.id for rung in ctx.documents.ladder.rungs}:
        raise UnknownRank(f"The ladder has no rank {rank!r}.")
    if scope != OVERALL and scope not in basis.scopes:
        raise UnknownRank(f"No channel belongs to the scope {scope!r}.")
    session.merge(
        RankPin(
            customer_id=customer_id,
            scope=scope,
            rank=rank,
            until=until,
            reason=reason,
            by=by,
            at=now,
        )
    )
    detail = {"scope": scope, "rank": rank, "until": str(until or ""), "reason": reason}
    _audit(session, "pin_rank", customer_id, detail, by, now)
    session.flush()
    _rank_set(session, basis, now, [customer_id])


def unpin(
    session: Session, ctx: Context, customer_id: int, scope: str, by: str, now: datetime
) -> None:
    """Take a pin away; the ladder's own rank stands again at once."""
    session.execute(
        sa.delete(RankPin).where(RankPin.customer_id == customer_id, RankPin.scope == scope)
    )
    _audit(session, "unpin_rank", customer_id, {"scope": scope}, by, now)
    _rank_set(session, gather(session, ctx, now), now, [customer_id])


def _audit(
    session: Session, action: str, customer_id: int, detail: Row, by: str, now: datetime
) -> None:
    subject = f"customer:{customer_id}"
    session.add(Audit(at=now, by=by, action=action, subject=subject, detail=detail))
