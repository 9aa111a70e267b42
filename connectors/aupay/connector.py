"""au PAY Market: whole orders by days, and their changes by asking again, for none are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.aupay import credentials
from connectors.aupay.listing import Listing
from connectors.aupay.mapping import map_order
from connectors.aupay.service import LANE, AuPayService, Question, UnreadableRows
from connectors.aupay.standing import Statuses
from connectors.contract import (
    ChannelConfig,
    Credential,
    Family,
    NeedsPerson,
    Order,
    Pace,
    Page,
    RawOrder,
    Stream,
    Vault,
    Watermark,
)
from connectors.kit.clock import difference_told
from connectors.kit.fields import TOKYO, Fields, Unreadable
from connectors.kit.live import Totals, first_instant
from connectors.kit.scanning import Place

PAGE = 100
MOST_ROWS = 1000
"""Rows of a question: the fewest and the most that known clients ask for."""

CHANGING = timedelta(days=90)
LAG = timedelta(minutes=1)
_FIRST = timedelta(days=14)
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class _Search:
    """What a stream asks for: with ``again``, from its watermark less that; else by age."""

    every: int
    date_type: int = 0
    again: timedelta = timedelta(0)


_SEARCHES: Mapping[str, _Search] = {
    "orders": _Search(900, again=timedelta(days=3)),
    "shipped": _Search(_HOUR, date_type=1, again=timedelta(days=7)),
    "paid": _Search(_HOUR, date_type=2, again=timedelta(days=7)),
    "changes": _Search(6 * _HOUR),
    "far_changes": _Search(7 * 24 * _HOUR),
}
"""Stream to what it asks. Edits and cancels show in ``changes``; the days of parcels and
payments are entered by hand, often for the day before."""


class AuPayMarket:
    """Reads a shop's orders from Wow! manager.

    Settings: ``since`` (where the first read begins), ``history_days`` (how far back is read),
    ``page_size`` (2 to 1000 rows a question), ``statuses`` and ``other_statuses`` (what the
    shop's own status names mean, see README), ``base_url``, ``timeout`` in seconds.
    """

    kind = "aupay"
    family = Family.AUPAY
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (1.0, 1.0)}
    HISTORY_DAYS: ClassVar[int | None] = 365
    """How far back it is read; how far au PAY Market keeps orders is written nowhere."""
    WARNINGS: ClassVar[Sequence[str]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[Sequence[str]] = credentials.WARNINGS_EN

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config = config
        self._service = AuPayService(config.settings, vault, pace)
        self._statuses = Statuses(
            config.settings.get("statuses"), config.settings.get("other_statuses")
        )

    def streams(self) -> tuple[Stream, ...]:
        """New orders, then parcels, payments and changes of older ones."""
        return tuple(
            Stream(name, search.every, int(search.again.total_seconds()))
            for name, search in _SEARCHES.items()
        )

    def history_days(self) -> int | None:
        """How many days back orders are read: the setting, else a year."""
        return self._whole_setting("history_days", self.HISTORY_DAYS or 0, 1, 36_500)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield whole orders as they are now. Raises NeedsPerson or TryLater."""
        search = _SEARCHES.get(stream)
        if search is None:
            raise NeedsPerson(f"There is no stream {stream!r}.", f"Use {', '.join(_SEARCHES)}.")
        place = Place.of(cursor) or self._begin(stream, search, watermark, now)
        for page in self._listing(search.date_type).pages(place):
            mark = page.watermark and self._mark(page.watermark, watermark)
            yield replace(page, watermark=mark)

    def map(self, raw: RawOrder) -> Order:
        """Translate one order; see ``mapping``."""
        return map_order(raw, self._statuses)

    def check(self) -> str:
        """Ask for today's orders. Raises NeedsPerson or TryLater."""
        today = datetime.now(TOKYO).date()
        try:
            found = len(self._service.orders(Question(today, today, 0, 1, PAGE)).orders)
        except UnreadableRows:  # pull() finds the one that breaks it; the connection is well
            found = 1
        more = "以上 or more" if found >= PAGE else ""
        return (
            f"au PAY マーケットに接続できました。今日の注文: {found} 件{more}。"
            f"Connected to au PAY Market.{difference_told(self._service.skew)}"
        )

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in the span with what their buyers paid."""
        found: dict[str, int | None] = {}
        place = Place(since.astimezone(UTC), until.astimezone(UTC), "")
        for page in self._listing(0).pages(place):
            for raw in page.raws:
                placed = _placed(raw)
                if placed is not None and since <= placed < until:
                    found[raw.external_id] = _total(raw)
        return Totals(found)

    # --- where to begin ----------------------------------------------------------------------

    def _listing(self, date_type: int) -> Listing:
        size = self._whole_setting("page_size", PAGE, 2, MOST_ROWS)
        return Listing(self._service.orders, date_type, size)

    def _begin(self, stream: str, search: _Search, watermark: Watermark, now: datetime) -> Place:
        end = now.astimezone(UTC).replace(microsecond=0) - LAG
        first = first_instant(self._config, now, self.history_days()).astimezone(UTC)
        seen = datetime.fromisoformat(watermark.value) if watermark.value else None
        begin, until = first, end
        if stream == "changes":
            begin = max(first, end - CHANGING)
        elif stream == "far_changes":
            until = end - CHANGING
        elif seen is not None:
            begin = max(first, seen - search.again)
        elif search.date_type:  # what happened before is in the orders read first
            begin = max(first, end - _FIRST)
        return Place(begin.replace(microsecond=0), until, end.isoformat())

    def _mark(self, reached: Watermark, before: Watermark) -> Watermark:
        """The end of the scan by the source's clock where that is behind ours; never back."""
        told = datetime.fromisoformat(reached.value or "") - self._service.behind
        return Watermark(max(told.replace(microsecond=0).isoformat(), before.value or ""))

    def _whole_setting(self, name: str, default: int, least: int, most: int) -> int:
        told: Any = self._config.settings.get(name)
        try:
            found = default if told in {None, ""} else int(told)
        except (TypeError, ValueError):
            found = least - 1
        if least <= found <= most:
            return found
        raise NeedsPerson(
            f"設定 {name} の値「{told}」は使えません。"
            f"The setting {name} = {told!r} cannot be used.",
            f"{least} から {most} までの数にしてください。Write a number from {least} to {most}.",
        )


def _placed(raw: RawOrder) -> datetime | None:
    try:
        return Fields(raw.payload).moment("orderDate")
    except Unreadable:
        return None


def _total(raw: RawOrder) -> int | None:
    try:
        return Fields(raw.payload).yen("requestPrice")
    except Unreadable:
        return None
