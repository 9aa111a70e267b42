"""Reports of coupons: orders and revenue that their codes prove, and what became of rewards."""

from __future__ import annotations

from collections import Counter

from console import formats
from console.views.report_sales import Asked
from console.views.report_tables import (
    Cell,
    Section,
    count,
    number_head,
    percent,
    plain,
    scale_for,
)
from worker.pipeline.reports import OTHER
from worker.rules.states import CouponState, GrantState

_OUT = (CouponState.RESERVED, CouponState.ISSUED, CouponState.USED)


def used(asked: Asked) -> Section:
    """Orders that name a coupon, by pool, and their part of all sales."""
    words = asked.words
    orders, spend = Counter[str](), Counter[str]()
    for row in asked.figures.redeemed:
        if row.month in asked.months and asked.takes(row.channel_id):
            orders[row.pool] += row.orders
            spend[row.pool] += row.spend
    given = _given(asked)
    whole = sum(row.spend for row in asked.sold)
    scale = scale_for(0, asked.currency, words.locale)
    pools = sorted({*orders, *(given if asked.channel_id is None else ())} - {OTHER})
    rows = [
        (
            plain(pool or words("reports.other_coupon")),
            count(given.get(pool, (0, 0))[0]) if pool in given else Cell("–", None, number=True),
            count(orders[pool]),
            percent(*reversed(given[pool])) if pool in given else Cell("–", None, number=True),
            scale.cell(spend[pool]),
            percent(spend[pool], whole),
        )
        for pool in [*pools, *([OTHER] if OTHER in orders else [])]
    ]
    head = (
        plain(words("reports.coupon")),
        *map(
            number_head,
            (
                words("reports.given"),
                words("reports.orders"),
                words("reports.used_share"),
                words("reports.sales_in", unit=scale.unit),
                words("reports.of_sales"),
            ),
        ),
    )
    return Section(
        "coupons", words("reports.coupons"), words("reports.coupons_sub"), head, tuple(rows),
        note=words("reports.coupons_note"),
    )  # fmt: skip


def _given(asked: Asked) -> dict[str, tuple[int, int]]:
    """(codes given out, of them used) of each pool of single codes, since it began."""
    out, gone = Counter[str](), Counter[str]()
    for pool, state, number in asked.figures.codes:
        out[pool] += number if state in _OUT else 0
        gone[pool] += number if state == CouponState.USED else 0
    return {pool: (out[pool], gone[pool]) for pool in out}


def grants(asked: Asked) -> Section:
    """Rewards of each milestone by what became of them, since the beginning."""
    words = asked.words
    number = {(milestone, state): n for milestone, state, n in asked.figures.grants}
    states = [state for state in GrantState if any(s == state for _, s in number)]
    rows = [
        (
            Cell(formats.nth(milestone, words.locale), milestone),
            *(count(number.get((milestone, state), 0)) for state in states),
        )
        for milestone in sorted({milestone for milestone, _ in number})
    ]
    head = (
        plain(words("reports.milestone")),
        *(number_head(words(f"grant.{state}")) for state in states),
    )
    return Section(
        "grants", words("reports.grants"), words("reports.grants_sub"), head, tuple(rows)
    )
