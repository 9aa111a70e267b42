"""How the channels are: what stops them, how long they have been silent, what will expire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.channel_vault import expiries
from worker.pipeline.coupons import staff_task
from worker.pipeline.reach import reading_since
from worker.store.channels import Channel, ChannelKind
from worker.store.orders import OrderRow
from worker.store.rewards import StaffTask

WARN_DAYS = (14, 7, 3, 1, 0)
"""How many days ahead of its end a credential is spoken of; 0: it has ended."""

EXPIRING = "credential_expiring"


@dataclass(frozen=True)
class Health:
    """One channel at a glance."""

    channel: str
    kind: str
    family: str
    orders: int
    """0 where they were not counted."""
    history_complete_since: date | None
    paused: bool
    problem: str
    """What stops or disturbs it, in words; empty where all is well."""
    last_success_at: datetime | None
    lag_seconds: float | None
    """Since the last poll that worked; None where none ever did."""
    next_poll_at: datetime | None
    reading_since: datetime | None
    """Where a first read that is still going on began."""
    expires: dict[str, datetime]
    active_from: dict[str, datetime]

    @property
    def next_expiry(self) -> datetime | None:
        """The end of the credential that ends first."""
        return min(self.expires.values(), default=None)


def channel_health(session: Session, now: datetime, *, count: bool = False) -> list[Health]:
    """Every channel, by name; ``count``: with the number of its orders, which takes time."""
    orders = _orders(session) if count else {}
    active: dict[int, dict[str, datetime]] = {}
    for row in session.scalars(sa.select(ChannelKind)):
        active.setdefault(row.channel_id, {})[row.kind.value] = row.active_from
    return [
        _health(channel, orders.get(channel.id, 0), active.get(channel.id, {}), now)
        for channel in session.scalars(sa.select(Channel).order_by(Channel.name))
    ]


def _orders(session: Session) -> dict[int, int]:
    counted = sa.select(OrderRow.channel_id, sa.func.count()).group_by(OrderRow.channel_id)
    return {row[0]: row[1] for row in session.execute(counted)}


def _health(
    channel: Channel, orders: int, active_from: dict[str, datetime], now: datetime
) -> Health:
    last = channel.last_success_at
    return Health(
        channel=channel.name,
        kind=channel.kind,
        family=channel.family,
        orders=orders,
        history_complete_since=channel.history_complete_since,
        paused=channel.paused,
        problem=channel.pause_reason if channel.paused else channel.last_error,
        last_success_at=last,
        lag_seconds=(now - last).total_seconds() if last else None,
        next_poll_at=channel.next_poll_at,
        reading_since=reading_since(channel.settings),
        expires=expiries(channel.secrets),
        active_from=active_from,
    )


def warn_of_expiry(session: Session, now: datetime) -> int:
    """Ask staff to renew what ends soon, once for each step of nearness; gives how many.

    Tasks about a credential that was renewed since are done.
    """
    told = 0
    standing: set[str] = set()
    for channel in session.scalars(sa.select(Channel).order_by(Channel.id)):
        for name, ends in sorted(expiries(channel.secrets).items()):
            stem = _stem(channel.name, name, ends)
            standing.add(stem)
            left = days_left(ends, now)
            step = min((days for days in WARN_DAYS if left <= days), default=None)
            if step is None:
                continue
            detail = {
                "channel": channel.name, "credential": name,
                "expires_at": ends.isoformat(), "days_left": left,
            }  # fmt: skip
            staff_task(session, EXPIRING, f"{stem}:{step}", detail, now)
            told += 1
    _close_renewed(session, standing, now)
    return told


def days_left(ends: datetime, now: datetime) -> int:
    """Whole days until then, counted up to the next; 0 once it has passed."""
    seconds = (ends - now).total_seconds()
    return max(0, -int(-seconds // timedelta(days=1).total_seconds()))


def _stem(channel: str, name: str, ends: datetime) -> str:
    return f"{channel}:{name}:{ends.date().isoformat()}"[:190]


def _close_renewed(session: Session, standing: set[str], now: datetime) -> None:
    open_ones = sa.select(StaffTask).where(StaffTask.kind == EXPIRING, StaffTask.done_at.is_(None))
    newest: dict[str, list[StaffTask]] = {}
    for task in session.scalars(open_ones.order_by(StaffTask.id)):
        newest.setdefault(task.subject.rpartition(":")[0], []).append(task)
    for stem, tasks in newest.items():
        # Of several warnings about one end the nearest is enough.
        for task in tasks[:-1] if stem in standing else tasks:
            task.done_at, task.done_by = now, "okaeri"


def plain(health: Health) -> dict[str, Any]:
    """The row of ``okaeri channels list``."""
    ends = health.next_expiry
    return {
        "channel": health.channel,
        "kind": health.kind,
        "family": health.family,
        "orders": health.orders,
        "history_complete_since": health.history_complete_since or "",
        "paused": health.problem or "yes" if health.paused else "",
        "problem": health.problem,
        "last_success_at": health.last_success_at or "",
        "lag_seconds": health.lag_seconds,
        "next_poll_at": health.next_poll_at or "",
        "reading_since": health.reading_since or "",
        "expires": ends.date() if ends else "",
        "credentials": health.expires,
        "active_from": health.active_from,
    }
