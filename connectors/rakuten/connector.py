"""Rakuten Ichiba: orders by date, and their changes by asking again, for RMS tells none."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
from connectors.kit.clock import difference_told
from connectors.kit.fields import TOKYO, Fields, frame
from connectors.kit.live import Totals, first_instant
from connectors.kit.scanning import Listed, Place, Scan, Told, TooMany, every_number, whole_list
from connectors.kit.windows import Window
from connectors.rakuten import service
from connectors.rakuten.mapping import map_order
from connectors.rakuten.service import RakutenService, messages
from connectors.rakuten.standing import CANCELLED, OPEN

log = logging.getLogger(__name__)

VERSION = 10
"""Of getOrder: the newest whose fields are known; older ones are withdrawn in turn."""

LONGEST = timedelta(days=63)
GROUP = 100
PAGE = 1000
CAP = 15_000
"""Limits of searchOrder and getOrder: days of a window, numbers, hits per page, hits in all."""

OVERLAP = timedelta(days=3)
LAG = timedelta(minutes=1)
_DAY = 24 * 3600
_CARD = frozenset(
    {"cardName", "cardNumber", "cardOwner", "cardYm", "cardPayType", "cardInstallmentDesc"}
)


@dataclass(frozen=True, slots=True)
class _Search:
    """What a stream asks for. ``reach`` None: from its watermark on; else always that far back."""

    every: int
    date_type: int = 1
    progress: tuple[int, ...] = ()
    reach: timedelta | None = None


class Rakuten:
    """Reads a shop's orders from RMS.

    Settings: ``since`` (where the first read begins), ``version`` of getOrder, ``base_url``,
    ``timeout`` in seconds.
    """

    kind = "rakuten"
    family = Family.RAKUTEN
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = (service.SERVICE_SECRET, service.LICENSE_KEY)
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {service.LANE: (1.0, 1.0)}
    HISTORY_DAYS: ClassVar[int | None] = 729
    """A day less than RMS allows: a long scan must not fall off its end."""
    WARNINGS: ClassVar[Sequence[str]] = (
        "ライセンスキーを再発行すると、受注管理ソフトや在庫連携で使っている古いキーは止まります。",
        "ライセンスキーの有効期限は90日です。期限が近づくと画面でお知らせします。",
        "あんしんメルアドへは楽天の中継サーバからしか届きません。",
        "中継サーバの AUTH パスワードを変えると、他のメール送信ソフトが止まります。",
    )
    WARNINGS_EN: ClassVar[Sequence[str]] = (
        "Issuing a new licence key stops the old one in your order hub and stock tools.",
        "A licence key lasts 90 days; the desk tells you before it ends.",
        "Masked addresses are reached through Rakuten's own mail relay only.",
        "Changing the relay's AUTH password stops your other mail tools.",
    )

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config = config
        self._service = RakutenService(config.settings, vault, pace)

    def streams(self) -> tuple[Stream, ...]:
        """Name what is polled: new orders, and the ways in which a known one may change."""
        named = [
            Stream(name, search.every, 0 if search.reach else int(OVERLAP.total_seconds()))
            for name, search in _SEARCHES.items()
        ]
        return (*named, Stream("licence", _DAY))

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield pages of up to 100 orders as they are now. Raises NeedsPerson or TryLater."""
        if stream == "licence":
            self._service.licence_expiry()
            yield Page((), None, Watermark(now.astimezone(UTC).isoformat()))
            return
        search = _SEARCHES.get(stream)
        if search is None:
            raise NeedsPerson(f"There is no stream {stream!r}.", f"Use {', '.join(_SEARCHES)}.")
        place = Place.of(cursor) or self._begin(search, watermark, now)
        yield from self._scan(search, now).pages(place)

    def map(self, raw: RawOrder) -> Order:
        """Translate one order; see ``mapping``."""
        return map_order(raw)

    def check(self) -> str:
        """Search the last day, read one order, and ask when the key ends. Raises NeedsPerson."""
        now = datetime.now(UTC)
        found = self._placed(Window(now - timedelta(days=1), now))
        if found:
            self._orders(found[-1:])
        expires = self._service.licence_expiry()
        until = f"{expires.astimezone(TOKYO):%Y-%m-%d}" if expires else "不明 unknown"
        return (
            f"楽天に接続できました。この24時間の注文: {len(found)} 件。キーの期限: {until}。"
            f"Connected to Rakuten.{difference_told(self._service.skew)}"
        )

    def expiry(self) -> datetime | None:
        """When the licence key ends, asked at Rakuten; None where the shop forbids to ask."""
        return self._service.licence_expiry()

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the orders placed in the span, with the totals that one getOrder tells.

        The list holds numbers only: of more than a hundred orders every n-th is asked for.
        """
        found: dict[str, int | None] = {}
        last = until - timedelta(seconds=1)  # searchOrder includes the end of its window
        begin = since
        while begin <= last:
            end = min(begin + LONGEST, last)
            found |= dict.fromkeys(self._placed(Window(begin, end)))
            begin = end + timedelta(seconds=1)
        numbers = list(found)
        return Totals(found | self._amounts(numbers[:: -(-len(numbers) // GROUP) or 1]))

    def _amounts(self, numbers: Sequence[str]) -> dict[str, int | None]:
        """What the orders cost, in one question; one that is not told or read is left out."""
        if not numbers:
            return {}
        found: dict[str, int | None] = {}
        for order in _list(self._orders(numbers), "OrderModelList"):
            number = Fields(order).word("orderNumber")
            if number is None or number not in numbers:
                continue
            try:
                found[number] = map_order(RawOrder(number, without_cards(order))).total
            except BadRecord as bad:  # the poll has put it into quarantine
                log.info("rakuten_total_untold", extra={"code": bad.code})
        return found

    # --- asking ------------------------------------------------------------------------------

    def _begin(self, search: _Search, watermark: Watermark, now: datetime) -> Place:
        end = now.astimezone(UTC).replace(microsecond=0) - LAG
        begin = first_instant(self._config, now, self.HISTORY_DAYS).astimezone(UTC)
        if search.reach is not None:
            begin = max(begin, end - search.reach)
        elif watermark.value:
            begin = max(self._reach(now), datetime.fromisoformat(watermark.value) - OVERLAP)
        elif search.date_type != 1:  # what happened before is in the orders read first
            begin = max(begin, end - 2 * OVERLAP)
        mark = end.isoformat()
        return Place(begin.replace(microsecond=0), end, max(mark, watermark.value or ""))

    def _reach(self, now: datetime) -> datetime:
        return now.astimezone(UTC) - timedelta(days=self.HISTORY_DAYS or 0)

    def _scan(self, search: _Search, now: datetime) -> Scan:
        reach = self._reach(now)

        def listing(window: Window) -> Sequence[str]:
            start = max(window.start, reach)
            return self._numbers(search, Window(start, max(start, window.end)))

        return Scan(listing, self._told, LONGEST, GROUP)

    def _placed(self, window: Window) -> list[str]:
        search = _SEARCHES["orders"]
        return every_number(lambda part: self._numbers(search, part), window)

    def _numbers(self, search: _Search, window: Window) -> Sequence[str]:
        return list(whole_list(lambda read: self._page(search, window, read)))

    def _page(self, search: _Search, window: Window, read: int) -> Listed:
        """The page of order numbers after ``read`` of them. Raises TooMany above the cap."""
        question: dict[str, Any] = {
            "dateType": search.date_type,
            "startDatetime": _stamp(window.start),
            "endDatetime": _stamp(window.end),
            "PaginationRequestModel": {
                "requestRecordsAmount": PAGE,
                "requestPage": read // PAGE + 1,
                "SortModelList": [{"sortColumn": 1, "sortDirection": 1}],
            },
        }
        if search.progress:
            question["orderProgressList"] = list(search.progress)
        answer = self._service.ask(service.SEARCH, question)
        numbers = _list(answer, "orderNumberList")
        with frame("RMS"):
            total = Fields(answer).node("PaginationResponseModel").whole("totalRecordsAmount")
        if (total or 0) > CAP:
            raise TooMany(f"{total} orders")
        return Listed({str(one): "" for one in numbers}, total or len(numbers))

    def _orders(self, numbers: Sequence[str]) -> Mapping[str, Any]:
        version = int(self._config.settings.get("version", VERSION))
        question = {"orderNumberList": list(numbers), "version": version}
        return self._service.ask(service.GET, question)

    def _told(self, window: Window, numbers: Sequence[str]) -> Told:
        """Sort an answer of getOrder: orders, and numbers for which it holds none."""
        answer = self._orders(numbers)
        place = (
            f"{window.start.astimezone(TOKYO):%Y-%m-%d} – {window.end.astimezone(TOKYO):%Y-%m-%d}"
        )
        raws: list[RawOrder] = []
        rejected: list[BadRecord] = []
        for item, order in enumerate(_list(answer, "OrderModelList"), 1):
            position = f"{place} item {item}"
            number = Fields(order).word("orderNumber")
            if number is None:
                rejected.append(_no_number(order, position))
            else:
                raws.append(RawOrder(number, without_cards(order), position))
        missing = [one for one in numbers if one not in {raw.external_id for raw in raws}]
        if missing and not raws and not messages(answer):
            raise waiting.unreadable("RMS getOrder: no orders")
        rejected += [_untold(one, answer, place) for one in missing]
        return Told(tuple(raws), tuple(rejected))


_WHOLE = timedelta(days=730)
_SEARCHES: Mapping[str, _Search] = {
    "orders": _Search(900),
    "shipped": _Search(3600, date_type=5),
    "paid": _Search(6 * 3600, date_type=6),
    "open": _Search(6 * 3600, progress=OPEN, reach=_WHOLE),
    "cancels": _Search(6 * 3600, progress=CANCELLED, reach=LONGEST),
    "cancel_scan": _Search(7 * _DAY, progress=CANCELLED, reach=_WHOLE),
}
"""Stream to what it asks. Edits show in ``open``; what has left it, in one of the others."""


def _list(answer: Mapping[str, Any], name: str) -> list[Any]:
    """A list of an answer: null on error, [] where nothing was found. Raises TryLater."""
    found = answer.get(name)
    if found is not None and not isinstance(found, list):
        raise waiting.unreadable(f"RMS {name}")
    return found or []


def _stamp(moment: datetime) -> str:
    """The one form that searchOrder takes: JST, offset without a colon."""
    return moment.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M:%S+0900")


def without_cards(order: Mapping[str, Any]) -> dict[str, Any]:
    """The order less what it tells of a card: that is never stored."""
    kept = dict(order)
    settlement = kept.get("SettlementModel")
    if isinstance(settlement, Mapping):
        kept["SettlementModel"] = {k: v for k, v in settlement.items() if k not in _CARD}
    return kept


def _no_number(order: Any, position: str) -> BadRecord:
    payload = without_cards(order) if isinstance(order, Mapping) else {"value": order}
    return BadRecord(
        "no_order_number",
        "The answer holds an order without a number.",
        position=position,
        field_name="orderNumber",
        payload=payload,
        reason_ja="注文番号のない注文が返されました。",
    )


def _untold(number: str, answer: Mapping[str, Any], place: str) -> BadRecord:
    """A number that was listed but not told: kept in sight until a later poll tells it."""
    codes = [
        message.word("messageCode") or ""
        for message in messages(answer)
        if message.word("orderNumber") == number
    ]
    shown = ", ".join(filter(None, codes)) or "-"
    return BadRecord(
        "not_told",
        f"Rakuten lists this order but does not tell it ({shown}).",
        position=f"{place} {number}",
        external_id=number,
        payload={"orderNumber": number, "messageCodes": codes},
        reason_ja=f"一覧にある注文の内容を楽天が返しません ({shown})。",
    )
