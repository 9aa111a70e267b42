"""What the reports count of coupons: orders by the code they name, codes and grants by state."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.store.order_queries import chunks
from worker.store.orders import OrderRow
from worker.store.report_queries import month_number
from worker.store.rewards import CouponCode, CouponPool, Grant


class Redeemed(NamedTuple):
    """Counting orders of a month and channel that name the same coupons, as written."""

    month: int
    channel_id: int
    written: str
    orders: int
    spend: int


def redeemed(session: Session, since: date, today: date) -> list[Redeemed]:
    """Counting orders with a coupon from ``since`` to ``today``."""
    month = month_number(OrderRow.ordered_on)
    rows = session.execute(
        sa.select(
            month,
            OrderRow.channel_id,
            OrderRow.coupon_code,
            sa.func.count(),
            sa.func.sum(OrderRow.spend),
        )
        .where(
            OrderRow.counting,
            OrderRow.coupon_code.is_not(None),
            OrderRow.coupon_code != "",
            OrderRow.ordered_on >= since,
            OrderRow.ordered_on <= today,
        )
        .group_by(sa.literal_column("1"), sa.literal_column("2"), sa.literal_column("3"))
    )
    return [Redeemed(int(row[0]), row[1], str(row[2]), int(row[3]), int(row[4])) for row in rows]


def pools_by_hash(session: Session, hashes: Collection[str]) -> dict[str, str]:
    """The pool's name of each single code that we know, by the code's keyed hash."""
    found: dict[str, str] = {}
    for part in chunks(sorted(hashes)):
        rows = session.execute(
            sa.select(CouponCode.code_hash, CouponPool.name)
            .join(CouponPool, CouponPool.id == CouponCode.pool_id)
            .where(CouponCode.code_hash.in_(part))
        )
        found |= {row[0]: row[1] for row in rows}
    return found


def shared_codes(session: Session) -> list[tuple[str, int | None, str]]:
    """(code, channel, pool) of every shared coupon."""
    rows = session.execute(
        sa.select(CouponPool.shared_code, CouponPool.channel_id, CouponPool.name).where(
            CouponPool.shared_code.is_not(None)
        )
    )
    return [(str(row[0]), row[1], row[2]) for row in rows]


def codes_by_state(session: Session) -> list[tuple[str, str, int]]:
    """(pool, state, codes) of all single codes."""
    rows = session.execute(
        sa.select(CouponPool.name, CouponCode.state, sa.func.count())
        .join(CouponPool, CouponPool.id == CouponCode.pool_id)
        .group_by(CouponPool.name, CouponCode.state)
    )
    return [(row[0], str(row[1]), int(row[2])) for row in rows]


def grants_by_state(session: Session) -> list[tuple[int, str, int]]:
    """(milestone, state, grants)."""
    rows = session.execute(
        sa.select(Grant.milestone, Grant.state, sa.func.count()).group_by(
            Grant.milestone, Grant.state
        )
    )
    return [(int(row[0]), str(row[1]), int(row[2])) for row in rows]
