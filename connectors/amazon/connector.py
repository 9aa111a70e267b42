"""Amazon.co.jp: orders by their time of change, without anything that names a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.amazon import credentials, soliciting
from connectors.amazon.keeping import kept
from connectors.amazon.mapping import map_order
from connectors.amazon.service import BURST, LANE, RATE, AmazonService, Found, Refused
from connectors.amazon.talking import Talk
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
from connectors.kit.clock import difference_told
from connectors.kit.live import Totals, first_instant
from connectors.kit.soliciting import AskWindow, Replied

log = logging.getLogger(__name__)

JAPAN = "A1VC38T7YXB528"
INCLUDED = "PROCEEDS,PAYMENT,CANCELLATION,FULFILLMENT,PACKAGES"
"""Never BUYER, RECIPIENT or TAX: what is not asked for needs no role and is not sent."""

FIRST = datetime(2016, 1, 1, tzinfo=UTC)
"""Amazon tells Japan's orders from here on."""

OVERLAP = timedelta(minutes=5)
LAG = timedelta(minutes=5)
"""Amazon tells what is two minutes old; this is for the two clocks besides."""

_TOKEN_LIVES = timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a window is read: its fixed begin, the next page's token, and the mark it sets."""

    after: str
    token: str = ""
    mark: str = ""
    at: str = ""
    page: int = 1

    @classmethod
    def of(cls, cursor: str | None, now: datetime) -> _Place | None:
        """The place of a cursor; None for none and for one whose token has ended."""
        if cursor is None:
            return None
        try:
            place = cls(**json.loads(cursor))
            age = now - datetime.fromisoformat(place.at)
        except (ValueError, TypeError) as error:
            # Written by another version: its window is read again from the watermark.
            log.warning("amazon_cursor_unknown", extra={"problem": type(error).__name__})
            return None
        return place if age < _TOKEN_LIVES else None


class Amazon:
    """Reads a seller's orders.

    Settings: ``since`` (where the first read begins), ``marketplace_ids`` (with commas, default
    Japan's), ``page_size`` (1 to 100), ``base_url``, ``login_url``, ``timeout``. The watermark
    is Amazon's own time, ISO 8601 in UTC, up to which the stream is read.
    """

    kind = "amazon"
    family: ClassVar[Family] = Family.AMAZON
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {
        LANE: (RATE, BURST),
        **soliciting.LANES,
    }
    HISTORY_DAYS: ClassVar[int | None] = None
    WARNINGS: ClassVar[Sequence[str]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[Sequence[str]] = credentials.WARNINGS_EN

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config = config
        rates = {lane: rate for lane, (rate, _burst) in self.LANES.items()}
        talk = Talk(config.settings, vault, pace, rates)
        self._service, self._solicitations = AmazonService(talk), soliciting.Solicitations(talk)

    def streams(self) -> tuple[Stream, ...]:
        """Everything that changed, every quarter of an hour: one search costs three minutes."""
        return (Stream("orders", 900, int(OVERLAP.total_seconds())),)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield the orders changed since the watermark, up to where Amazon says it told."""
        if stream != "orders":
            raise NeedsPerson(f"There is no stream {stream!r}.", "Use orders.")
        resumed = _Place.of(cursor, now)
        place = resumed or self._begin(watermark, now)
        seen = {place.token}
        while True:
            try:
                found = self._service.search(self._question(place))
            except Refused as refused:
                if not place.token:
                    raise refused.lasting() from refused
                if place is not resumed:
                    raise waiting.unreadable(f"Amazon: {refused.shown}") from refused
                resumed, place = None, self._begin(watermark, now)  # its token has ended
                continue
            page, following = _page(place, found, watermark, now)
            yield page
            if following is None:
                return
            if following.token in seen:
                raise waiting.unreadable("Amazon: the same page again")
            seen.add(following.token)
            place = following

    def map(self, raw: RawOrder) -> Order:
        """Translate one order; see ``mapping``. What names a person is left out here too."""
        return map_order(replace(raw, payload=kept(raw.payload)))

    def check(self) -> str:
        """Search the last day for one order. Raises NeedsPerson or TryLater."""
        begin = _stamp(datetime.now(UTC) - timedelta(days=1))
        question = self._asked() | {"createdAfter": begin, "maxResultsPerPage": "1"}
        try:
            found = self._service.search(question)
        except Refused as refused:
            raise refused.lasting() from refused
        some = "あり" if found.orders else "なし"
        return (
            f"Amazonに接続できました。この24時間の注文: {some}。"
            f"Connected to Amazon.{difference_told(found.skew)}"
        )

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in the span with their totals; a hundred cost one search."""
        until = min(until, datetime.now(UTC) - LAG)
        found: dict[str, int | None] = {}
        if since >= until:
            return Totals(found)
        span = {"createdAfter": _stamp(since), "createdBefore": _stamp(until)}
        token: str | None = ""
        while token is not None:
            paged = {"paginationToken": token} if token else {}
            try:
                told = self._service.search(self._asked() | span | paged)
            except Refused as refused:
                raise refused.lasting() from refused
            found |= _totals(told.orders, since, until)
            token = None if told.next_token == token else told.next_token
        return Totals(found)

    # --- review requests: see kit.soliciting ---------------------------------------------------

    def ask_window(self, raw: RawOrder) -> AskWindow | None:
        """When Amazon takes a review request for the order; None: never, or it is not told."""
        return soliciting.ask_window(raw)

    def may_ask(self, order_id: str, place: str) -> Replied:
        """Look whether Amazon offers the request. Raises NeedsPerson or TryLater."""
        return self._solicitations.may_ask(order_id, place)

    def ask(self, order_id: str, place: str) -> Replied:
        """Have Amazon ask the buyer. Raises NeedsPerson or TryLater where nothing went out."""
        return self._solicitations.ask(order_id, place)

    # --- asking ------------------------------------------------------------------------------

    def _begin(self, watermark: Watermark, now: datetime) -> _Place:
        after = max(FIRST, first_instant(self._config, now, self.HISTORY_DAYS))
        if watermark.value:
            after = datetime.fromisoformat(watermark.value) - OVERLAP
        return _Place(_stamp(min(after, now - LAG)))

    def _question(self, place: _Place) -> dict[str, str]:
        paged = {"paginationToken": place.token} if place.token else {}
        return self._asked() | {"lastUpdatedAfter": place.after} | paged

    def _asked(self) -> dict[str, str]:
        settings = self._config.settings
        return {
            "marketplaceIds": str(settings.get("marketplace_ids") or JAPAN),
            "includedData": INCLUDED,
            "maxResultsPerPage": str(_size(settings.get("page_size"))),
        }


def _size(told: Any) -> int:
    if told is None:
        return 100
    if not str(told).isdecimal() or not 1 <= int(told) <= 100:
        raise NeedsPerson(
            f"設定 page_size の値「{told}」は使えません。page_size cannot be used.",
            "1〜100の整数にしてください。Write a whole number from 1 to 100.",
        )
    return int(told)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(
    place: _Place, found: Found, watermark: Watermark, now: datetime
) -> tuple[Page, _Place | None]:
    """The page of an answer, and where to go on; the first answer fixes the mark."""
    raws: list[RawOrder] = []
    rejected: list[BadRecord] = []
    for number, record in enumerate(found.orders, 1):
        position = f"orders from {place.after} page {place.page} item {number}"
        order = kept(record)
        order_id = order.get("orderId")
        if isinstance(order_id, str) and order_id.strip():
            raws.append(RawOrder(order_id.strip(), order, position))
        else:
            rejected.append(_nameless(order, position))
    mark = place.mark or _mark(found, now)
    following = None
    if found.next_token is not None:
        at = place.at if found.next_token == place.token else now.isoformat()
        following = _Place(place.after, found.next_token, mark, at, place.page + 1)
    reached = None if following else Watermark(max(mark, watermark.value or ""))
    cursor = json.dumps(asdict(following)) if following else None
    return Page(tuple(raws), cursor, reached, tuple(rejected)), following


def _mark(found: Found, now: datetime) -> str:
    """Up to when Amazon says it told; unsaid, a time that is past by either clock."""
    told = found.reached or min(now, now + found.skew) - LAG
    return told.astimezone(UTC).replace(microsecond=0).isoformat()


def _nameless(order: Mapping[str, Any], position: str) -> BadRecord:
    return BadRecord(
        "no_order_number",
        "The record has no orderId.",
        position=position,
        field_name="orderId",
        payload=order or {"record": "unreadable"},
        reason_ja="注文番号 (orderId) がありません。",
    )


def _totals(records: Sequence[Any], since: datetime, until: datetime) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for record in records:
        payload = kept(record)
        order_id = str(payload.get("orderId") or "").strip()
        try:
            order = map_order(RawOrder(order_id, payload))
        except BadRecord as bad:
            log.info("amazon_total_untold", extra={"code": bad.code})
            if order_id:
                found[order_id] = None
        else:
            if since <= order.ordered_at < until:
                found[order_id] = order.total
    return found
