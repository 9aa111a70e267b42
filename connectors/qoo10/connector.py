"""Qoo10 Japan: windows of order dates, read whole and told cart by cart."""

from __future__ import annotations

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
from connectors.kit.clock import difference_told
from connectors.kit.fields import TOKYO
from connectors.kit.live import Totals, first_instant
from connectors.kit.scanning import Place, Scan, Told
from connectors.kit.windows import Window, windows
from connectors.qoo10 import credentials
from connectors.qoo10.carts import REST, Snapshot, claims_of, nameless, orders_of
from connectors.qoo10.mapping import map_order
from connectors.qoo10.service import CLAIMS, LANE, ORDERS, Qoo10Service
from connectors.qoo10.standing import CLAIM_STATUSES

GROUP = 100
"""Carts per page."""

LONGEST = 7
"""Days of a window: Qoo10 tells no pages, so lists are kept short."""

_MOST = 30
OVERLAP = timedelta(days=3)
LAG = timedelta(minutes=1)
_NOTHING = timedelta(0)
_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class _Reach:
    """How often a stream reads, and from how far back to how far back; None: its watermark."""

    every: int
    begin: timedelta | None = None
    until: timedelta = _NOTHING


class Qoo10:
    """Reads a shop's orders.

    Settings: ``since`` (where the first read begins), ``orders_by`` (``cart`` or ``order``: what
    is one order), ``cart_amounts`` (``rows`` or ``cart``: what shipping and cart discounts of
    several rows are), ``claims_at_once`` (true: one question for all claims), ``window_days``
    (1 to 30), ``base_url``, ``timeout``.
    """

    kind = "qoo10"
    family = Family.QOO10
    CREDENTIALS: ClassVar[tuple[Credential, ...]] = credentials.ALL
    LANES: ClassVar[Mapping[str, tuple[float, float]]] = {LANE: (1.0, 1.0)}
    HISTORY_DAYS: ClassVar[int | None] = 89
    """A day less than Qoo10 tells: a long scan must not fall off its end."""
    WARNINGS: ClassVar[Sequence[str]] = credentials.WARNINGS
    WARNINGS_EN: ClassVar[Sequence[str]] = credentials.WARNINGS_EN

    def __init__(self, config: ChannelConfig, *, vault: Vault, pace: Pace, **places: Path) -> None:
        self._config = config
        self._by = _choice(config.settings, "orders_by", ("cart", "order")) or "cart"
        self._cart_amounts = _choice(config.settings, "cart_amounts", ("rows", "cart"))
        at_once = _choice(config.settings, "claims_at_once", ("true", "false")) == "true"
        self._claims = ("",) if at_once else CLAIM_STATUSES
        self._service = Qoo10Service(config.settings, vault, pace)

    def streams(self) -> tuple[Stream, ...]:
        """New orders; and all carts again, for Qoo10 tells no time of change."""
        return tuple(
            Stream(name, reach.every, 0 if reach.begin else int(OVERLAP.total_seconds()))
            for name, reach in _STREAMS.items()
        )

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield pages of carts as they are now. Raises NeedsPerson or TryLater."""
        reach = _STREAMS.get(stream)
        if reach is None:
            raise NeedsPerson(f"There is no stream {stream!r}.", f"Use {', '.join(_STREAMS)}.")
        place = Place.of(cursor) or self._begin(reach, watermark, now)
        yield from self._scan(now).pages(place)

    def map(self, raw: RawOrder) -> Order:
        """Translate one cart; see ``mapping``."""
        return map_order(raw, cart_amounts=self._cart_amounts)

    def check(self) -> str:
        """Ask for the orders and cancels of the last day. Raises NeedsPerson or TryLater."""
        now = datetime.now(UTC)
        day = Window(now - timedelta(days=1), now)
        open_orders = self._service.rows(ORDERS, orders_of("0", day))
        self._service.rows(CLAIMS, claims_of("1", day))
        return (
            f"Qoo10に接続できました。この24時間の未発送の注文番号: {len(open_orders)} 件。"
            f"Connected to Qoo10.{difference_told(self._service.skew)}"
        )

    def totals(self, since: datetime, until: datetime) -> Totals:
        """List the carts placed in the span with the totals of the mapping."""
        found: dict[str, int | None] = {}
        last = until - timedelta(seconds=1)  # a cart on the seam of two windows is of both
        for window in _windows(since, last, self._longest()):
            snapshot = self._read(window, datetime.now(UTC))
            for key in snapshot.within(window)[:-1]:
                found[key] = self._total(snapshot.carts[key].raw(key, ""))
        return Totals(found)

    # --- asking ------------------------------------------------------------------------------

    def _begin(self, reach: _Reach, watermark: Watermark, now: datetime) -> Place:
        end = now.astimezone(UTC).replace(microsecond=0) - LAG
        begin = first_instant(self._config, now, self.HISTORY_DAYS).astimezone(UTC)
        if reach.begin is not None:
            begin = max(begin, end - reach.begin)
        elif watermark.value:
            begin = max(begin, datetime.fromisoformat(watermark.value) - OVERLAP)
        mark = max(end.isoformat(), watermark.value or "")
        return Place(begin.replace(microsecond=0), end - reach.until, mark)

    def _longest(self) -> timedelta:
        try:
            told = int(self._config.settings.get("window_days") or LONGEST)
        except ValueError as error:
            raise _wrong_setting("window_days", "7") from error
        return timedelta(days=max(1, min(told, _MOST)))

    def _read(self, window: Window, latest: datetime) -> Snapshot:
        snapshot = Snapshot(self._service.rows, self._by, self._claims)
        snapshot.read(window, latest)
        return snapshot

    def _scan(self, now: datetime) -> Scan:
        read: list[Snapshot] = []

        def listing(window: Window) -> Sequence[str]:
            read[:] = [self._read(window, now)]
            return read[0].within(window)

        def details(window: Window, keys: Sequence[str]) -> Told:
            return _told(read[0], window, keys)

        return Scan(listing, details, self._longest(), GROUP)

    def _total(self, raw: RawOrder) -> int | None:
        try:
            return self.map(raw).total
        except BadRecord:  # it stands in quarantine; here it is counted
            return None


_STREAMS: Mapping[str, _Reach] = {
    "orders": _Reach(900),
    "changes": _Reach(3600, timedelta(days=30), timedelta(days=2)),
    "far_changes": _Reach(_DAY, timedelta(days=89), timedelta(days=28)),
}
"""The spans overlap by a day at least: no cart is between two of them."""


def _told(snapshot: Snapshot, window: Window, keys: Sequence[str]) -> Told:
    days = f"{window.start.astimezone(TOKYO):%Y-%m-%d} – {window.end.astimezone(TOKYO):%Y-%m-%d}"
    raws = [snapshot.carts[key].raw(key, f"{days} {key}") for key in keys if key != REST]
    bad = snapshot.nameless if REST in keys else ()
    rejected = [nameless(row, f"{days} item {n}") for n, row in enumerate(bad, 1)]
    return Told(tuple(raws), tuple(rejected))


def _windows(since: datetime, until: datetime, longest: timedelta) -> Iterator[Window]:
    return windows(None, until, overlap=_NOTHING, longest=longest, since=since)


def _choice(settings: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    told = str(settings.get(name) or "").strip().lower()
    if told and told not in allowed:
        raise _wrong_setting(name, " / ".join(allowed))
    return told


def _wrong_setting(name: str, allowed: str) -> NeedsPerson:
    return NeedsPerson(
        f"設定 {name} の値を読めません。The setting {name} cannot be read.",
        f"次のように書いてください。Write it like this: {allowed}.",
    )
