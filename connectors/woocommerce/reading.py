"""Walks all orders of a fixed window without losing one that changes while it is read.

Pages by number shift when an order leaves the window in between. So each request begins at
the second of the last order read (``after``); numbers are used inside one second only, and
wherever the count of a numbered listing changes, it is read again from its first page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import NeedsPerson
from connectors.kit import waiting
from connectors.woocommerce.client import Client, ShopError, Told

SECOND = timedelta(seconds=1)
_MOST_RESTARTS = 5


class NoSuchOrder(Exception):
    """The shop does not know this way of sorting; older ones sort by id only."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reading stands; written as the resume cursor. Times are UTC, whole seconds."""

    by: str
    """``modified``, ``created``, or ``id``: by modification, sorted by id (older shops)."""
    end: datetime
    after: datetime
    page: int = 1
    total: int | None = None
    """How many orders the listing from ``after`` had when its first page was read."""
    read: int = 0
    """How many of them are read."""

    def written(self) -> str:
        """The cursor."""
        told = asdict(self) | {"end": self.end.isoformat(), "after": self.after.isoformat()}
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def of(cls, cursor: str) -> Position:
        """Read a cursor back. Raises ValueError, KeyError or TypeError for anything else."""
        told = json.loads(cursor)
        end, after = (datetime.fromisoformat(told.pop(name)) for name in ("end", "after"))
        return cls(end=end, after=after, **told)

    def again(self) -> Position:
        """The same listing from its first page."""
        return replace(self, page=1, total=None, read=0)


@dataclass(frozen=True, slots=True)
class Read:
    """One page: its rows as received, where to go on (None: the window is read), the clock."""

    rows: list[Any]
    at: Position
    following: Position | None
    skew: timedelta


def walk(client: Client, start: Position, *, size: int, status: str) -> Iterator[Read]:
    """Read from a position to the end of its window.

    Raises NoSuchOrder, NeedsPerson or TryLater.
    """
    position: Position | None = start
    restarts = 0
    while position is not None:
        told = _fetch(client, position, size, status)
        if position.page > 1 and told.total != position.total:
            restarts += 1
            if restarts > _MOST_RESTARTS:
                raise waiting.changing("WooCommerce", 60.0)
            position = position.again()
            continue
        rows = _rows(told, position)
        following = _following(position, told, rows)
        yield Read(rows, position, following, told.skew)
        position = following


def _fetch(client: Client, position: Position, size: int, status: str) -> Told:
    kind = "" if position.by == "created" else "modified_"
    params = {
        "page": str(position.page),
        "per_page": str(size),
        f"{kind}after": _written(position.after),
        f"{kind}before": _written(position.end),
        "dates_are_gmt": "true",
        "orderby": {"created": "date"}.get(position.by, position.by),
        "order": "asc",
        "status": status,
    }
    try:
        return client.get("orders", params)
    except ShopError as refused:
        if position.by == "modified" and refused.status == 400 and "orderby" in refused.params:
            raise NoSuchOrder from refused
        raise NeedsPerson(
            f"ショップが一覧の条件を断りました。The shop refused the listing: {refused}.",
            "WooCommerce を更新するか、設定 read_by を created にしてください。"
            "Update WooCommerce, or set read_by to created.",
        ) from refused


def _written(moment: datetime) -> str:
    """Without an offset: with ``dates_are_gmt`` every version compares it with the UTC column."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _rows(told: Told, position: Position) -> list[Any]:
    if not isinstance(told.data, list):
        raise waiting.unreadable("no list")
    if not told.data and told.total and position.page == 1:
        raise waiting.unreadable(f"0 of {told.total} orders")
    moments = list(filter(None, (moment_of(row, position.by) for row in told.data)))
    if any(moment < position.after for moment in moments):
        raise NeedsPerson(
            "ショップが更新日の条件を無視しています。The shop ignores the time filter.",
            "WooCommerce を 5.8 以降に更新するか、設定 read_by を created にしてください。"
            "Update WooCommerce to 5.8 or later, or set read_by to created.",
        )
    return told.data


def moment_of(row: Any, by: str) -> datetime | None:
    """The time a row is sorted by, to the second; None where it is not readable."""
    name = "date_created_gmt" if by == "created" else "date_modified_gmt"
    value = row.get(name) if isinstance(row, Mapping) else None
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found.replace(microsecond=0, tzinfo=found.tzinfo or UTC)


def _following(position: Position, told: Told, rows: list[Any]) -> Position | None:
    read = position.read + len(rows)
    if not rows or (told.total is not None and read >= told.total):
        return None
    if position.by != "id":
        inside = [
            m for m in (moment_of(row, position.by) for row in rows) if m and m < position.end
        ]
        if inside and max(inside) - SECOND > position.after:
            return replace(position.again(), after=max(inside) - SECOND)
    total = told.total if position.total is None else position.total
    return replace(position, page=position.page + 1, total=total, read=read)
