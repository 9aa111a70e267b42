"""BASE: lists by order time, and details of what was changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from connectors.contract import (
    BadRecord,
    ChannelConfig,
    Credential,
    Family,
    Order,
    Pace,
    Page,
    RawOrder,
    Stream,
    Vault,
    Watermark,
)
from connectors.kit import waiting
from connectors.kit.clock import difference_told
from connectors.kit.fields import Fields
from connectors.kit.live import Totals, first_instant
from connectors.kit.rereading import marked_pages, one_by_one, place_of, since_of, three_streams
from connectors.kit.scanning import Scan, Told
from connectors.kit.windows import Window
from connectors.thebase import credentials
from connectors.thebase.listing import UNNAMED, Row, row_of, whole
from connectors.thebase.mapping import map_order
from connectors.thebase.refusals import LANE, OrderRefused
from connectors.thebase.service import BaseService

PAGE = 100
GROUP = 20
"""Details per page: each is a call of its own."""

LONGEST = timedelta(days=92)


class Base:
    """Reads a shop's orders.

    Settings: ``since`` (where the first read begins), ``query_zone`` (in which BASE reads the
    times of a question, else the channel's), ``reread_open`` (false: an order is asked for
    again only when its time of change moves), ``page_size``, ``base_url``, ``timeout``.
    """

    kind = "thebase"
    family = Family.OWN
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (1.1, 500.0)}
    """Below 5,000 an hour and 100,000 a day."""
    HISTORY_DAYS: ClassVar[int | None] = None
    WARNINGS: ClassVar[Sequence[str]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[Sequence[str]] = credentials.WARNINGS_EN

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config = config
        self._service = BaseService(config.settings, vault, pace)

    def streams(self) -> tuple[Stream, ...]:
        """New orders, changes of known ones, and once a week changes of old ones."""
        return three_streams(600)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield orders placed or changed since the watermark, as they are now.

        Raises NeedsPerson or TryLater; what was told before that is yielded first.
        """
        first = first_instant(self._config, now, self.HISTORY_DAYS)
        place = place_of(stream, watermark, cursor, first=first, now=now)
        since, again = since_of(place), stream == "changes" and self._rereads_open()
        scan = Scan(lambda window: self._due(window, since, again), self._told, LONGEST, GROUP)
        yield from marked_pages(scan, place, watermark, lambda: self._service.behind)

    def map(self, raw: RawOrder) -> Order:
        """Translate one order; see ``mapping``."""
        return map_order(raw)

    def check(self) -> str:
        """List the last day and read one order of it. Raises NeedsPerson or TryLater."""
        now = datetime.now(UTC)
        listed = self._listed(Window(now - timedelta(days=1), now))
        if listed:
            self._told(Window(now, now), [listed[0].unique_key])
        return (
            f"BASEに接続できました。この24時間の注文: {len(listed)} 件。"
            f"Connected to BASE.{difference_told(self._service.skew)}"
        )

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where the owner logs in; BASE then calls ``redirect_uri`` with ``code`` and ``state``."""
        return self._service.tokens.login_url(redirect_uri, state)

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Keep the tokens that the code of a login buys. Raises NeedsPerson or TryLater."""
        self._service.tokens.log_in(code, redirect_uri)

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in the span with their totals, as the list tells them."""
        found: dict[str, int | None] = {}
        begin = since
        while begin < until:
            end = min(begin + LONGEST, until)
            for row in self._listed(Window(begin, end)):
                inside = row.ordered is None or since <= row.ordered < until
                if inside and row.unique_key != UNNAMED:
                    found[row.unique_key] = row.total
            begin = end
        return Totals(found)

    # --- asking ------------------------------------------------------------------------------

    def _rereads_open(self) -> bool:
        told = self._config.settings.get("reread_open", True)
        return str(told).strip().lower() not in {"false", "0", "no"}

    def _due(self, window: Window, since: datetime | None, again: bool) -> Sequence[str]:
        rows = self._listed(window)
        return [row.unique_key for row in rows if row.is_due(since, reread_open=again)]

    def _listed(self, window: Window) -> list[Row]:
        return whole(lambda offset: self._page(window, offset))

    def _page(self, window: Window, offset: int) -> list[Row]:
        size = max(2, min(PAGE, int(self._config.settings.get("page_size") or PAGE)))
        question = {
            "start_ordered": self._written(window.start),
            "end_ordered": self._written(window.end),
            "limit": str(size),
            "offset": str(offset),
        }
        try:
            told = self._service.ask("orders", question)
        except OrderRefused as refused:
            raise waiting.unreadable(f"BASE orders: {refused.code}") from refused
        rows = told.get("orders") if isinstance(told, Mapping) else None
        if not isinstance(rows, list):
            raise waiting.unreadable("BASE orders: no list of orders")
        return [row_of(Fields(row)) for row in rows]

    def _written(self, moment: datetime) -> str:
        zone = ZoneInfo(str(self._config.settings.get("query_zone") or self._config.zone))
        return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"

    def _detail(self, key: str) -> Mapping[str, Any]:
        if not (key.isascii() and key.isalnum()):
            raise OrderRefused("no_unique_key")
        order = Fields(self._service.ask(f"orders/detail/{key}")).node("order")
        if order.word("unique_key") != key:
            raise OrderRefused("no_order")
        return order.tree()

    def _told(self, window: Window, keys: Sequence[str]) -> Told:
        days = f"{window.start:%Y-%m-%d} – {window.end:%Y-%m-%d}"

        def tell(key: str) -> RawOrder:
            position = f"{days} {key}"
            try:
                return RawOrder(key, self._detail(key), position)
            except OrderRefused as refused:
                raise _untold(key, refused.code, position) from refused

        return one_by_one(keys, tell)


def _untold(key: str, code: str, position: str) -> BadRecord:
    """An order that was listed but not told: kept in sight until a later poll tells it."""
    return BadRecord(
        "not_told",
        f"BASE lists this order but does not tell it ({code}).",
        position=position,
        external_id=None if key == UNNAMED else key,
        payload={"unique_key": key, "error": code},
        reason_ja=f"一覧にある注文の内容をBASEが返しません ({code})。",
    )
