"""The sales of a window: asking for them by their time of order or of change, and reading all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.colorme.service import ColorMeService
from connectors.contract import NeedsPerson
from connectors.kit import waiting
from connectors.kit.fields import TOKYO, Fields, Unreadable
from connectors.kit.offsets import Part, unshifted
from connectors.kit.scanning import TooMany
from connectors.kit.windows import Window

PLACED, CHANGED = "make_date", "update_date"
"""By which of its times a sale is looked for."""

MOST = 1000
"""Sales of a window that are held at once; a window with more is halved."""

MOST_PER_PAGE = 100
_PER_PAGE = 50
_SHORTEST = timedelta(minutes=2)
"""Not halved any more: an edit of many sales at once gives all of them one time."""

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Sale:
    """A row of the list as it was told; ``name`` is its id, or its place where it has none."""

    name: str
    told: Any
    named: bool

    def moment(self, field: str) -> datetime | None:
        """One of its times, None where it cannot be read."""
        try:
            return Fields(self.told).unix(field)
        except Unreadable:
            return None


def page_size(told: Any) -> int:
    """Read the setting ``page_size``. Raises NeedsPerson."""
    if not told:
        return _PER_PAGE
    if not str(told).isdecimal() or not 2 <= int(told) <= MOST_PER_PAGE:
        raise NeedsPerson(
            f"設定 page_size の値「{told}」は使えません。page_size cannot be used.",
            f"2〜{MOST_PER_PAGE}の整数にしてください。Write a whole number from 2 to "
            f"{MOST_PER_PAGE}.",
        )
    return int(told)


class Listing:
    """Lists sales. ``first`` is the oldest time of order that is ever asked for."""

    def __init__(self, service: ColorMeService, first: datetime, size: int) -> None:
        self._service, self._first, self._size = service, first, size

    def sales(self, window: Window, by: str) -> list[Sale]:
        """Every sale of a window, oldest id first. Raises TooMany, NeedsPerson, TryLater."""
        question = self._question(window, by)
        rows = unshifted(
            lambda offset: self._page(question, offset, window),
            lambda sale: sale.name,
            source="Color Me Shop",
        )
        times = [sale.moment(by) for sale in rows]
        if any(told < window.start - 2 * _SECOND for told in times if told):
            raise _ignored()
        inside = [
            sale
            for sale, told in zip(rows, times, strict=True)
            if told is None or window.start <= told <= window.end
        ]
        return sorted(inside, key=lambda sale: (len(sale.name), sale.name))

    def _question(self, window: Window, by: str) -> dict[str, str]:
        """Both ends a second wider: whether they belong to the answer is written nowhere.

        ``after`` is always there: without it the API tells the sales of the last seven days,
        whatever else is asked.
        """
        start, end = _written(window.start - _SECOND), _written(window.end + _SECOND)
        if by == PLACED:
            return {"after": start, "before": end}
        first = _written(min(self._first, window.start) - _SECOND)
        return {"after": first, "update_date_min": start, "update_date_max": end}

    def _page(self, question: Mapping[str, str], offset: int, window: Window) -> Part[Sale]:
        paging = {"limit": str(self._size), "offset": str(offset)}
        told = self._service.ask("sales", {**question, **paging})
        rows = told.get("sales")
        if not isinstance(rows, list):
            raise waiting.unreadable("Color Me Shop: no list")
        total = total_of(told)
        if total is not None and total > MOST and window.end - window.start > _SHORTEST:
            raise TooMany(f"{total} sales")
        return Part([_sale(row, offset + place) for place, row in enumerate(rows)], total)


def total_of(told: Mapping[str, Any]) -> int | None:
    """How many sales an answer says there are, if it does."""
    try:
        return Fields(told).node("meta").whole("total")
    except Unreadable:
        return None


def _sale(row: Any, place: int) -> Sale:
    try:
        name = Fields(row).text("id")
    except Unreadable:
        name = None
    return Sale(name or f"?{place}", row, name is not None)


def _written(moment: datetime) -> str:
    """As the API reads times, which are Japan's."""
    return f"{moment.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}"


def _ignored() -> NeedsPerson:
    return NeedsPerson(
        "カラーミーショップが期間の条件を無視しています。Color Me Shop ignores the time filter.",
        "チャネルを止めたまま、開発者へ知らせてください。"
        "Leave the channel paused and tell the developers.",
    )
