"""Yahoo! Shopping: lists by order time, and details of what was changed since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

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
from connectors.kit.fields import TOKYO, Fields, Unreadable, frame
from connectors.kit.live import Totals, first_instant
from connectors.kit.rereading import marked_pages, one_by_one, place_of, since_of, three_streams
from connectors.kit.scanning import Listed, Scan, Told, whole_list
from connectors.kit.windows import Window
from connectors.yahoo import credentials
from connectors.yahoo.mapping import external_id, map_order
from connectors.yahoo.questions import order_info, order_list
from connectors.yahoo.service import LANE, OrderRefused, YahooService

PAGE = 1000
"""Orders per list; the most that Yahoo! allows is written nowhere."""

GROUP = 20
"""Details per page: each is a call of its own, at one a second."""

LONGEST = timedelta(days=31)


class YahooShopping:
    """Reads a store's orders.

    Settings: ``since`` (where the first read begins), ``page_size`` of lists, ``omit_fields``
    (names with commas that orderInfo must not be asked for), ``merged`` (``cancelled`` or
    ``hold``: what becomes of orders put into another), ``base_url``, ``login_url``, ``timeout``.
    """

    kind = "yahoo"
    family = Family.YAHOO
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (1.0, 1.0)}
    HISTORY_DAYS: ClassVar[int | None] = 365
    """How far back it is read; how far Yahoo! keeps orders is written nowhere."""
    WARNINGS: ClassVar[Sequence[str]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[Sequence[str]] = credentials.WARNINGS_EN

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config = config
        self._service = YahooService(config.settings, vault, pace)
        told = str(config.settings.get("omit_fields") or "")
        self._omitted = frozenset(name.strip() for name in told.split(","))

    def streams(self) -> tuple[Stream, ...]:
        """New orders, changes of known ones, and once a week changes of old ones."""
        return three_streams(900)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield orders placed or changed since the watermark, as they are now.

        Raises NeedsPerson or TryLater; what was told before that is yielded first.
        """
        first = first_instant(self._config, now, self.HISTORY_DAYS)
        place = place_of(stream, watermark, cursor, first=first, now=now)
        since = since_of(place)
        scan = Scan(lambda window: self._changed(window, since), self._told, LONGEST, GROUP)
        yield from marked_pages(scan, place, watermark, lambda: self._service.behind)

    def map(self, raw: RawOrder) -> Order:
        """Translate one order; see ``mapping``."""
        return map_order(raw, hold_merged=self._config.settings.get("merged") == "hold")

    def check(self) -> str:
        """List the last day and read one order of it. Raises NeedsPerson."""
        now = datetime.now(UTC)
        listed = self._list(Window(now - timedelta(days=1), now), 0)
        if first := next(iter(listed), None):
            self._detail(first)
        return (
            f"Yahoo!ショッピングに接続できました。この24時間の注文: {len(listed)} 件。"
            f"Connected to Yahoo! Shopping.{difference_told(self._service.skew)}"
        )

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where staff log in; Yahoo! then calls ``redirect_uri`` with ``code`` and ``state``."""
        return self._service.tokens.login_url(redirect_uri, state)

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Keep the tokens that the code of a login buys. Raises NeedsPerson or TryLater."""
        self._service.tokens.log_in(code, redirect_uri)

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in the span with their totals, as the list tells them."""
        found: dict[str, int | None] = {}
        last = until - timedelta(seconds=1)  # OrderTimeTo belongs to the window
        begin = since
        while begin <= last:
            end = min(begin + LONGEST, last)
            for order_id, told in self._whole(Window(begin, end)).items():
                found[external_id(self._service.seller_id, order_id)] = _total(told)
            begin = end + timedelta(seconds=1)
        return Totals(found)

    # --- asking ------------------------------------------------------------------------------

    def _changed(self, window: Window, since: datetime | None) -> Sequence[str]:
        return [name for name, told in self._whole(window).items() if _is_due(told, since)]

    def _whole(self, window: Window) -> dict[str, str]:
        return whole_list(lambda read: self._listed(window, read))

    def _listed(self, window: Window, read: int) -> Listed:
        rows, total = self._page(window, read)
        return Listed(rows, len(rows) if total is None else total)

    def _list(self, window: Window, read: int) -> dict[str, str]:
        return self._page(window, read)[0]

    def _page(self, window: Window, read: int) -> tuple[dict[str, str], int | None]:
        """Order id to ``LastUpdateTime TotalPrice`` of a list, and how many the window holds."""
        size = int(self._config.settings.get("page_size") or PAGE)
        question = order_list(self._service.seller_id, window, read + 1, size)
        try:
            answer = self._service.ask("orderList", question)
        except OrderRefused as refused:
            raise waiting.unreadable(f"Yahoo! orderList: {refused.code}") from refused
        search = Fields(answer).node("Result").node("Search")
        rows = {}
        for order in search.nodes("OrderInfo"):
            if name := order.word("OrderId"):
                changed, total = order.word("LastUpdateTime"), order.word("TotalPrice")
                rows[name] = f"{changed or ''} {total or ''}"
        with frame("Yahoo!"):
            return rows, search.whole("TotalCount")

    def _detail(self, order_id: str) -> Mapping[str, Any]:
        question = order_info(self._service.seller_id, order_id, self._omitted)
        answer = self._service.ask("orderInfo", question)
        order = Fields(answer).node("ResultSet").node("Result").node("OrderInfo")
        if order.word("OrderId") is None:
            raise OrderRefused("no_order")
        return order.tree()

    def _told(self, window: Window, order_ids: Sequence[str]) -> Told:
        seller = self._service.seller_id
        days = (
            f"{window.start.astimezone(TOKYO):%Y-%m-%d} – {window.end.astimezone(TOKYO):%Y-%m-%d}"
        )

        def tell(order_id: str) -> RawOrder:
            name, position = external_id(seller, order_id), f"{days} {order_id}"
            try:
                order = self._detail(order_id)
            except OrderRefused as refused:
                raise _untold(name, refused.code, position) from refused
            return RawOrder(name, {"SellerId": seller, "OrderInfo": order}, position)

        return one_by_one(order_ids, tell)


def _is_due(told: str, since: datetime | None) -> bool:
    """Whether an order was changed since; one whose time cannot be read is asked for."""
    changed = told.partition(" ")[0]
    if since is None or not changed:
        return True
    try:
        moment = Fields({"at": changed}).moment("at")
    except Unreadable:
        return True
    return moment is None or moment >= since


def _total(told: str) -> int | None:
    amount = told.partition(" ")[2]
    return int(amount) if amount.isascii() and amount.isdigit() else None


def _untold(name: str, code: str, position: str) -> BadRecord:
    """An order that was listed but not told: kept in sight until a later poll tells it."""
    return BadRecord(
        "not_told",
        f"Yahoo! lists this order but does not tell it ({code}).",
        position=position,
        external_id=name,
        payload={"OrderId": name, "Code": code},
        reason_ja=f"一覧にある注文の内容をYahoo!が返しません ({code})。",
    )
