"""Pages of rewards, the newest change first, by keyset."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.states import GrantState
from worker.store.customers import CustomerProfile
from worker.store.orders import OrderRow
from worker.store.rewards import CouponCode, CouponPool, Grant


class UnknownPlace(ValueError):
    """A place to go on from that no page gave."""


class GrantLine(NamedTuple):
    """A reward with whose it is now, and the last letters of its code."""

    grant: Grant
    customer_id: int
    name: str
    last4: str
    number: str
    """The order that it rests on."""


def grant_page(
    session: Session, state: GrantState | None, *, after: str = "", limit: int = 50
) -> tuple[list[GrantLine], str]:
    """A page and where the next goes on; empty where there is none. Raises UnknownPlace."""
    query = (
        sa.select(Grant, OrderRow.customer_id, OrderRow.number, CouponCode.last4)
        .outerjoin(OrderRow, OrderRow.id == Grant.order_id)
        .outerjoin(CouponCode, CouponCode.id == Grant.coupon_id)
        .order_by(Grant.id.desc())
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(Grant.state == state)
    if after:
        query = query.where(Grant.id < _place(after))
    rows = session.execute(query).all()
    shown = rows[:limit]
    owners = [row[1] or row[0].customer_id for row in shown]
    names = _names(session, owners)
    lines = [
        GrantLine(row[0], owner, names.get(owner, ""), row[3] or "", row[2] or "")
        for row, owner in zip(shown, owners, strict=True)
    ]
    return lines, str(shown[-1][0].id) if len(rows) > limit else ""


def _place(after: str) -> int:
    if not after.isdecimal() or len(after) > _DIGITS:
        raise UnknownPlace(after)
    return int(after)


_DIGITS = 18


def _names(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    rows = session.execute(
        sa.select(CustomerProfile.customer_id, CustomerProfile.name).where(
            CustomerProfile.customer_id.in_(set(customer_ids))
        )
    )
    return {row.customer_id: row.name or "" for row in rows}


def codes_of(session: Session, now: datetime) -> dict[int, dict[str, int]]:
    """Codes of each pool by state; free ones whose day is past count as ``expired``."""
    past = sa.and_(CouponCode.state == "available", CouponCode.expires_at <= now)
    state = sa.case((past, "expired"), else_=CouponCode.state)
    rows = session.execute(
        sa.select(CouponCode.pool_id, state, sa.func.count()).group_by(
            CouponCode.pool_id, sa.literal_column("2")
        )
    )
    found: dict[int, dict[str, int]] = {}
    for pool, name, number in rows:
        found.setdefault(pool, {})[str(name)] = number
    return found


def pools(session: Session) -> Sequence[CouponPool]:
    """Every pool, by name."""
    return session.scalars(sa.select(CouponPool).order_by(CouponPool.name)).all()
