"""Numbers of orders by one statement over whole histories, and the writing of what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.store.bulk import among
from worker.store.channels import Channel
from worker.store.customers import (
    Customer,
    CustomerStanding,
    OpeningCount,
    OrderStanding,
    RankPin,
)
from worker.store.orders import OrderRow

_O = OrderRow.__table__.c
_S = OrderStanding.__table__.c


@dataclass(frozen=True, slots=True)
class Scoped:
    """A channel as ranking sees it: its scope by number, its place in the tie-break by name."""

    channel_id: int
    scope: int
    place: int


class Numbered(NamedTuple):
    """One order with its numbers, and its standing as stored (the ``was_`` fields)."""

    order_id: int
    customer_id: int
    channel_id: int
    scope: int
    ordered_at: datetime
    ordered_on: date
    counting: bool
    provisional: bool
    spend: int
    orders: int
    """Counting orders of the scope up to and with this one; provisional: as if it counted."""
    visits: int
    """Visits of the scope, likewise; a later delivery of a subscription adds none."""
    is_visit: bool
    """False for a later delivery of a subscription: it has no visit number."""
    orders_overall: int
    visits_overall: int
    plan_due: bool
    was_customer: int | None
    was_scope: str | None
    was_ordinal: int | None
    was_visit: int | None
    was_overall: int | None
    was_certainty: str | None
    was_rank: str | None
    was_facts: Any
    was_ladder: str | None


def scoped_channels(session: Session) -> list[tuple[int, str, str, date | None, date | None]]:
    """(id, name, family, declared reach, earliest order day) of every channel."""
    earliest = (
        sa.select(sa.func.min(OrderRow.ordered_on))
        .where(OrderRow.channel_id == Channel.id)
        .scalar_subquery()
    )
    rows = session.execute(
        sa.select(
            Channel.id, Channel.name, Channel.family, Channel.history_complete_since, earliest
        )
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]


def _by_channel(values: Mapping[int, int]) -> sa.ColumnElement[int]:
    # A CASE, not a join: with a join SQLite walks by channel and misses the customer's index.
    return sa.case(values, value=_O.channel_id, else_=-1) if values else sa.literal(-1)


def _gate_closed(zero_amount: bool) -> sa.ColumnElement[bool]:
    """An order that stands but does not count yet: it has a provisional number."""
    waiting = sa.and_(
        sa.not_(_O.counting),
        _O.life == "open",
        _O.fulfilment != "returned",
        _O.payment != "refunded",
    )
    return waiting if zero_amount else sa.and_(waiting, sa.func.coalesce(_O.total, 1) != 0)


@dataclass(frozen=True)
class _Over:
    """A window over one person's orders in the order of buying."""

    by: tuple[sa.ColumnElement[Any], ...]
    order: tuple[sa.ColumnElement[Any], ...]

    def running(self, total: sa.FunctionElement[Any], *, until: int = 0) -> sa.ColumnElement[Any]:
        """The aggregate over all rows up to this one, or up to ``until`` rows from it."""
        return total.over(partition_by=self.by, order_by=self.order, rows=(None, until))


def _flag(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.case((condition, 1), else_=0)


def numbers(
    channels: Sequence[Scoped], who: sa.ColumnElement[bool], *, one_visit: bool, zero_amount: bool
) -> sa.Select[Any]:
    """The one statement: every order of the customers chosen by ``who``, numbered.

    Numbers are running counts over (scope) and over all channels, in the order of buying: time,
    channel name, number, external id. A visit is the first visit-counting order of a calendar
    day, found by the latest such day before it; with ``one_visit`` off every one is.
    """
    scope = _by_channel({each.channel_id: each.scope for each in channels}).label("scope")
    place = _by_channel({each.channel_id: each.place for each in channels}).label("place")
    first_delivery = sa.and_(sa.not_(_O.counting), sa.func.coalesce(_O.delivery_count, 1) <= 1)
    placed = (
        sa.select(
            *(_O.id, _O.customer_id, _O.channel_id, _O.ordered_at, _O.ordered_on, _O.number),
            *(_O.external_id, _O.counting, _O.visit_counting, _O.spend, _O.plan_due, scope, place),
            _gate_closed(zero_amount).label("provisional"),
            sa.or_(_O.visit_counting, first_delivery).label("is_visit"),
        )
        .where(who)
        .subquery("placed")
    )
    p = placed.c
    by_time = (p.ordered_at, p.place, p.number, p.external_id)
    found: list[sa.ColumnElement[Any]] = []
    for name, by in (("", (p.customer_id, p.scope)), ("_overall", (p.customer_id,))):
        over = _Over(by, by_time)
        counted = over.running(sa.func.sum(_flag(p.counting)))
        visit_day = sa.case((p.visit_counting, p.ordered_on))
        before = over.running(sa.func.max(visit_day), until=-1)
        found += [counted.label(f"counted{name}"), before.label(f"visited{name}")]
        if not one_visit:
            visits = over.running(sa.func.sum(_flag(p.visit_counting)))
            found.append(visits.label(f"visits{name}"))
    inner = sa.select(*placed.c, *found).subquery("counted")
    return _with_visits(inner, one_visit=one_visit)


def _with_visits(inner: sa.Subquery, *, one_visit: bool) -> sa.Select[Any]:
    i = inner.c
    by_time = (i.ordered_at, i.place, i.number, i.external_id)
    found: list[sa.ColumnElement[Any]] = []
    for name, by in (("", (i.customer_id, i.scope)), ("_overall", (i.customer_id,))):
        counted, before = i[f"counted{name}"], i[f"visited{name}"]
        new_day: sa.ColumnElement[bool] = sa.true()
        if one_visit:
            new_day = sa.or_(before.is_(None), before < i.ordered_on)
            opens = sa.func.sum(_flag(sa.and_(i.visit_counting, new_day)))
            visits = _Over(by, by_time).running(opens)
        else:
            visits = i[f"visits{name}"]
        expected = _flag(sa.and_(i.provisional, i.is_visit, new_day))
        found += [counted + _flag(i.provisional), visits + expected]
    return (
        sa.select(
            *(i.id, i.customer_id, i.channel_id, i.scope, i.ordered_at, i.ordered_on),
            *(i.counting, i.provisional, i.spend, found[0], found[1], i.is_visit),
            *(found[2], found[3], i.plan_due),
            *(_S.customer_id, _S.scope, _S.ordinal, _S.visit_number, _S.ordinal_overall),
            *(_S.certainty, _S.rank, _S.facts, _S.ladder),
        )
        .join_from(inner, OrderStanding.__table__, _S.order_id == i.id, isouter=True)
        .order_by(i.customer_id, *by_time)
    )


def groups(session: Session, kept: Sequence[int]) -> dict[int, int]:
    """Everybody merged into one of these customers, however far, to the one that was kept."""
    root: dict[int, int] = {each: each for each in kept}
    merged = sa.exists(sa.select(Customer.id).where(Customer.merged_into.is_not(None)))
    layer = list(kept) if session.scalar(sa.select(merged)) else []
    while layer:
        rows = session.execute(
            sa.select(Customer.id, Customer.merged_into).where(
                among(session, Customer.merged_into, layer)
            )
        ).all()
        layer = [row.id for row in rows if row.id not in root]
        root |= {row.id: root[row.merged_into] for row in rows if row.id not in root}
    return root


def openings(session: Session, customer_ids: Iterable[int]) -> Sequence[OpeningCount]:
    """The opening counts of these customers (nearly always none)."""
    if session.scalar(sa.select(sa.exists(sa.select(OpeningCount.customer_id)))) is not True:
        return []
    chosen = sa.select(OpeningCount).where(OpeningCount.customer_id.in_(list(customer_ids)))
    return session.scalars(chosen).all()


def pins(session: Session, customer_ids: Iterable[int]) -> Sequence[RankPin]:
    """The pins of these customers, the older first."""
    if session.scalar(sa.select(sa.exists(sa.select(RankPin.customer_id)))) is not True:
        return []
    chosen = sa.select(RankPin).where(RankPin.customer_id.in_(list(customer_ids)))
    return session.scalars(chosen.order_by(RankPin.at)).all()


def drop_strays(session: Session, who: sa.ColumnElement[bool]) -> int:
    """Remove standings of orders that are no longer these customers'; gives how many."""
    mine = sa.exists().where(
        OrderRow.id == OrderStanding.order_id, OrderRow.customer_id == OrderStanding.customer_id
    )
    gone = session.execute(sa.delete(OrderStanding).where(who, sa.not_(mine)))
    return int(getattr(gone, "rowcount", 0))


def drop_standings(session: Session, keys: Sequence[tuple[int, str]]) -> None:
    """Remove customers' standings in scopes where they have no order any more."""
    for customer_id, scope in keys:
        session.execute(
            sa.delete(CustomerStanding).where(
                CustomerStanding.customer_id == customer_id, CustomerStanding.scope == scope
            )
        )


def due_customers(session: Session, now: datetime, limit: int) -> list[int]:
    """Customers whose orders or keys changed, then those whom time alone may have changed."""
    flagged = sa.select(Customer.id).where(Customer.rank_due).order_by(Customer.id).limit(limit)
    ids = list(session.scalars(flagged))
    if len(ids) < limit:
        slid = (
            sa.select(CustomerStanding.customer_id)
            .where(CustomerStanding.next_change_at <= now)
            .order_by(CustomerStanding.next_change_at)
            .limit(limit - len(ids))
        )
        ids += [each for each in session.scalars(slid) if each not in set(ids)]
    return list(dict.fromkeys(ids))


def mark_due(session: Session, channel_ids: Sequence[int]) -> None:
    """Put everybody with an order in these channels on ranking's work list."""
    theirs = sa.select(OrderRow.customer_id).where(OrderRow.channel_id.in_(channel_ids))
    session.execute(
        sa.update(Customer)
        .where(sa.not_(Customer.rank_due), Customer.id.in_(theirs))
        .values(rank_due=True)
    )


def customer_sizes(session: Session) -> list[tuple[int, int]]:
    """(customer id, number of orders) of everybody, by id."""
    count = (
        sa.select(sa.func.count())
        .where(OrderRow.customer_id == Customer.id)
        .correlate(Customer)
        .scalar_subquery()
    )
    rows = session.execute(sa.select(Customer.id, count).order_by(Customer.id))
    return [(row[0], row[1]) for row in rows]


def flag_orders(session: Session, order_ids: Sequence[int]) -> None:
    """Put orders on the plan's work list."""
    if order_ids:
        mine = among(session, OrderRow.id, order_ids)
        session.execute(
            sa.update(OrderRow)
            .where(mine)
            .values(plan_due=True)
            .execution_options(synchronize_session="fetch")
        )


def settle_customers(
    session: Session, ranked: sa.ColumnElement[bool], changed: Sequence[int]
) -> None:
    """Take customers off ranking's work list, and put the changed among them on the plan's.

    One statement for both: on PostgreSQL every update writes the whole row anew.
    """
    moved = among(session, Customer.id, changed)
    session.execute(
        sa.update(Customer)
        .where(ranked, sa.or_(Customer.rank_due, sa.and_(sa.not_(Customer.plan_due), moved)))
        .values(rank_due=False, plan_due=sa.or_(Customer.plan_due, moved))
        .execution_options(synchronize_session="fetch")
    )
