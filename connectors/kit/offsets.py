"""Lists read page by page from an offset, whole even where rows shift while they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.kit.waiting import changing

T = TypeVar("T")

_TRIES = 3
_PAUSE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """The rows from one offset on, and how many the source says there are in all, if it does."""

    rows: Sequence[T]
    total: int | None = None


def unshifted(page: Callable[[int], Part[T]], key: Callable[[T], str], *, source: str) -> list[T]:
    """Read every page of a list; ``page`` is given the offset to begin at, ``key`` names a row.

    Each page but the first begins with the last row of the one before: where it does not, rows
    have shifted meanwhile, and the list is read again. A page must hold two rows or more. The
    list ends where all that was counted has come or, without a count, where nothing new comes.
    Raises TryLater for a list that never stands still; ``source`` is who tells it.
    """
    for _ in range(_TRIES):
        rows = _reading(page, key)
        if rows is not None:
            return rows
    raise changing(source, _PAUSE_SECONDS)


def _reading(page: Callable[[int], Part[T]], key: Callable[[T], str]) -> list[T] | None:
    """One reading; None where it cannot be whole."""
    found: dict[str, T] = {}
    begin, last, total = 0, "", None
    while True:
        part = page(begin)
        names = [key(row) for row in part.rows]
        if last and (names[:1] != [last] or part.total != total):
            return None
        known = len(found)
        found |= dict(zip(names, part.rows, strict=True))
        read, total = begin + len(names), part.total
        if total is not None and read >= total:
            return list(found.values()) if len(found) == total else None
        if len(found) == known:
            return list(found.values()) if total is None else None
        begin, last = read - 1, names[-1]
