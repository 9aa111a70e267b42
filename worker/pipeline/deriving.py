"""What follows from an order's own states: its day, whether it counts, its net spend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.rules.counting import NO_RATE, OrderFacts, count
from worker.store import order_queries as orders
from worker.store.order_queries import ORDERS

_DERIVED = ("ordered_on", "counting", "visit_counting", "spend", "warnings")


def derived(ctx: Context, row: dict[str, Any]) -> dict[str, Any]:
    """Give the order row with its derived columns filled."""
    facts = OrderFacts(
        life=row["life"],
        payment=row["payment"],
        fulfilment=row["fulfilment"],
        payment_kind=row["payment_kind"],
        paid_at=row["paid_at"],
        total=row["total"],
        shipping=row["shipping"],
        refunded=row["refunded"],
        currency=row["currency"],
        delivery_count=row["delivery_count"],
    )
    counted = count(facts, ctx.documents.shop.counting)
    told = [warning for warning in row["warnings"] or [] if warning != NO_RATE]
    return row | {
        "ordered_on": row["ordered_at"].astimezone(ctx.zone).date(),
        "counting": counted.counting,
        "visit_counting": counted.visit_counting,
        "spend": counted.spend,
        "warnings": told + list(counted.warnings),
    }


def derive(
    session: Session, ctx: Context, order_ids: Sequence[int], now: datetime
) -> tuple[int, ...]:
    """Derive stored orders anew, after a change of counting rules; gives those that changed."""
    changed: list[dict[str, Any]] = []
    for part in orders.chunks(order_ids):
        rows = session.execute(sa.select(ORDERS).where(ORDERS.c.id.in_(part))).mappings()
        for row in rows:
            fresh = derived(ctx, dict(row))
            if any(fresh[name] != row[name] for name in _DERIVED if name != "visit_counting"):
                changed.append(fresh | {"changed_at": now, "plan_due": True})
    orders.update_few(session, ORDERS, (*_DERIVED, "changed_at", "plan_due"), changed)
    orders.customers_due(session, [row["customer_id"] for row in changed])
    settle_deliveries(session, changed)
    return tuple(row["id"] for row in changed)


def settle_deliveries(session: Session, rows: Iterable[Mapping[str, Any]]) -> None:
    """Let one order of each subscription be the visit: the first that counts.

    For sources that name the subscription but do not number its deliveries. ``rows`` are
    orders just written; their whole subscriptions are looked at, because an order may arrive
    before an earlier one of the same subscription.
    """
    unnumbered = {
        (row["channel_id"], row["subscription_number"])
        for row in rows
        if row["subscription_number"] and row["delivery_count"] is None
    }
    for channel_id in {channel for channel, _ in unnumbered}:
        numbers = sorted(number for channel, number in unnumbered if channel == channel_id)
        for part in orders.chunks(numbers):
            _settle_part(session, channel_id, part)


def _settle_part(session: Session, channel_id: int, numbers: Sequence[str]) -> None:
    query = (
        sa.select(
            ORDERS.c.id,
            ORDERS.c.subscription_number,
            ORDERS.c.visit_counting,
            ORDERS.c.customer_id,
        )
        .where(
            ORDERS.c.channel_id == channel_id,
            ORDERS.c.subscription_number.in_(numbers),
            ORDERS.c.delivery_count.is_(None),
            ORDERS.c.counting,
        )
        .order_by(ORDERS.c.ordered_at, ORDERS.c.number, ORDERS.c.external_id)
    )
    seen: set[str] = set()
    differing: list[dict[str, Any]] = []
    for row in session.execute(query).mappings():
        first = row["subscription_number"] not in seen
        seen.add(row["subscription_number"])
        if row["visit_counting"] != first:
            differing.append(dict(row) | {"visit_counting": first})
    orders.update_few(session, ORDERS, ("visit_counting",), differing)
    orders.customers_due(session, [row["customer_id"] for row in differing])
