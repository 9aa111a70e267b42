"""The list of orders of a window: what it tells of each, and reading it whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.kit.fields import Fields, Unreadable
from connectors.kit.offsets import Part, unshifted

UNNAMED = "?"
"""Stands for the key of a row without one. Never empty: to a scan that means "none yet"."""

_CLOSED = {"dispatched": "dispatched", "cancelled": "cancelled"}
"""dispatch_status → the field that tells since when."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the list tells of an order; a time is None where it is not told or not readable."""

    unique_key: str
    ordered: datetime | None
    changed: datetime | None
    """Last change; of a closed order without one, the time it was closed."""
    closed: bool
    total: int | None

    def is_due(self, since: datetime | None, *, reread_open: bool) -> bool:
        """Whether its details must be asked for: it may have changed since."""
        if since is None or self.changed is None or self.changed >= since:
            return True
        return reread_open and not self.closed


def row_of(told: Fields) -> Row:
    """Read a row; one that names no order is ``UNNAMED``: it still counts in the list."""
    try:
        key, status = told.text("unique_key") or UNNAMED, told.text("dispatch_status") or ""
    except Unreadable:
        return Row(UNNAMED, None, None, False, None)
    changed = moment_or_none(told, "modified")
    if changed is None and status in _CLOSED:
        changed = moment_or_none(told, _CLOSED[status])
    return Row(key, moment_or_none(told, "ordered"), changed, status in _CLOSED, _total(told))


def unix(told: Fields, name: str) -> datetime | None:
    """An instant in seconds since 1970; 0 and nothing mean none. Raises Unreadable."""
    return told.unix(name)


def moment_or_none(told: Fields, name: str) -> datetime | None:
    """The instant, or None where it cannot be read."""
    try:
        return unix(told, name)
    except Unreadable:
        return None


def whole(page: Callable[[int], Sequence[Row]]) -> list[Row]:
    """Read every page, oldest order first; ``page`` is given the offset to begin at.

    BASE tells no count. Raises TryLater for a list that never stands still.
    """
    rows = unshifted(lambda offset: Part(page(offset)), lambda row: row.unique_key, source="BASE")
    beginning = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.ordered or beginning, row.unique_key))


def _total(told: Fields) -> int | None:
    try:
        return told.yen("total")
    except Unreadable:
        return None
