"""A WooCommerce shop's orders: read by their time of modification, over wc/v3."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import re
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
from connectors.kit.live import Totals, first_instant
from connectors.woocommerce import credentials
from connectors.woocommerce.client import LANE, Client, ShopError
from connectors.woocommerce.mapping import map_order
from connectors.woocommerce.reading import SECOND, NoSuchOrder, Position, Read, walk
from connectors.woocommerce.settings import map_settings, talk_settings

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
LAG = timedelta(seconds=5)
"""Seconds that may still fill up are left to the next window."""

_BY_ID_SPAN = timedelta(days=7)
"""How long a window of a shop that sorts by id only may be: short, to settle while it is read."""

_DRAFTS = frozenset({"checkout-draft", "auto-draft"})
"""Checkouts in progress: no orders yet."""

_PING = re.compile(rb"webhook_id=\d{1,20}")

_NEVER_STORED = frozenset(
    [
        "order_key",
        "payment_url",
        "customer_ip_address",
        "customer_user_agent",
        "cart_hash",
        "_links",
    ]
)
"""Ways into the order without a login, and traces of the buyer's device: of no use here."""


class WooCommerce:
    """Reads one shop. Settings and quirks: README.md in this folder.

    The watermark is the shop's own time, ISO 8601 in UTC, up to which the stream is read.
    """

    kind = "woocommerce"
    family: ClassVar[Family] = Family.OWN
    SETTINGS: ClassVar[tuple[Credential, ...]] = (credentials.BASE_URL,)
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = (
        credentials.CONSUMER_KEY,
        credentials.CONSUMER_SECRET,
        credentials.WEBHOOK_SECRET,
    )
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (2.0, 4.0)}
    HISTORY_DAYS: ClassVar[int | None] = None
    WARNINGS: ClassVar[tuple[str, ...]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[tuple[str, ...]] = credentials.WARNINGS_EN
    DELIVERY_HEADER: ClassVar[str] = "x-wc-webhook-delivery-id"

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config, self._vault = config, vault
        self._talk = talk_settings(config)
        self._mapping = map_settings(config)
        self._client = Client(self._talk, vault, pace)
        self._by = "modified" if self._talk.read_by == "modified" else "created"

    def streams(self) -> tuple[Stream, ...]:
        """Orders every five minutes; the bin every hour, since the listing leaves it out."""
        overlap = int(self._overlap().total_seconds())
        return (Stream("orders", 300, overlap), Stream("trash", 3600, overlap))

    def _overlap(self) -> timedelta:
        created = self._talk.read_by == "created"
        return timedelta(days=self._talk.repoll_days) if created else OVERLAP

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield pages of a window fixed before its first page is read."""
        if stream not in {"orders", "trash"}:
            raise NeedsPerson(f"There is no stream {stream!r}.", "Use orders or trash.")
        status = "trash" if stream == "trash" else "any"
        mark = None if watermark.value is None else datetime.fromisoformat(watermark.value)
        there = self._shop_time(now) - LAG
        position = _resumed(cursor) or self._window(self._since(stream, mark, now), there)
        while position is not None:
            mark = position.end if mark is None else max(mark, position.end)
            try:
                for read in walk(self._client, position, size=self._talk.page_size, status=status):
                    yield _page(read, mark)
            except NoSuchOrder:
                log.info("woocommerce_sorts_by_id", extra={"channel": self._config.name})
                self._by = "id"
                position = self._window(position.after, there)
                continue
            ended = position.end
            position = self._window(ended - OVERLAP, there) if ended < there else None

    def _shop_time(self, now: datetime) -> datetime:
        """The instant ``now`` by the shop's clock: a window must not end ahead of it."""
        told = self._client.get("orders", {"page": "1", "per_page": "1"})
        if told.skew:
            log.warning(
                "woocommerce_clock_differs",
                extra={"channel": self._config.name, "seconds": told.skew.total_seconds()},
            )
        return (now + told.skew).astimezone(UTC).replace(microsecond=0)

    def _since(self, stream: str, mark: datetime | None, now: datetime) -> datetime:
        if mark is not None:
            return mark - self._overlap()
        if stream == "trash":
            return now - timedelta(days=1)
        return first_instant(self._config, now, self.HISTORY_DAYS)

    def _window(self, since: datetime, until: datetime) -> Position | None:
        since, until = (m.astimezone(UTC).replace(microsecond=0) for m in (since, until))
        if since >= until:
            return None
        if self._by == "id":
            until = min(until, since + max(_BY_ID_SPAN, (until - since) / 50))
        return Position(self._by, until.replace(microsecond=0), since - SECOND)

    def map(self, raw: RawOrder) -> Order:
        """Translate one order. Raises BadRecord."""
        return map_order(raw, self._mapping)

    def check(self) -> str:
        """Ask for one order. Raises NeedsPerson or TryLater in plain words."""
        try:
            told = self._client.get("orders", {"page": "1", "per_page": "1"})
        except ShopError as refused:
            raise NeedsPerson(
                f"ショップが断りました。The shop refused: {refused}.",
                "base_url と鍵を確かめてください。Check base_url and the key.",
            ) from refused
        clock = ""
        if told.skew:
            minutes = round(told.skew.total_seconds() / 60)
            clock = (
                f" ショップの時計が {minutes} 分ずれています。The clocks differ by {minutes} min."
            )
        count = "?" if told.total is None else told.total
        return f"つながりました (注文 {count} 件)。Connected: {count} orders.{clock}"

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in a span, the bin left out, as the mapping totals them."""
        start, end = (m.astimezone(UTC).replace(microsecond=0) for m in (since, until))
        position = Position("created", end, start - SECOND)
        found: dict[str, int | None] = {}
        for read in walk(self._client, position, size=self._talk.page_size, status="any"):
            for raw in _page(read, end).raws:
                try:
                    order = self.map(raw)
                except BadRecord as bad:
                    log.info("woocommerce_total_untold", extra={"code": bad.code})
                    found[raw.external_id] = None
                else:
                    if start <= order.ordered_at < end:
                        found[raw.external_id] = order.total
        return Totals(found)

    def webhook(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Compare the signature of a delivery; the unsigned ping at creation is False too."""
        secret = self._vault.get(credentials.WEBHOOK_SECRET.name)
        told = headers.get("x-wc-webhook-signature", "")
        if not secret or not told:
            return False
        digest = hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()
        return hmac.compare_digest(base64.b64encode(digest), told.encode())

    def is_ping(self, headers: Mapping[str, str], raw_body: bytes) -> bool:
        """Tell the form WooCommerce posts when a webhook is made; unless answered it stays off."""
        return "x-wc-webhook-signature" not in headers and _PING.fullmatch(raw_body) is not None


def _resumed(cursor: str | None) -> Position | None:
    if cursor is None:
        return None
    try:
        return Position.of(cursor)
    except (ValueError, KeyError, TypeError) as error:
        # Written by another version: its window is read again from the watermark.
        log.warning("woocommerce_cursor_unknown", extra={"problem": type(error).__name__})
        return None


def _page(read: Read, mark: datetime) -> Page:
    raws: list[RawOrder] = []
    rejected: list[BadRecord] = []
    for place, row in enumerate(read.rows, 1):
        position = f"orders from {read.at.after.isoformat()} page {read.at.page} item {place}"
        number = row.get("id") if isinstance(row, Mapping) else None
        if isinstance(number, bool) or not isinstance(number, int | str) or not str(number).strip():
            rejected.append(_not_an_order(row, position))
        elif row.get("status") not in _DRAFTS:
            kept = {name: value for name, value in row.items() if name not in _NEVER_STORED}
            raws.append(RawOrder(str(number), kept, position))
    following = read.following
    return Page(
        tuple(raws),
        following.written() if following else None,
        None if following else Watermark(mark.isoformat()),
        tuple(rejected),
    )


def _not_an_order(row: Any, position: str) -> BadRecord:
    return BadRecord(
        "no_order_number",
        "The record has no order id.",
        position=position,
        field_name="id",
        payload=row if isinstance(row, Mapping) else {"record": row},
        reason_ja="注文 ID がありません。",
    )
