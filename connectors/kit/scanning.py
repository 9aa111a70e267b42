"""Reading a span of orders from a source that lists numbers first and tells details after.

A scan fixes its end before the first question, lists the numbers of one window after another,
asks for their details group by group, and ends with a page that holds the watermark. Its place
is the cursor: a scan that stopped goes on behind the last order that was stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connectors.contract import (
    BadRecord,
    ConnectorError,
    Page,
    RawOrder,
    TryLater,
    Watermark,
)
from connectors.kit.waiting import unreadable
from connectors.kit.windows import Window, windows

_TRIES = 3


class TooMany(Exception):
    """A window holds more orders than the source will list: it is to be halved."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scan stands. ``floor`` is the connector's own note, e.g. an older watermark."""

    begin: datetime
    """Where the window in hand begins."""
    end: datetime
    """The fixed end of the whole scan."""
    mark: str
    """The watermark to set when all is read."""
    after: str = ""
    """The last number of the window that was taken; empty: none yet."""
    floor: str = ""

    def cursor(self) -> str:
        """Write it down."""
        told = {"begin": self.begin.isoformat(), "end": self.end.isoformat(), "mark": self.mark}
        return json.dumps(told | {"after": self.after, "floor": self.floor}, ensure_ascii=False)

    @classmethod
    def of(cls, cursor: str | None) -> Place | None:
        """Read it again; None where there is none, or one that another version wrote."""
        if not cursor:
            return None
        try:
            told = json.loads(cursor)
            begin, end = (datetime.fromisoformat(told[name]) for name in ("begin", "end"))
            return cls(begin, end, str(told["mark"]), str(told["after"]), str(told["floor"]))
        except (ValueError, KeyError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Told:
    """Details of a group of numbers; ``done`` of them were asked for before ``problem`` came."""

    raws: tuple[RawOrder, ...]
    rejected: tuple[BadRecord, ...] = ()
    done: int | None = None
    """None: all."""
    problem: ConnectorError | None = None


Listing = Callable[[Window], Sequence[str]]
"""The numbers of a window, oldest order first. Raises TooMany."""

Details = Callable[[Window, Sequence[str]], Told]


@dataclass(frozen=True, slots=True)
class Scan:
    """How a source is scanned: the longest window it takes, and numbers per question."""

    listing: Listing
    details: Details
    longest: timedelta
    group: int

    def pages(self, place: Place) -> Iterator[Page]:
        """Yield pages from a place to the end; the last one holds no order but the watermark."""
        span = windows(
            None, place.end, overlap=timedelta(0), longest=self.longest, since=place.begin
        )
        for window in span:
            yield from self._window(window, place)
            place = replace(place, begin=window.end, after="")
        yield Page((), None, Watermark(place.mark))

    def _window(self, window: Window, place: Place) -> Iterator[Page]:
        try:
            numbers = self.listing(window)
        except TooMany as error:
            middle = _middle(window, error)
            yield from self._window(Window(window.start, middle), place)
            late = replace(place, begin=middle, after="")
            yield from self._window(Window(middle, window.end), late)
            return
        rest = _behind(numbers, place.after)
        for start in range(0, len(rest), self.group):
            yield from self._group(window, rest[start : start + self.group], place)

    def _group(self, window: Window, numbers: Sequence[str], place: Place) -> Iterator[Page]:
        told = self.details(window, numbers)
        done = numbers[: told.done]
        if done:
            stands = replace(place, begin=window.start, after=done[-1])
            yield Page(told.raws, stands.cursor(), rejected=told.rejected)
        if told.problem is not None:
            raise told.problem


def every_number(listing: Listing, window: Window) -> list[str]:
    """The numbers of a window, halved as often as the source needs. Raises TryLater."""
    try:
        return list(listing(window))
    except TooMany as error:
        middle = _middle(window, error)
    early = every_number(listing, Window(window.start, middle))
    return early + every_number(listing, Window(middle, window.end))


def _middle(window: Window, error: TooMany) -> datetime:
    middle = window.start + (window.end - window.start) / 2
    middle = middle.replace(microsecond=0)
    if middle <= window.start:
        raise TryLater(f"One second holds more orders than can be listed: {error}") from error
    return middle


def _behind(numbers: Sequence[str], after: str) -> Sequence[str]:
    """What is left; a number that has gone from the list means the window is read again."""
    return numbers[numbers.index(after) + 1 :] if after in numbers else numbers


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list: number to the connector's own note, and how many there are in all."""

    rows: Mapping[str, str]
    total: int


def whole_list(page_of: Callable[[int], Listed]) -> dict[str, str]:
    """Read every page of a list; ``page_of`` is given how many rows have been read.

    A list that changed between two pages may have pushed a row from a page not yet read to
    one already read: it is read again, and every number seen is kept. Raises TryLater for a
    list that never holds as many rows as it says.
    """
    found: dict[str, str] = {}
    for _ in range(_TRIES):
        seen, totals = _one_reading(page_of)
        found |= seen
        if totals == {len(seen)}:
            return found
    if len(found) < max(totals):
        raise unreadable(f"{len(found)} of {max(totals)} orders")
    return found


def _one_reading(page_of: Callable[[int], Listed]) -> tuple[dict[str, str], set[int]]:
    seen: dict[str, str] = {}
    totals: set[int] = set()
    read = 0
    while True:
        page = page_of(read)
        totals.add(page.total)
        fresh = page.rows.keys() - seen.keys()
        seen |= page.rows
        read += len(page.rows)
        if not fresh or read >= page.total:
            return seen, totals
