"""How far back a channel's history is complete, kept true while a live channel is read."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.store.channels import Channel
from worker.store.customers import Customer
from worker.store.order_queries import ORDERS

READING_SINCE = "reading_since"
"""Setting that the service itself keeps: where the first read began, until it has ended."""

BACKFILL = "backfill"
"""Likewise: the span of a backfill that is under way, and how far it is."""

BACKFILL_WISH = "backfill_wish"
"""Likewise: that somebody at the desk wants the past read."""

OWN_SETTINGS = frozenset({READING_SINCE, BACKFILL, BACKFILL_WISH})
"""Settings that the service keeps for itself: neither exported nor replaced by a file."""


def close_reach(session: Session, channel: Channel, today: date) -> None:
    """Let a channel that will now be polled be complete from no earlier than its orders.

    A poll by time of change brings single old orders along; they must not pass for a complete
    history. What a person declared stays.
    """
    if channel.history_complete_since is None:
        earliest = session.scalar(
            sa.select(sa.func.min(ORDERS.c.ordered_on)).where(ORDERS.c.channel_id == channel.id)
        )
        channel.history_complete_since = earliest or today


def begin_reading(channel: Channel, since: datetime) -> None:
    """Note where a first read begins; a note that is there already stays."""
    if READING_SINCE not in channel.settings:
        channel.settings = {**channel.settings, READING_SINCE: since.isoformat()}


def reading_since(settings: dict[str, Any]) -> datetime | None:
    """Where the first read began; None once it has ended."""
    told = settings.get(READING_SINCE)
    return datetime.fromisoformat(told) if told else None


def finish_reading(channel: Channel, zone: ZoneInfo) -> bool:
    """The first read has ended: the history is complete from its beginning; tells of a change."""
    since = reading_since(channel.settings)
    channel.settings = {k: v for k, v in channel.settings.items() if k != READING_SINCE}
    return since is not None and reach_back(channel, first_whole_day(since, zone))


def first_whole_day(since: datetime, zone: ZoneInfo) -> date:
    """The first day of which nothing lies before ``since``: a day begun is not complete."""
    local = since.astimezone(zone)
    begun = local.timetz().replace(tzinfo=None) != time.min
    return local.date() + timedelta(days=begun)


def reach_back(channel: Channel, since: date) -> bool:
    """Take over that everything since a day is known now; never shortens what was known."""
    known = channel.history_complete_since
    if known is None or known <= since:
        return False
    channel.history_complete_since = since
    return True


def customers_due_after(session: Session, after: int, limit: int = 5000) -> int | None:
    """Mark the next customers, by id, to be ranked and planned anew; None where none are left.

    A changed reach changes the certainty of everybody's numbers.
    """
    last = session.scalar(
        sa.select(sa.func.max(sa.column("id"))).select_from(
            sa.select(Customer.id)
            .where(Customer.id > after)
            .order_by(Customer.id)
            .limit(limit)
            .subquery()
        )
    )
    if last is not None:
        session.execute(
            sa.update(Customer)
            .where(Customer.id > after, Customer.id <= last)
            .values(rank_due=True, plan_due=True)
        )
    return last
