"""The orders of a span, read row by row: rows that shift are noticed, a broken one stands alone.

The API counts rows and promises neither their order nor a count of the whole. So each answer
begins with the last row of the one before: where it does not, rows have shifted meanwhile and
the window is read again. A window ends where nothing new comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from connectors.aupay.service import Question, Told, UnreadableRows
from connectors.contract import BadRecord, Page, RawOrder, Watermark
from connectors.kit import waiting
from connectors.kit.fields import TOKYO, Fields, Unreadable
from connectors.kit.scanning import Place
from connectors.kit.windows import Window, windows

LONGEST = timedelta(days=28)
"""Of a window: thirty days are asked for by others, more by nobody. Windows share a day."""

UNNAMED = "?"
"""Stands for the number of an order that tells none or cannot be read."""

_UNKEPT = frozenset({"cardJadgement", "pgResult", "pgOrderId", "pgRequestPrice"})
_TRIES = 3
_MOST_BROKEN = 5
"""Rows of a window that may be unreadable; more is a fault of the source, not of an order."""


@dataclass(frozen=True, slots=True)
class Row:
    """One order of an answer; ``order`` is None where the answer with it cannot be read."""

    number: str
    order: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Listing:
    """Reads spans of the day that ``date_type`` means, ``size`` rows a question."""

    ask: Callable[[Question], Told]
    date_type: int
    size: int

    def pages(self, place: Place) -> Iterator[Page]:
        """Yield pages from a place to its end; the last one holds no order but the watermark.

        Raises NeedsPerson or TryLater; what was told before that has been yielded.
        """
        span = windows(None, place.end, overlap=timedelta(0), longest=LONGEST, since=place.begin)
        for window in span:
            yield from _Reading(self, window).pages(replace(place, begin=window.start))
            place = replace(place, begin=window.end, after="", floor="")
        yield Page((), None, Watermark(place.mark))


class _Reading:
    """One window."""

    def __init__(self, listing: Listing, window: Window) -> None:
        self._listing = listing
        self._first = window.start.astimezone(TOKYO).date()
        self._last = window.end.astimezone(TOKYO).date()
        self._count = 0
        self._broken: set[int] = set()

    def pages(self, place: Place) -> Iterator[Page]:
        read, last, shifted = _rows_read(place), place.after, 0
        while True:
            rows = self._rows(max(1, read), self._listing.size)
            if read and (not rows or rows[0].number != last):
                shifted += 1
                if shifted >= _TRIES:
                    raise waiting.changing("au PAY", 60.0)
                read = 0
                continue
            fresh = rows[1:] if read else rows
            if not fresh:
                self._ends_at(read)
                return
            begin, read, last = read + 1, read + len(fresh), fresh[-1].number
            yield self._page(fresh, begin, replace(place, after=last, floor=str(read)).cursor())

    def _ends_at(self, read: int) -> None:
        if self._count > read:
            raise waiting.unreadable(f"{read} of {self._count} orders")

    def _rows(self, start: int, size: int) -> list[Row]:
        """Some rows; those of an unreadable answer in halves, down to the one that breaks it."""
        try:
            told = self._listing.ask(
                Question(self._first, self._last, self._listing.date_type, start, size)
            )
        except UnreadableRows as broken:
            if size > 1:
                half = size // 2
                rows = self._rows(start, half)
                return rows if len(rows) < half else rows + self._rows(start + half, size - half)
            return [self._broken_row(start, broken.numbers)]
        self._count = told.count or 0
        return [Row(_number(order), order) for order in told.orders]

    def _broken_row(self, start: int, numbers: Sequence[str]) -> Row:
        self._broken.add(start)
        if len(self._broken) > _MOST_BROKEN:
            raise waiting.unreadable("XML")
        return Row(numbers[0] if numbers else UNNAMED, None)

    def _page(self, rows: Sequence[Row], begin: int, cursor: str) -> Page:
        raws: list[RawOrder] = []
        rejected: list[BadRecord] = []
        for at, row in enumerate(rows, begin):
            position = f"{self._first} – {self._last} row {at}"
            if row.order is None:
                rejected.append(_untold(row.number, position))
            elif row.number == UNNAMED:
                rejected.append(_no_number(kept(row.order), position))
            else:
                raws.append(RawOrder(row.number, kept(row.order), position))
        return Page(tuple(raws), cursor, rejected=tuple(rejected))


def _rows_read(place: Place) -> int:
    """How many rows of the window in hand are stored: the connector's own note in a place."""
    return int(place.floor) if place.after and place.floor.isdecimal() else 0


def _number(order: Mapping[str, Any]) -> str:
    try:
        return Fields(order).text("orderId") or UNNAMED
    except Unreadable:
        return UNNAMED


def kept(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order less what it tells of a card and its processing: that is never stored."""
    return {name: value for name, value in order.items() if name not in _UNKEPT}


def _no_number(order: Mapping[str, Any], position: str) -> BadRecord:
    return BadRecord(
        "no_order_number",
        "The answer holds an order without a number.",
        position=position,
        field_name="orderId",
        payload=order,
        reason_ja="注文番号のない注文が返されました。",
    )


def _untold(number: str, position: str) -> BadRecord:
    """An order that is there but cannot be read: kept in sight until a later poll tells it."""
    return BadRecord(
        "not_told",
        "au PAY Market lists this order but tells it in broken XML.",
        position=position,
        external_id=None if number == UNNAMED else number,
        payload={"orderId": number},
        reason_ja="注文の内容が壊れていて読み取れません。Wow! manager で確認してください。",
    )
