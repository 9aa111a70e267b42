"""Compares a channel's last days with what the marketplace itself lists, order by order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.kit.live import Totals
from worker.store.channels import Channel
from worker.store.order_queries import chunks
from worker.store.orders import OrderRow, Quarantine
from worker.store.rewards import StaffTask

DIFFER = "orders_differ"
NAMED = 50
"""Order numbers named in an alarm; the counts tell of all."""


@dataclass(frozen=True)
class Difference:
    """What does not agree for the orders placed in a span."""

    channel: str
    since: datetime
    until: datetime
    there: int
    """Orders the marketplace lists."""
    here: int
    """Orders in the store, with those waiting in quarantine."""
    missing: tuple[str, ...] = ()
    """At the marketplace and not here."""
    extra: tuple[str, ...] = ()
    """Open here and not at the marketplace."""
    totals: tuple[tuple[str, int, int], ...] = ()
    """Order number, total here, total there; minor units."""

    @property
    def clean(self) -> bool:
        """Nothing differs."""
        return not (self.missing or self.extra or self.totals)


def compare(
    session: Session, channel: Channel, totals: Totals, since: datetime, until: datetime
) -> Difference:
    """Hold the marketplace's list against the store.

    An order in quarantine is not missing: it is shown there. A cancelled order that the
    marketplace no longer lists is no difference.
    """
    ours = _stored(session, channel.id, totals.orders, since, until)
    held = set(
        session.scalars(
            sa.select(Quarantine.external_id).where(
                Quarantine.channel_id == channel.id, Quarantine.resolved_at.is_(None)
            )
        )
    )
    inside = {key: row for key, row in ours.items() if since <= row[3] < until}
    missing = sorted(totals.orders.keys() - ours.keys() - held)
    extra = sorted(
        row[0]
        for key, row in inside.items()
        if key not in totals.orders and row[2] == "open" and key not in held
    )
    differ = tuple(
        (row[0], row[1], there)
        for key, row in sorted(ours.items())
        if (there := totals.orders.get(key)) is not None
        and row[1] is not None
        and row[1] != there
        and key not in held
    )
    here = len(inside.keys() | (held & totals.orders.keys()))
    return Difference(
        channel.name, since, until, totals.count, here, tuple(missing), tuple(extra), differ
    )


_Stored = tuple[str, int | None, str, datetime]


def _stored(
    session: Session,
    channel_id: int,
    listed: Mapping[str, int | None],
    since: datetime,
    until: datetime,
) -> dict[str, _Stored]:
    """Number, total, life and time by external id: those of the span, and all that are listed."""
    columns = (
        OrderRow.external_id, OrderRow.number, OrderRow.total, OrderRow.life, OrderRow.ordered_at,
    )  # fmt: skip
    mine = sa.select(*columns).where(OrderRow.channel_id == channel_id)
    found: dict[str, _Stored] = {}
    span = mine.where(OrderRow.ordered_at >= since, OrderRow.ordered_at < until)
    parts = [mine.where(OrderRow.external_id.in_(names)) for names in chunks(sorted(listed))]
    for query in (span, *parts):
        for row in session.execute(query):
            found[row[0]] = (row[1], row[2], row[3], row[4])
    return found


def raise_alarm(session: Session, difference: Difference, now: datetime) -> None:
    """Ask staff to look, in one open task for each channel; a clean comparison ends it.

    A clean one ends only what lay in its own span: older differences wait for a person.
    """
    standing = session.scalars(
        sa.select(StaffTask).where(
            StaffTask.kind == DIFFER,
            StaffTask.done_at.is_(None),
            StaffTask.subject.startswith(f"{difference.channel}:", autoescape=True),
        )
    ).first()
    if difference.clean:
        if standing is not None and _covers(difference, standing.detail):
            standing.done_at, standing.done_by = now, "okaeri"
        return
    if standing is not None:
        standing.detail = detail_of(difference)
        return
    subject = f"{difference.channel}:{now.isoformat(timespec='seconds')}"
    session.add(
        StaffTask(kind=DIFFER, subject=subject, detail=detail_of(difference), created_at=now)
    )


def _covers(difference: Difference, detail: Mapping[str, Any]) -> bool:
    return difference.since <= datetime.fromisoformat(str(detail["since"]))


def detail_of(difference: Difference) -> dict[str, Any]:
    """The difference as a task keeps it."""
    told = asdict(difference)
    for name in ("since", "until"):
        told[name] = told[name].isoformat()
    for name in ("missing", "extra", "totals"):
        told[f"{name}_count"] = len(told[name])
        told[name] = list(told[name][:NAMED])
    return told
