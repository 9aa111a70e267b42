"""A Shopify shop's orders: read by their time of update, the first time also in bulk."""

from __future__ import annotations

import base64
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
from connectors.kit import waiting
from connectors.kit.live import Totals, first_instant
from connectors.kit.money import BadMoney, parse_minor
from connectors.shopify import bulk, credentials, queries
from connectors.shopify.client import LANE, Client, Told
from connectors.shopify.mapping import map_order, moment
from connectors.shopify.reading import Pages, Position, Read, between
from connectors.shopify.settings import map_settings, talk_settings

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
LAG = timedelta(seconds=5)
"""Seconds that Shopify's search may not show yet; the overlap reads them again."""

_ALL_ORDERS = "read_all_orders"
_TELLING = 5
"""So many orders in a row without any buyer mean that buyers are withheld."""


class Shopify:
    """Reads one shop. Settings and quirks: README.md in this folder.

    The watermark is the time, ISO 8601 in UTC, up to which the stream is read.
    """

    kind = "shopify"
    family: ClassVar[Family] = Family.OWN
    SETTINGS: ClassVar[tuple[Credential, ...]] = (credentials.SHOP,)
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = (
        credentials.CLIENT_ID,
        credentials.CLIENT_SECRET,
        credentials.ACCESS_TOKEN,
    )
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (100.0, 1000.0)}
    HISTORY_DAYS: ClassVar[int | None] = 60
    WARNINGS: ClassVar[tuple[str, ...]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[tuple[str, ...]] = credentials.WARNINGS_EN
    DELIVERY_HEADER: ClassVar[str] = "x-shopify-webhook-id"

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config, self._vault = config, vault
        self._talk = talk_settings(config)
        self._mapping = map_settings(config)
        self._client = Client(self._talk, vault, pace)

    def streams(self) -> tuple[Stream, ...]:
        """Orders every two minutes."""
        return (Stream("orders", 120, int(OVERLAP.total_seconds())),)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield pages of a window fixed before its first page is read."""
        if stream != "orders":
            raise NeedsPerson(f"There is no stream {stream!r}.", "Use the stream orders.")
        shop = self._client.ask(queries.SHOP)
        mark = None if watermark.value is None else datetime.fromisoformat(watermark.value)
        there = self._shop_time(shop, now)
        position = _resumed(cursor)
        if position is None:
            position = self._window(self._since(shop, mark, now), there)
            if position is not None and mark is None:
                position = self._in_bulk(position)
                if position.bulk is not None:
                    yield Page((), position.written())
        pages = Pages(self._client, self._talk.page_size)
        while position is not None:
            mark = position.end if mark is None else max(mark, position.end)
            for read in pages.walk(position):
                yield self._page(read, mark)
            ended = position.end
            position = self._window(ended - OVERLAP, there) if ended < there else None

    def _shop_time(self, shop: Told, now: datetime) -> datetime:
        """The instant ``now`` by Shopify's clock, to the second, less the lag."""
        if shop.skew:
            log.warning(
                "shopify_clock_differs",
                extra={"channel": self._config.name, "seconds": shop.skew.total_seconds()},
            )
        return (now + shop.skew - LAG).astimezone(UTC).replace(microsecond=0)

    def _since(self, shop: Told, mark: datetime | None, now: datetime) -> datetime:
        if mark is not None:
            return mark - OVERLAP
        return first_instant(self._config, now, self._reach(shop))

    def history_days(self) -> int | None:
        """Sixty days, or all of them where the app may read them. Talks."""
        return self._reach(self._client.ask(queries.SHOP))

    def _reach(self, shop: Told) -> int | None:
        return None if _ALL_ORDERS in _scopes(shop) else self.HISTORY_DAYS

    def _window(self, since: datetime, until: datetime) -> Position | None:
        start = since.astimezone(UTC).replace(microsecond=0)
        return Position(start, until) if start < until else None

    def _in_bulk(self, position: Position) -> Position:
        """Leave a long first read to a bulk operation; else it is read page by page."""
        limit = self._talk.bulk_from
        if limit is None:
            return position
        variables = {"filter": position.filter, "limit": limit + 1}
        told = self._client.ask(queries.COUNT, variables).data.get("ordersCount")
        count = told.get("count") if isinstance(told, Mapping) else None
        if not isinstance(count, int) or count <= limit:
            return position
        operation = bulk.start(self._client, position.filter)
        return Position(position.start, position.end, bulk=operation)

    def _page(self, read: Read, mark: datetime) -> Page:
        raws: list[RawOrder] = []
        rejected: list[BadRecord] = []
        for place, node in enumerate(read.nodes, 1 + read.at.read):
            position = f"orders from {read.at.start.isoformat()} item {place}"
            number = _number(node)
            if number is None:
                rejected.append(_not_an_order(node, position))
            elif not node.get("test"):
                raws.append(RawOrder(number, node, position))
        if not self._talk.without_buyers:
            _buyers_told(raws)
        following = read.following
        return Page(
            tuple(raws),
            following.written() if following else None,
            None if following else Watermark(mark.isoformat()),
            tuple(rejected),
        )

    def map(self, raw: RawOrder) -> Order:
        """Translate one order. Raises BadRecord."""
        return map_order(raw, self._mapping)

    def check(self) -> str:
        """Ask for the shop's name and the app's scopes. Raises NeedsPerson in plain words."""
        shop = self._client.ask(queries.SHOP)
        scopes = _scopes(shop)
        missing = sorted({"read_orders", "read_customers"} - scopes)
        if missing:
            raise NeedsPerson(
                f"権限 {', '.join(missing)} がありません。The app lacks {', '.join(missing)}.",
                "アプリの設定で権限を加え、インストールし直してください。"
                "Add the scopes in the app's settings and install it again.",
            )
        name = (shop.data.get("shop") or {}).get("name", "")
        parts = [f"「{name}」につながりました。Connected to {name!r}."]
        if _ALL_ORDERS not in scopes:
            parts.append("読めるのは過去 60 日の注文です。Orders of the last 60 days can be read.")
        if shop.version and shop.version != self._talk.version:
            parts.append(
                f"API {self._talk.version} は終了し、{shop.version} が使われています。"
                f"API {self._talk.version} has ended; {shop.version} answers."
            )
        if shop.skew:
            minutes = round(shop.skew.total_seconds() / 60)
            parts.append(f"時計が {minutes} 分ずれています。The clocks differ by {minutes} min.")
        return " ".join(parts)

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in a span, test orders left out."""
        variables: dict[str, Any] = {"first": 250, "filter": between("processed_at", since, until)}
        found: dict[str, int | None] = {}
        after: str | None = None
        while True:
            told = self._client.ask(queries.TOTALS, variables | {"after": after}).data.get("orders")
            if not isinstance(told, Mapping) or not isinstance(told.get("nodes"), list):
                raise waiting.unreadable("Shopify: no list of orders")
            for node in told["nodes"]:
                number, placed = _number(node), moment(node.get("processedAt"))
                if number and placed and since <= placed < until and not node.get("test"):
                    found[number] = _total(node)
            info = told.get("pageInfo") or {}
            after = info.get("endCursor") if info.get("hasNextPage") else None
            if after is None:
                return Totals(found)

    def webhook(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Compare the signature of a delivery, and the shop it says it is from."""
        secret = self._vault.get(credentials.CLIENT_SECRET.name)
        told = headers.get("x-shopify-hmac-sha256", "")
        if not secret or not told:
            return False
        if headers.get("x-shopify-shop-domain", self._talk.shop) != self._talk.shop:
            return False
        digest = hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()
        return hmac.compare_digest(base64.b64encode(digest), told.encode())


def _resumed(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        return Position.of(cursor)
    except (ValueError, KeyError, TypeError) as error:
        # Written by another version: its window is read again from the watermark.
        log.warning("shopify_cursor_unknown", extra={"problem": type(error).__name__})
        return None


def _scopes(shop: Told) -> frozenset[str]:
    app = shop.data.get("currentAppInstallation")
    told = app.get("accessScopes") if isinstance(app, Mapping) else None
    return frozenset(str(one.get("handle")) for one in told or () if isinstance(one, Mapping))


def _number(node: Any) -> str | None:
    """The order's number, which the CSV has as ``Id``; also the end of ``gid://…/123``."""
    if not isinstance(node, Mapping):
        return None
    told = node.get("legacyResourceId") or str(node.get("id") or "").rpartition("/")[2]
    return str(told) or None


def _total(node: Mapping[str, Any]) -> int | None:
    money = (node.get("totalPriceSet") or {}).get("shopMoney") or {}
    try:
        return parse_minor(str(money.get("amount")), str(money.get("currencyCode")))
    except BadMoney as error:
        log.info("shopify_total_untold", extra={"reason": str(error)})
        return None


def _buyers_told(raws: list[RawOrder]) -> None:
    online = [raw.payload for raw in raws if raw.payload.get("sourceName") != "pos"]
    if len(online) < _TELLING or any(one.get("email") or one.get("customer") for one in online):
        return
    raise NeedsPerson(
        "どの注文にもお客様の情報がありません。No order names its buyer.",
        "アプリの「保護された顧客データ」の利用申請とプランを確認してください。購入者のない注文だけの"
        "ショップでは without_buyers を true にします。Check the app's access to protected "
        "customer data; where orders truly have no buyers set without_buyers.",
    )


def _not_an_order(node: Any, position: str) -> BadRecord:
    return BadRecord(
        "no_order_number",
        "The record has no order id.",
        position=position,
        field_name="legacyResourceId",
        payload=node if isinstance(node, Mapping) else {"record": node},
        reason_ja="注文 ID がありません。",
    )
