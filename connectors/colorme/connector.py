"""Color Me Shop: sales by their time of change, and young and old ones looked at again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from connectors.colorme import credentials
from connectors.colorme.listing import CHANGED, PLACED, Listing, Sale, page_size, total_of
from connectors.colorme.mapping import SPLIT_PART, Reading, map_order
from connectors.colorme.payments import kinds_set, names_of
from connectors.colorme.refusals import LANE, NotGranted
from connectors.colorme.service import ColorMeService
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
from connectors.kit.clock import difference_told
from connectors.kit.fields import TOKYO
from connectors.kit.live import Totals, first_instant
from connectors.kit.scanning import Place, Scan, Told, TooMany
from connectors.kit.windows import Window

log = logging.getLogger(__name__)

GROUP = 100
"""Sales per page that is stored."""

LONGEST = timedelta(days=366)
OVERLAP = timedelta(minutes=10)
LAG = timedelta(seconds=5)
"""Seconds that may still fill up are left to the next window."""

YOUNG = timedelta(days=90)
"""How far back ``again`` looks; older sales are seen by ``far_again``."""

_WEEK = 7 * 24 * 3600
_NO_METHODS = (
    " 決済方法の名前は読めません。設定 payment_map で種類を決めてください。"
    "Payment methods cannot be read: set payment_map."
)
_ANSWERS = frozenset({"sex", "answer_free_form1", "answer_free_form2", "answer_free_form3"})
"""What a customer told the shop about themselves: of no use here, and never stored."""


class ColorMe:
    """Reads a shop's sales.

    Settings: ``since`` (where the first read begins), ``payment_map`` (payment id to its kind),
    ``shipped_by_update`` (false: a sale without a shipping mail has no shipping time),
    ``page_size``, ``base_url``, ``timeout``. The watermark is the time a scan began, ISO 8601
    in UTC.
    """

    kind = "colorme"
    family: ClassVar[Family] = Family.OWN
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (1.5, 25.0)}
    """Below 120 a minute."""
    HISTORY_DAYS: ClassVar[int | None] = None
    WARNINGS: ClassVar[Sequence[str]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[Sequence[str]] = credentials.WARNINGS_EN

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        settings = config.settings
        self._config = config
        self._service = ColorMeService(settings, vault, pace)
        self._size = page_size(settings.get("page_size"))
        self._reading = Reading(
            kinds_set(settings.get("payment_map")), _true(settings.get("shipped_by_update"))
        )

    def streams(self) -> tuple[Stream, ...]:
        """What changed; and what may have changed without its time of change moving."""
        overlap = int(OVERLAP.total_seconds())
        return (
            Stream("orders", 300, overlap),
            Stream("again", 6 * 3600),
            Stream("far_again", _WEEK),
        )

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield sales placed or changed since the watermark, as they are now.

        Raises NeedsPerson or TryLater.
        """
        if stream not in {one.name for one in self.streams()}:
            raise NeedsPerson(f"There is no stream {stream!r}.", "Use orders.")
        place = Place.of(cursor) or self._begin(stream, watermark, now)
        first = first_instant(self._config, now, self.HISTORY_DAYS)
        book = _Book(Listing(self._service, first, self._size), place.floor, self._service)
        for page in Scan(book.names, book.told, LONGEST, GROUP).pages(place):
            mark = page.watermark and self._mark(page.watermark, watermark)
            yield replace(page, watermark=mark)

    def map(self, raw: RawOrder) -> Order:
        """Translate one sale; see ``mapping``. Raises BadRecord."""
        return map_order(raw, self._reading)

    def check(self) -> str:
        """List the last day, and the payment methods. Raises NeedsPerson or TryLater."""
        day = f"{datetime.now(TOKYO) - timedelta(days=1):%Y-%m-%d %H:%M:%S}"
        told = self._service.ask("sales", {"after": day, "limit": "2", "offset": "0"})
        count = total_of(told)
        shown = len(told.get("sales") or ()) if count is None else count
        methods = "" if _methods(self._service) is not None else _NO_METHODS
        return (
            f"カラーミーショップに接続できました。この24時間の受注: {shown} 件。"
            f"Connected to Color Me Shop.{methods}{difference_told(self._service.skew)}"
        )

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where the owner logs in; the shop then calls ``redirect_uri`` with ``code``."""
        return self._service.tokens.login_url(redirect_uri, state)

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Keep the token that the code of a login buys. Raises NeedsPerson or TryLater."""
        self._service.tokens.log_in(code, redirect_uri)

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the sales placed in the span with their totals, as the mapping tells them."""
        listing = Listing(self._service, since, self._size)
        found: dict[str, int | None] = {}
        for window in _parts(Window(since, until)):
            for sale in _every_sale(listing, window):
                placed = sale.moment(PLACED)
                if sale.named and (placed is None or since <= placed < until):
                    found |= self._total(sale)
        return Totals(found)

    def _total(self, sale: Sale) -> dict[str, int | None]:
        """The total of a sale; a part of a split one is none of its own."""
        try:
            return {sale.name: self.map(_raw(sale, {}, "totals")).total}
        except BadRecord as bad:
            return {} if bad.code == SPLIT_PART else {sale.name: None}

    # --- asking ------------------------------------------------------------------------------

    def _begin(self, stream: str, watermark: Watermark, now: datetime) -> Place:
        end = now.astimezone(UTC).replace(microsecond=0) - LAG
        first = first_instant(self._config, now, self.HISTORY_DAYS).astimezone(UTC)
        first = first.replace(microsecond=0)
        young = max(first, end - YOUNG)
        mark = end.isoformat()
        if stream == "orders":
            if watermark.value is None:
                return Place(first, end, mark, floor=PLACED)
            begin = datetime.fromisoformat(watermark.value) - OVERLAP
            return Place(begin, end, mark, floor=CHANGED)
        if watermark.value is None:  # what there is now is read by ``orders``
            return Place(end, end, mark, floor=PLACED)
        if stream == "again":
            return Place(young, end, mark, floor=PLACED)
        return Place(first, young, mark, floor=PLACED)

    def _mark(self, reached: Watermark, before: Watermark) -> Watermark:
        """The end of the scan by the source's clock where that is behind ours; never back."""
        behind = max(timedelta(0), -self._service.skew)
        told = datetime.fromisoformat(reached.value or "") - behind
        return Watermark(max(told.replace(microsecond=0).isoformat(), before.value or ""))


@dataclass
class _Book:
    """The sales of the window in hand: the list tells them whole, so they are asked for once."""

    listing: Listing
    by: str
    service: ColorMeService
    sales: dict[str, Sale] = field(default_factory=dict)
    methods: dict[str, dict[str, Any]] | None = None

    def names(self, window: Window) -> Sequence[str]:
        self.sales = {sale.name: sale for sale in self.listing.sales(window, self.by)}
        return list(self.sales)

    def told(self, window: Window, names: Sequence[str]) -> Told:
        days = (
            f"{window.start.astimezone(TOKYO):%Y-%m-%d} – {window.end.astimezone(TOKYO):%Y-%m-%d}"
        )
        if self.methods is None:
            self.methods = _methods(self.service) or {}
        raws: list[RawOrder] = []
        rejected: list[BadRecord] = []
        for name in names:
            sale = self.sales[name]
            position = f"{days} {name}"
            if sale.named:
                raws.append(_raw(sale, self.methods, position))
            else:
                rejected.append(_nameless(sale, position))
        return Told(tuple(raws), tuple(rejected))


def _methods(service: ColorMeService) -> dict[str, dict[str, Any]] | None:
    """The shop's payment methods; None where the token may not read them: orders still come."""
    try:
        return names_of(service.ask("payments"))
    except NotGranted as refused:
        log.warning("colorme_payments_refused", extra={"problem": refused.problem})
        return None


def _raw(sale: Sale, methods: Mapping[str, Any], position: str) -> RawOrder:
    """A sale as it came, less what a customer told of themselves, with its payment method."""
    kept = dict(sale.told)
    customer = kept.get("customer")
    if isinstance(customer, Mapping):
        kept["customer"] = {k: v for k, v in customer.items() if k not in _ANSWERS}
    method = methods.get(str(kept.get("payment_id")))
    return RawOrder(sale.name, kept | {"payment": method}, position)


def _nameless(sale: Sale, position: str) -> BadRecord:
    return BadRecord(
        "no_order_number",
        "The record has no id.",
        position=position,
        field_name="id",
        payload=sale.told if isinstance(sale.told, Mapping) else {"record": sale.told},
        reason_ja="売上IDがありません。",
    )


def _parts(window: Window) -> Iterator[Window]:
    begin = window.start
    while begin < window.end:
        end = min(begin + LONGEST, window.end)
        yield Window(begin, end)
        begin = end


def _every_sale(listing: Listing, window: Window) -> list[Sale]:
    """The sales placed in a window, halved as often as there are too many."""
    try:
        return listing.sales(window, PLACED)
    except TooMany:
        middle = window.start + (window.end - window.start) / 2
    middle = middle.replace(microsecond=0)
    return [
        *_every_sale(listing, Window(window.start, middle)),
        *_every_sale(listing, Window(middle, window.end)),
    ]


def _true(told: Any) -> bool:
    return str(True if told is None else told).strip().lower() not in {"false", "0", "no"}
