"""The figures of the reports: counted at once in a small ledger, once a day in a large one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.coupons import code_hash
from worker.pipeline.redeemed import codes_in
from worker.rules.reporting import (
    PERIODS,
    SILENT,
    first_day,
    middle,
    month_of,
    months_until,
)
from worker.store import report_coupons, report_queries
from worker.store.channels import Channel
from worker.store.report_queries import Cohort, Counting, Later, Moved, Sold
from worker.store.reports import ReportCount

NAME = "all"
TOP = 10
SMALL = 5_000
"""Up to so many orders a page counts afresh; above, it shows what was counted last."""
OTHER = ""
"""The pool of a coupon that is none of ours: a marketplace's or a shop's own campaign."""


@dataclass(frozen=True)
class Nth:
    """Days from the first order to a later one: a quarter, half, three quarters are within."""

    number: int
    people: int
    quarter: int
    half: int
    most: int


@dataclass(frozen=True)
class Top:
    """The largest customers of a period; ``channel_id`` None: over all channels."""

    months: int
    channel_id: int | None
    spend: int
    """Of everybody who is known."""
    people: tuple[tuple[int, int, int], ...]
    """(customer, orders, spend), the largest first."""


@dataclass(frozen=True)
class Redeemed:
    """Orders with a coupon by month, channel and our pool (``OTHER``: none of ours)."""

    month: int
    channel_id: int
    pool: str
    orders: int
    spend: int


@dataclass(frozen=True)
class Figures:
    """Everything the reports tell, as of ``today``; money in minor units."""

    today: date
    sold: tuple[Sold, ...]
    cohorts: tuple[Cohort, ...]
    nth: tuple[Nth, ...]
    moves: tuple[Moved, ...]
    net_moves: tuple[tuple[str, str, int], ...]
    ranks: tuple[tuple[str, int, int], ...]
    """(rank, people, of whom new this month)."""
    top: tuple[Top, ...]
    dormant: tuple[tuple[str | None, int, int, int], ...]
    """(rank, step of ``SILENT``, people, spend)."""
    redeemed: tuple[Redeemed, ...]
    codes: tuple[tuple[str, str, int], ...]
    grants: tuple[tuple[int, str, int], ...]


_FORM = TypeAdapter(Figures)


@dataclass(frozen=True)
class Counted:
    """The figures and when they were counted."""

    figures: Figures
    at: datetime
    kept: bool
    """The ledger is large: these may be of this morning."""


def figures_of(session: Session, ctx: Context, now: datetime) -> Counted | None:
    """The figures; a large ledger's are those kept last, None where it was never counted."""
    if report_queries.newest_order(session) <= SMALL:
        return Counted(count_figures(session, ctx, now), now, kept=False)
    kept = session.get(ReportCount, NAME)
    if kept is None:
        return None
    return Counted(_FORM.validate_python(kept.content), kept.made_at, kept=True)


def keep_figures(session: Session, figures: Figures, now: datetime) -> None:
    """Keep what was counted; the former count goes."""
    content = _FORM.dump_python(figures, mode="json")
    session.merge(ReportCount(name=NAME, made_at=now, content=content))


def count_figures(session: Session, ctx: Context, now: datetime) -> Figures:
    """Read every order: seconds in a ledger of a million. Writes nothing."""
    today = now.astimezone(ctx.zone).date()
    months = months_until(today, 2 * max(PERIODS))
    since = first_day(months[0])
    counting: Counting = ctx.documents.shop.counting.visits
    starts = [(month, _start(month, ctx)) for month in months]
    this_month = _start(month_of(today), ctx)
    return Figures(
        today=today,
        sold=tuple(report_queries.sales(session, since, today)),
        cohorts=tuple(report_queries.cohorts(session, since, counting)),
        nth=_nth(report_queries.later_orders(session, counting)),
        moves=tuple(report_queries.rank_moves(session, starts)),
        net_moves=tuple(report_queries.net_moves(session, this_month)),
        ranks=tuple(report_queries.people_by_rank(session, this_month)),
        top=_top(session, today),
        dormant=tuple(report_queries.dormant(session, silent_since(today, ctx))),
        redeemed=_redeemed(session, ctx, since, today),
        codes=tuple(report_coupons.codes_by_state(session)),
        grants=tuple(report_coupons.grants_by_state(session)),
    )


def silent_since(today: date, ctx: Context) -> list[datetime]:
    """The instants before which each step of dormancy begins: shop-local midnights, falling."""
    return [datetime.combine(today - timedelta(days), time(), ctx.zone) for days in SILENT]


def _start(month: int, ctx: Context) -> datetime:
    return datetime.combine(first_day(month), time(), ctx.zone)


def _nth(rows: list[Later]) -> tuple[Nth, ...]:
    days: dict[int, list[tuple[int, int]]] = {}
    for row in rows:
        days.setdefault(row.number, []).append((row.days, row.people))
    found = []
    for number, pairs in sorted(days.items()):
        quarter, half, most = (middle(pairs, part) or 0 for part in (0.25, 0.5, 0.75))
        found.append(Nth(number, sum(people for _, people in pairs), quarter, half, most))
    return tuple(found)


def _top(session: Session, today: date) -> tuple[Top, ...]:
    channels: list[int | None] = [None, *session.scalars(select(Channel.id).order_by(Channel.id))]
    found = []
    for months in PERIODS:
        since = first_day(months_until(today, months)[0])
        for channel in channels:
            chosen = None if channel is None else [channel]
            spend, people = report_queries.largest(session, since, today, chosen, TOP)
            found.append(Top(months, channel, spend, tuple(people)))
    return tuple(found)


def _redeemed(session: Session, ctx: Context, since: date, today: date) -> tuple[Redeemed, ...]:
    """Which of our pools an order's coupon came from: proved by the code, never by a click."""
    rows = report_coupons.redeemed(session, since, today)
    hashes = {code: code_hash(ctx, code) for row in rows for code in codes_in(row.written)}
    single = report_coupons.pools_by_hash(session, set(hashes.values()))
    pools = {code: single[digest] for code, digest in hashes.items() if digest in single}
    shared = {
        (codes_in(code)[0], channel): pool
        for code, channel, pool in report_coupons.shared_codes(session)
        if codes_in(code)
    }
    orders: Counter[tuple[int, int, str]] = Counter()
    spend: Counter[tuple[int, int, str]] = Counter()
    for row in rows:
        key = (row.month, row.channel_id, _pool(row, pools, shared))
        orders[key] += row.orders
        spend[key] += row.spend
    return tuple(Redeemed(*key, orders[key], spend[key]) for key in sorted(orders))


def _pool(
    row: report_coupons.Redeemed,
    single: Mapping[str, str],
    shared: Mapping[tuple[str, int | None], str],
) -> str:
    for code in codes_in(row.written):
        found = single.get(code) or shared.get((code, row.channel_id))
        if found:
            return found
    return OTHER
