"""An EC-CUBE 4 shop's orders: read by their time of change, young ones again every hour."""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.contract import (
    BadRecord,
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
from connectors.eccube4 import credentials, queries
from connectors.eccube4.client import LANE, Client
from connectors.eccube4.mapping import map_order, status_of
from connectors.eccube4.reading import Listed, Listing, Position, Read, moment_of, walk
from connectors.eccube4.settings import map_settings, talk_settings
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.live import Totals, first_instant
from connectors.kit.money import BadMoney, parse_minor
from connectors.kit.windows import Window

log = logging.getLogger(__name__)

OVERLAP, OVERLAP_BY_DAY = timedelta(minutes=10), timedelta(days=1)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
_MOMENTS = {queries.CHANGED: "update_date"}


class EcCube4:
    """Reads one shop. Settings and quirks: README.md in this folder.

    The watermark is the shop's own time, ISO 8601 in UTC, up to which the stream is read.
    """

    kind = "eccube4"
    family: ClassVar[Family] = Family.OWN
    SETTINGS: ClassVar[tuple[Credential, ...]] = credentials.SETTINGS
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (2.0, 4.0)}
    """EC-CUBE sets no limit; this spares a shared server."""
    HISTORY_DAYS: ClassVar[int | None] = None
    WARNINGS: ClassVar[tuple[str, ...]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[tuple[str, ...]] = credentials.WARNINGS_EN
    DELIVERY_HEADER: ClassVar[str] = ""
    SAME_BODY_SECONDS: ClassVar[int] = 60

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config, self._vault = config, vault
        self._talk = talk_settings(config)
        self._mapping = map_settings(config)
        self._client = Client(self._talk, vault, pace)

    def streams(self) -> tuple[Stream, ...]:
        """Changed orders every five minutes; each hour the young ones again."""
        overlap = int(self._overlap.total_seconds())
        again = int(self._talk.reread.total_seconds())
        return (Stream("orders", 300, overlap), Stream("changes", 3600, again))

    @property
    def _overlap(self) -> timedelta:
        return OVERLAP_BY_DAY if self._talk.by_day else OVERLAP

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield pages of a window fixed before its first page is read."""
        if stream not in {"orders", "changes"}:
            raise NeedsPerson(f"There is no stream {stream!r}.", "Use orders or changes.")
        query = queries.CHANGED if stream == "orders" else queries.PLACED
        mark = None if watermark.value is None else datetime.fromisoformat(watermark.value)
        # The second in hand takes part, since a webhook comes in it; the overlap reads it again.
        there = self._shop_time(now) + SECOND
        position = _resumed(cursor) or self._window(self._since(stream, mark, now), there)
        while position is not None:
            mark = position.end if mark is None else max(mark, position.end)
            for read in walk(self._listing(query), position):
                yield self._page(read, mark)
            ended = position.end
            position = self._window(ended - self._overlap, there) if ended < there else None

    def map(self, raw: RawOrder) -> Order:
        """Translate one order. Raises BadRecord."""
        return map_order(raw, self._mapping)

    def check(self) -> str:
        """List what changed in the last day. Raises NeedsPerson or TryLater in plain words."""
        now = datetime.now(UTC).replace(microsecond=0)
        skew = self._client.ask(queries.CLOCK).skew
        listed = self._listed(queries.CHANGED, Window(now - DAY, now), 1)
        clock = ""
        if skew:
            minutes = round(skew.total_seconds() / 60)
            clock = (
                f"ショップの時計が {minutes} 分ずれています。The clocks differ by {minutes} min."
            )
        return (
            f"EC-CUBEに接続できました。この24時間に変更された注文: {listed.total} 件。"
            f"Connected to EC-CUBE: {listed.total} orders changed in 24 hours. {clock}"
        ).rstrip()

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where an administrator logs in; the shop then calls ``redirect_uri`` with a code."""
        return self._client.tokens.login_url(redirect_uri, state)

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Keep the tokens that the code of a login buys. Raises NeedsPerson or TryLater."""
        self._client.tokens.log_in(code, redirect_uri)

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in the span with their totals, checkouts left out."""
        position = self._window(since, until)
        found: dict[str, int | None] = {}
        for read in walk(self._listing(queries.TOTALS), position) if position else ():
            for node in read.listed.nodes:
                number, placed = _number(node), moment_of(node, "order_date")
                if number and placed and since <= placed < until and not self._unfinished(node):
                    found[number] = self._total(node)
        return Totals(found)

    def webhook(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Compare the signature of a delivery; a webhook without a secret is not signed: False."""
        secret = self._vault.get(credentials.WEBHOOK_SECRET.name)
        told = headers.get("x-eccube-signature", "")
        if not secret:  # a webhook that is not signed, or whose secret nobody has entered
            return False
        digest = hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(digest.encode(), told.encode())

    # --- asking ------------------------------------------------------------------------------

    def _shop_time(self, now: datetime) -> datetime:
        """The instant ``now`` by the shop's clock, which sets the times of change."""
        skew = self._client.ask(queries.CLOCK).skew
        if skew:
            log.warning(
                "eccube4_clock_differs",
                extra={"channel": self._config.name, "seconds": skew.total_seconds()},
            )
        return (now + skew).astimezone(UTC).replace(microsecond=0)

    def _since(self, stream: str, mark: datetime | None, now: datetime) -> datetime:
        first = first_instant(self._config, now, self.HISTORY_DAYS)
        if stream == "changes":
            return max(first, now - self._talk.reread)
        return first if mark is None else mark - self._overlap

    def _window(self, since: datetime, until: datetime) -> Position | None:
        if self._talk.by_day:
            local = since.astimezone(self._mapping.zone)
            since = local.replace(hour=0, minute=0, second=0)
        since, until = (m.astimezone(UTC).replace(microsecond=0) for m in (since, until))
        return Position.over(since, until) if since < until else None

    def _listing(self, query: str) -> Listing:
        return Listing(
            lambda window, page: self._listed(query, window, page),
            _MOMENTS.get(query, "order_date"),
            self._talk.page_size,
            DAY if self._talk.by_day else SECOND,
        )

    def _listed(self, query: str, window: Window, page: int) -> Listed:
        first, last = window.start.isoformat(), window.end.isoformat()
        if self._talk.by_day:
            query, last_second = queries.BY_DAY[query], window.end - SECOND
            first, last = (
                moment.astimezone(self._mapping.zone).date().isoformat()
                for moment in (window.start, last_second)
            )
        variables = {"page": page, "limit": self._talk.page_size, "from": first, "until": last}
        told = self._client.ask(query, variables)
        orders = told.data.get("orders")
        total = orders.get("totalCount") if isinstance(orders, Mapping) else None
        nodes = orders.get("nodes") if isinstance(orders, Mapping) else None
        if not isinstance(nodes, list) or not isinstance(total, int):
            raise waiting.unreadable("EC-CUBE: no list of orders")
        return Listed(nodes, total, told.broken)

    def _page(self, read: Read, mark: datetime) -> Page:
        raws: list[RawOrder] = []
        rejected: list[BadRecord] = []
        for place, node in enumerate(read.listed.nodes):
            position = f"{read.at.begin.isoformat()} page {read.at.page} item {place + 1}"
            number = _number(node)
            if number is None or place in read.listed.broken:
                rejected.append(_untold(node, number, position))
            elif not self._unfinished(node):
                raws.append(RawOrder(number, node, position))
        following = read.following
        return Page(
            tuple(raws),
            following.written() if following else None,
            None if following else Watermark(mark.isoformat()),
            tuple(rejected),
        )

    def _unfinished(self, node: Any) -> bool:
        """Whether it is a checkout: what became of it is told when it is an order."""
        try:
            return self._mapping.statuses.get(status_of(Fields(node)), True) is None
        except Unreadable:
            return False

    def _total(self, node: Mapping[str, Any]) -> int | None:
        currency = str(node.get("currency_code") or self._mapping.currency)
        try:
            return parse_minor(str(node.get("payment_total")), currency)
        except BadMoney as error:
            log.info("eccube4_total_untold", extra={"reason": str(error)})
            return None


def _resumed(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        return Position.of(cursor)
    except (ValueError, KeyError, TypeError) as error:
        # Written by another version: its window is read again from the watermark.
        log.warning("eccube4_cursor_unknown", extra={"problem": type(error).__name__})
        return None


def _number(node: Any) -> str | None:
    told = node.get("id") if isinstance(node, Mapping) else None
    return str(told).strip() or None if isinstance(told, int | str) else None


def _untold(node: Any, number: str | None, position: str) -> BadRecord:
    """An order that was listed but not told whole: kept in sight until a later poll tells it."""
    return BadRecord(
        "not_told",
        "EC-CUBE lists this order but fails to tell all of it.",
        position=position,
        external_id=number,
        payload=node if isinstance(node, Mapping) else {"record": node},
        reason_ja="一覧にある注文の内容をEC-CUBEが返しません。",
    )
