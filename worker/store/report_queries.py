"""What the reports count over all orders: sales, who came again and when, ranks that moved.

Every statement reads a whole table once; pages never wait for them (``worker.pipeline.reports``).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.reporting import LAST_NUMBER, WITHIN
from worker.rules.states import Certainty
from worker.store.customers import Customer, CustomerStanding, OrderStanding, RankHistory
from worker.store.list_queries import OVERALL
from worker.store.orders import OrderRow

_O, _S, _C, _H = OrderRow, OrderStanding, CustomerStanding, RankHistory


class Sold(NamedTuple):
    """Counting orders alike in all that a report tells apart. Money in minor units."""

    month: int
    channel_id: int
    currency: str
    rank: str | None
    """Rank at that order; None for families without customers."""
    again: bool | None
    """False: a first order over all channels; None: nobody knows whose it is."""
    unsure: bool
    """The number rests on a history or an identity that is not sure."""
    early: bool
    """On or before the present day of the month: the part to compare with a month begun."""
    orders: int
    spend: int
    """In the ledger currency."""
    own: int
    """Total less refunds, in the order's own currency."""


class Cohort(NamedTuple):
    """Who ordered first in a month, by channel, and how many came again within so many days."""

    month: int
    channel_id: int
    unsure: bool
    """Perhaps not their first: the history is too short to know."""
    people: int
    came: tuple[int, ...]
    """One number for each of ``WITHIN``."""


class Later(NamedTuple):
    """So many people reached an order ``days`` after their first."""

    number: int
    days: int
    people: int


class Moved(NamedTuple):
    """Rank changes of one month, all channels together."""

    month: int
    from_rank: str | None
    to_rank: str | None
    changes: int


def month_number(day: Any) -> sa.ColumnElement[int]:
    """The month of a date column as ``rules.reporting.month_of`` numbers it."""
    return sa.extract("year", day) * 12 + sa.extract("month", day) - 1


def _days_between(session: Session, earlier: Any, later: Any) -> sa.ColumnElement[int]:
    if session.get_bind().dialect.name == "postgresql":
        return sa.type_coerce(later - earlier, sa.Integer)
    return sa.cast(sa.func.julianday(later) - sa.func.julianday(earlier), sa.Integer)


def sales(session: Session, since: date, today: date) -> list[Sold]:
    """Counting orders from ``since`` to ``today``, both included."""
    again = sa.case(
        (_S.ordinal_overall.is_(None), sa.null()), else_=sa.cast(_S.ordinal_overall > 1, sa.Integer)
    )
    unsure = sa.case((_S.certainty == Certainty.UNCERTAIN, 1), else_=0)
    early = sa.case((sa.extract("day", _O.ordered_on) <= today.day, 1), else_=0)
    keys = (month_number(_O.ordered_on), _O.channel_id, _O.currency, _S.rank, again, unsure, early)
    own = sa.func.coalesce(_O.total, 0) - sa.func.coalesce(_O.refunded, 0)
    # Groups by place: PostgreSQL would not know two bound values for one expression.
    rows = session.execute(
        sa.select(*keys, sa.func.count(), sa.func.sum(_O.spend), sa.func.sum(own))
        .outerjoin(_S, _S.order_id == _O.id)
        .where(_O.counting, _O.ordered_on >= since, _O.ordered_on <= today)
        .group_by(*(sa.literal_column(str(place)) for place in range(1, 8)))
    )
    return [
        Sold(
            int(month), channel, currency, rank, None if came is None else bool(came),
            bool(doubt), bool(before), int(orders), int(spend), int(money),
        )
        for month, channel, currency, rank, came, doubt, before, orders, spend, money in rows
    ]  # fmt: skip


Counting = Literal["one_visit", "each"]


def _numbered(counting: Counting) -> sa.Subquery:
    """Each person's visits over all channels: number, day, and channel of its first order."""
    if counting == "one_visit":
        number = sa.func.dense_rank().over(partition_by=_O.customer_id, order_by=_O.ordered_on)
        one: Any = _O.ordered_on
    else:
        number = sa.func.row_number().over(
            partition_by=_O.customer_id, order_by=(_S.ordinal_overall, _O.id)
        )
        one = _O.id
    place = sa.func.row_number().over(
        partition_by=(_O.customer_id, one), order_by=(_S.ordinal_overall, _O.id)
    )
    rows = (
        sa.select(
            _O.customer_id,
            _O.ordered_on.label("day"),
            _O.channel_id,
            _S.ordinal_overall.label("ordinal"),
            _S.certainty,
            number.label("number"),
            place.label("place"),
        )
        .join(_S, _S.order_id == _O.id)
        .where(_O.counting, _O.visit_counting, _O.customer_id.is_not(None))
        .subquery()
    )
    return sa.select(rows).where(rows.c.place == 1, rows.c.number <= LAST_NUMBER).subquery()


def _firsts(visits: sa.Subquery) -> sa.Subquery:
    """First visits that may be a person's first ever; an opening count before says they are not."""
    chosen = sa.select(visits).where(visits.c.number == 1, visits.c.ordinal == 1)
    return chosen.subquery("firsts")


def cohorts(session: Session, since: date, counting: Counting) -> list[Cohort]:
    """First orders from ``since`` on, and how soon a second one followed."""
    visits = _numbered(counting)
    firsts, seconds = _firsts(visits), visits.alias("seconds")
    days = _days_between(session, firsts.c.day, seconds.c.day)
    unsure = sa.case((firsts.c.certainty == Certainty.UNCERTAIN, 1), else_=0)
    came = [sa.func.sum(sa.case((days <= limit, 1), else_=0)) for limit in WITHIN]
    follows = sa.and_(seconds.c.customer_id == firsts.c.customer_id, seconds.c.number == 2)
    rows = session.execute(
        sa.select(month_number(firsts.c.day), firsts.c.channel_id, unsure, sa.func.count(), *came)
        .outerjoin(seconds, follows)
        .where(firsts.c.day >= since)
        .group_by(*(sa.literal_column(str(place)) for place in range(1, 4)))
    )
    return [
        Cohort(int(month), channel, bool(doubt), int(people), tuple(map(int, numbers)))
        for month, channel, doubt, people, *numbers in rows
    ]


def later_orders(session: Session, counting: Counting) -> list[Later]:
    """Days from the first to each later order; people whose first is unsure are left out."""
    visits = _numbered(counting)
    firsts, later = _firsts(visits), visits.alias("later")
    days = _days_between(session, firsts.c.day, later.c.day)
    rows = session.execute(
        sa.select(later.c.number, days, sa.func.count())
        .join_from(firsts, later, later.c.customer_id == firsts.c.customer_id)
        .where(firsts.c.certainty != Certainty.UNCERTAIN, later.c.number > 1)
        .group_by(sa.literal_column("1"), sa.literal_column("2"))
    )
    return [Later(*map(int, row)) for row in rows]


# --- ranks ----------------------------------------------------------------------------------


def rank_moves(session: Session, starts: Sequence[tuple[int, datetime]]) -> list[Moved]:
    """Rank changes since the first of ``starts``: (month, the instant it begins), rising."""
    month = sa.case(
        *((_H.at >= begin, number) for number, begin in reversed(starts[1:])), else_=starts[0][0]
    )
    rows = session.execute(
        sa.select(month, _H.from_rank, _H.to_rank, sa.func.count())
        .join(Customer, Customer.id == _H.customer_id)
        .where(_H.scope == OVERALL, _H.at >= starts[0][1], Customer.merged_into.is_(None))
        .group_by(*(sa.literal_column(str(place)) for place in range(1, 4)))
    )
    return [Moved(int(row[0]), row[1], row[2], int(row[3])) for row in rows]


def net_moves(session: Session, since: datetime) -> list[tuple[str, str, int]]:
    """(rank at ``since``, rank now, people) of everybody known before whose rank is another."""
    ends = (
        sa.select(_H.customer_id, sa.func.min(_H.id).label("first"))
        .where(_H.scope == OVERALL, _H.at >= since, _H.from_rank.is_not(None))
        .group_by(_H.customer_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(_H.from_rank, _C.rank, sa.func.count())
        .join(ends, ends.c.first == _H.id)
        .join(_C, sa.and_(_C.customer_id == _H.customer_id, _C.scope == OVERALL))
        .where(_C.first_order_at < since, _C.rank.is_not(None), _C.rank != _H.from_rank)
        .group_by(_H.from_rank, _C.rank)
    )
    return [(str(row[0]), str(row[1]), int(row[2])) for row in rows]


def people_by_rank(session: Session, since: datetime) -> list[tuple[str, int, int]]:
    """(rank, people now, of whom first ordered at or after ``since``)."""
    new = sa.func.sum(sa.case((_C.first_order_at >= since, 1), else_=0))
    rows = session.execute(
        sa.select(_C.rank, sa.func.count(), new)
        .where(_C.scope == OVERALL, _C.rank.is_not(None))
        .group_by(_C.rank)
    )
    return [(row[0], int(row[1]), int(row[2])) for row in rows]


# --- people ---------------------------------------------------------------------------------


def largest(
    session: Session, since: date, today: date, channel_ids: Collection[int] | None, limit: int
) -> tuple[int, list[tuple[int, int, int]]]:
    """Spend of everybody who is known, and (customer, orders, spend) of the largest."""
    chosen = [
        _O.counting,
        _O.customer_id.is_not(None),
        _O.ordered_on >= since,
        _O.ordered_on <= today,
    ]
    if channel_ids is not None:
        chosen.append(_O.channel_id.in_(list(channel_ids)))
    whole = session.scalar(sa.select(sa.func.sum(_O.spend)).where(*chosen))
    spend = sa.func.sum(_O.spend)
    rows = session.execute(
        sa.select(_O.customer_id, sa.func.count(), spend)
        .where(*chosen)
        .group_by(_O.customer_id)
        .order_by(spend.desc(), _O.customer_id)
        .limit(limit)
    )
    return int(whole or 0), [(int(row[0] or 0), int(row[1]), int(row[2])) for row in rows]


def dormant(session: Session, ends: Sequence[datetime]) -> list[tuple[str | None, int, int, int]]:
    """(rank, step, people, spend) of who has not ordered since; ``ends`` fall, one a step."""
    step = sa.case(
        *((_C.last_order_at <= end, place) for place, end in reversed(list(enumerate(ends)))),
        else_=-1,
    )
    rows = session.execute(
        sa.select(_C.rank, step, sa.func.count(), sa.func.sum(_C.net_spend))
        .where(_C.scope == OVERALL, _C.last_order_at <= ends[0])
        .group_by(sa.literal_column("1"), sa.literal_column("2"))
    )
    return [(row[0], int(row[1]), int(row[2]), int(row[3])) for row in rows]


def newest_order(session: Session) -> int:
    """The largest order id: how large the ledger is, without counting it."""
    return session.scalar(sa.select(sa.func.max(_O.id))) or 0
