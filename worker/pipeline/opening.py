"""Opening counts: what a customer had bought before our history begins."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.store.customers import OpeningCount
from worker.store.order_queries import ORDERS, chunks, customers_due
from worker.store.orders import OrderRow

PLATFORM = "platform"


def add_opening_count(
    session: Session,
    ctx: Context,  # noqa: ARG001 - every step is called alike
    customer_id: int,
    channel_id: int,
    count: int,
    *,
    before: date,
    spend: int = 0,
    source: str,
    now: datetime,
) -> None:
    """Set how many orders (and how much, in ledger currency) a customer had before a day."""
    row = session.get(OpeningCount, (customer_id, channel_id))
    if row is None:
        row = OpeningCount(customer_id=customer_id, channel_id=channel_id)
        session.add(row)
    row.count, row.spend, row.before, row.source, row.at = count, spend, before, source, now
    session.flush()
    customers_due(session, [customer_id])


def count_openings(session: Session, pairs: Collection[tuple[int, int]], now: datetime) -> None:
    """Derive opening counts from what the platform says of its customers' order counts.

    The platform counts this order in, so what is missing here lies before our first order.
    What staff entered is not touched. An order that tells no count still moves the opening
    count of a customer who has one: it was counted among those before.
    """
    for part in chunks(sorted({customer for customer, _ in pairs})):
        histories = _histories(session, part)
        stored = {
            (row.customer_id, row.channel_id): row
            for row in session.scalars(
                sa.select(OpeningCount).where(OpeningCount.customer_id.in_(part))
            )
        }
        for pair in (pair for pair in sorted(pairs) if pair in histories):
            _put(session, pair, histories[pair], stored.get(pair), now)
    session.flush()


def platform_counted(session: Session, customer_ids: Collection[int]) -> set[tuple[int, int]]:
    """Customers and channels whose opening count a platform told."""
    found: set[tuple[int, int]] = set()
    for part in chunks(sorted(customer_ids)):
        query = sa.select(OpeningCount.customer_id, OpeningCount.channel_id).where(
            OpeningCount.customer_id.in_(part), OpeningCount.source == PLATFORM
        )
        found |= {(row[0], row[1]) for row in session.execute(query)}
    return found


def _histories(
    session: Session, customer_ids: Collection[int]
) -> dict[tuple[int, int], list[tuple[date, int | None]]]:
    query = (
        sa.select(
            ORDERS.c.customer_id,
            ORDERS.c.channel_id,
            ORDERS.c.ordered_on,
            ORDERS.c.platform_order_count,
        )
        .where(ORDERS.c.customer_id.in_(customer_ids))
        .order_by(ORDERS.c.ordered_at, OrderRow.number, OrderRow.external_id)
    )
    found: dict[tuple[int, int], list[tuple[date, int | None]]] = {}
    for row in session.execute(query):
        found.setdefault((row[0], row[1]), []).append((row[2], row[3]))
    return found


def _put(
    session: Session,
    pair: tuple[int, int],
    history: list[tuple[date, int | None]],
    stored: OpeningCount | None,
    now: datetime,
) -> None:
    if stored is not None and stored.source != PLATFORM:
        return
    missing = [told - place for place, (_, told) in enumerate(history, 1) if told is not None]
    count = max([*missing, 0])
    if stored is None and count == 0:
        return
    if stored is None:
        stored = OpeningCount(customer_id=pair[0], channel_id=pair[1], spend=0, source=PLATFORM)
        session.add(stored)
    stored.count, stored.before, stored.at = count, history[0][0], now
    customers_due(session, [pair[0]])
