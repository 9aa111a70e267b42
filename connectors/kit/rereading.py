"""Reading a source that lists by order time and tells a time of change: three streams over it.

``orders`` lists what was placed lately, ``changes`` what was placed within ninety days, and
``far_changes`` once a week what is older; of each only what changed since the watermark is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connectors.contract import (
    BadRecord,
    NeedsPerson,
    Page,
    RawOrder,
    Stream,
    TryLater,
    Watermark,
)
from connectors.kit.scanning import Place, Scan, Told

OVERLAP = timedelta(minutes=10)
YOUNG = timedelta(days=3)
"""How far before its watermark ``orders`` lists; older orders are seen by ``changes``."""

CHANGING = timedelta(days=90)
LAG = timedelta(minutes=1)
_FIRST_FLOOR = timedelta(days=7)
_HOUR, _WEEK = 3600, 7 * 24 * 3600
_NAMES = ("orders", "changes", "far_changes")


def three_streams(orders_seconds: int) -> tuple[Stream, ...]:
    """New orders, changes of known ones each hour, and once a week changes of old ones."""
    again = int(OVERLAP.total_seconds())
    seconds = (orders_seconds, _HOUR, _WEEK)
    return tuple(Stream(name, each, again) for name, each in zip(_NAMES, seconds, strict=True))


def place_of(
    stream: str, watermark: Watermark, cursor: str | None, *, first: datetime, now: datetime
) -> Place:
    """Where a poll of the stream stands: at its cursor, else where its scan begins.

    ``first`` is where the first read of all begins. The ``floor`` of a place is the instant
    (ISO 8601) from which on a change makes an order due; empty: every order is.
    Raises NeedsPerson for an unknown stream.
    """
    if stream not in _NAMES:
        raise NeedsPerson(f"There is no stream {stream!r}.", "Use orders.")
    return Place.of(cursor) or _begin(stream, watermark, first.astimezone(UTC), now)


def _begin(stream: str, watermark: Watermark, first: datetime, now: datetime) -> Place:
    end = now.astimezone(UTC).replace(microsecond=0) - LAG
    seen = datetime.fromisoformat(watermark.value) if watermark.value else None
    begin, until, floor = first, end, seen or end - _FIRST_FLOOR
    if stream == "orders":
        begin = max(first, seen - YOUNG) if seen else first
    elif stream == "changes":
        begin, until = max(first, end - CHANGING), end - YOUNG + timedelta(days=1)
    else:
        until = end - CHANGING
    everything = stream == "orders" and seen is None
    told = "" if everything else (floor - OVERLAP).isoformat()
    return Place(begin.replace(microsecond=0), until, end.isoformat(), floor=told)


def since_of(place: Place) -> datetime | None:
    """From when on a change makes an order due; None: every order is."""
    return datetime.fromisoformat(place.floor) if place.floor else None


def marked_pages(
    scan: Scan, place: Place, before: Watermark, behind: Callable[[], timedelta]
) -> Iterator[Page]:
    """The pages of a scan; ``behind`` tells how far the source's clock is behind ours by now.

    The watermark is the end of the scan by the slower of the two clocks, and never goes back.
    """
    for page in scan.pages(place):
        mark = page.watermark and _mark(page.watermark, before, behind())
        yield replace(page, watermark=mark)


def _mark(reached: Watermark, before: Watermark, behind: timedelta) -> Watermark:
    told = datetime.fromisoformat(reached.value or "") - behind
    return Watermark(max(told.replace(microsecond=0).isoformat(), before.value or ""))


def one_by_one(names: Sequence[str], tell: Callable[[str], RawOrder]) -> Told:
    """Ask for one order after another; what stops that stops behind what was told.

    ``tell`` raises BadRecord for an order that is listed but not told.
    """
    raws: list[RawOrder] = []
    rejected: list[BadRecord] = []
    for done, name in enumerate(names):
        try:
            raws.append(tell(name))
        except BadRecord as bad:
            rejected.append(bad)
        except (TryLater, NeedsPerson) as problem:
            return Told(tuple(raws), tuple(rejected), done, problem)
    return Told(tuple(raws), tuple(rejected))
