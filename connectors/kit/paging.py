"""Walking through the pages of an answer, and being able to go on after a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.contract import NeedsPerson

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """One answer of the source: its records, and the cursor of the next answer or None."""

    records: Sequence[T]
    next_cursor: str | None


def walk(
    fetch: Callable[[str | None], Slice[T]], cursor: str | None = None, *, most: int = 100_000
) -> Iterator[Slice[T]]:
    """Call ``fetch`` with each cursor in turn, starting at ``cursor``, until there is no next.

    Raises NeedsPerson where the source hands out a cursor twice (a loop without end) or
    more than ``most`` pages.
    """
    seen: set[str] = set()
    for _ in range(most):
        answer = fetch(cursor)
        yield answer
        cursor = answer.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            raise NeedsPerson(
                "The source repeats the same page without end.",
                "Pause the channel and tell the marketplace's support.",
            )
        seen.add(cursor)
    raise NeedsPerson(
        f"The source has more than {most} pages in one window.", "Narrow the time range."
    )


def numbered(
    fetch: Callable[[int], Sequence[T]], *, size: int, first: int = 1
) -> Callable[[str | None], Slice[T]]:
    """Adapt a source that counts pages from ``first``; all but the last hold ``size`` records."""

    def fetch_cursor(cursor: str | None) -> Slice[T]:
        page = first if cursor is None else int(cursor)
        records = fetch(page)
        return Slice(records, str(page + 1) if len(records) >= size else None)

    return fetch_cursor
