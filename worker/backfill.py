"""Reads a channel's past: resumable page by page, at half the pace, and planning no mail (P8)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select

from connectors.contract import (
    ChannelConfig,
    Connector,
    NeedsPerson,
    Order,
    Pace,
    Page,
    RawOrder,
    Stream,
    TryLater,
    Watermark,
)
from connectors.kit.live import BEGINNING, SINCE
from connectors.kit.scanning import Place
from connectors.registry import is_live
from worker.live import channel_config, history_days, open_channel_connector, pace_of
from worker.pipeline.pull import PullReport, channel_named, run_stream
from worker.pipeline.reach import BACKFILL, first_whole_day, reach_back
from worker.polling import mark_customers_due
from worker.runtime import Runtime
from worker.store.channels import ChannelKind, StreamState
from worker.store.leases import renew

_LEASE_SECONDS = 300.0
_RETRY_SECONDS = 60.0
_SETTING = BACKFILL
"""Setting of the channel that holds the span while a backfill is under way."""


@dataclass(frozen=True)
class Span:
    """What is read: orders placed or changed from ``since`` up to ``until``."""

    since: datetime
    until: datetime


@dataclass(frozen=True)
class Progress:
    """How far a backfill is."""

    pages: int = 0
    orders: int = 0
    part: float = 0.0
    """Of the span, from 0 to 1."""
    seconds_left: float | None = None
    """By the speed so far; None before anything is known."""


@dataclass(frozen=True)
class Backfilled:
    """How a run ended; asked again it goes on where it stopped."""

    span: Span | None = None
    progress: Progress = Progress()
    finished: bool = False
    busy: bool = False
    problem: str = ""
    retry_at: datetime | None = None
    """Where the source asks to wait: when to go on."""


class HalfPace:
    """Takes two places for one, so that a backfill leaves half of the budget to the polls."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def take(self, lane: str, cost: float = 1.0) -> None:
        """Wait for two places."""
        self._pace.take(lane, cost * 2)

    def learn(
        self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
    ) -> None:
        """Pass on what the source says."""
        self._pace.learn(lane, left=left, restore_per_second=restore_per_second)

    def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
        """Pass on that the quota is used up."""
        self._pace.exhausted(lane, until, reason)


class _Past:
    """A connector whose history is read as a stream of its own, up to a fixed instant."""

    def __init__(self, connector: Connector, until: datetime) -> None:
        self.kind, self._connector, self._until = connector.kind, connector, until
        self._of = connector.streams()[0]
        self.stream = f"{_SETTING}:{self._of.name}"[:40]
        self.seen: Watermark | None = None
        self.window: datetime | None = None
        """Where the window in hand begins, of a source that is scanned."""
        self.last_order: datetime | None = None
        """When the order was placed that was read last."""
        self.orders = 0

    def streams(self) -> tuple[Stream, ...]:
        return (replace(self._of, name=self.stream),)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        for page in self._connector.pull(self._of.name, watermark, cursor, self._until):
            self.seen = page.watermark or self.seen
            if (place := Place.of(page.cursor)) is not None:
                self.window = place.begin
            self.orders += len(page.raws)
            yield page

    def map(self, raw: RawOrder) -> Order:
        order = self._connector.map(raw)
        self.last_order = order.ordered_at
        return order

    def check(self) -> str:
        return self._connector.check()


def backfill(
    runtime: Runtime,
    name: str,
    now: datetime,
    *,
    since: datetime | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
    enough: Callable[[], bool] = lambda: False,
) -> Backfilled:
    """Read a live channel's past under a lease of its own, beside the ordinary polls.

    It goes back to ``since``, or as far as the source reaches, and ends where the first mail
    kind of the channel begins: what it brings lies before every ``active_from``, so nothing is
    planned from it. A span that is under way is finished first. Raises NeedsPerson where the
    kind has no past to read or refuses us, UnknownChannel.
    """
    config = channel_config(runtime, name)
    if not is_live(config.kind):
        raise NeedsPerson(
            f"「{name}」は受注ファイルのチャネルです。{name} takes its orders from files.",
            "okaeri import で過去の受注CSVを取り込んでください。Import the older files.",
        )
    with runtime.hold(f"{_SETTING}:{name}", _LEASE_SECONDS) as token:
        if token is None:
            return Backfilled(busy=True)

        def alive() -> None:
            with runtime.transaction() as session:
                renew(session, f"{_SETTING}:{name}", token, _LEASE_SECONDS)

        return _run(runtime, config, now, since, tell, enough, alive)


def _run(
    runtime: Runtime,
    config: ChannelConfig,
    now: datetime,
    since: datetime | None,
    tell: Callable[[Progress], None],
    enough: Callable[[], bool],
    alive: Callable[[], None],
) -> Backfilled:
    try:
        span = _span(runtime, config, now, since)
    except TryLater as busy:
        wait = timedelta(seconds=busy.retry_after or _RETRY_SECONDS)
        return Backfilled(problem=str(busy), retry_at=now + wait)
    if span.since >= span.until:
        _close(runtime, config.name)
        return Backfilled(span, Progress(part=1.0), finished=True)
    settings = {**config.settings, SINCE: span.since.isoformat()}
    past = replace(config, settings=settings)
    connector = _Past(
        open_channel_connector(runtime, past, pace=HalfPace(pace_of(runtime, config))), span.until
    )
    watch = _Watch(runtime, connector, span, tell, alive)
    report = run_stream(
        runtime.transaction, runtime.context(), config.name, connector, connector.stream, now,
        between=watch.page, enough=enough,
    )  # fmt: skip
    return _ended(runtime, config, span, report, watch.progress)


def _ended(
    runtime: Runtime, config: ChannelConfig, span: Span, report: PullReport, progress: Progress
) -> Backfilled:
    if report.problem or report.interrupted:
        told = f"{report.problem} {report.remedy}".strip() or report.waiting
        return Backfilled(span, progress, problem=told, retry_at=report.retry_at)
    with runtime.transaction() as session:
        channel = channel_named(session, config.name)
        zone = ZoneInfo(config.zone)
        known = channel.history_complete_since
        # What was known before must join on to the span, or there is a gap between them.
        joined = known is not None and known <= span.until.astimezone(zone).date()
        reached = joined and reach_back(channel, first_whole_day(span.since, zone))
    _close(runtime, config.name)
    if reached:
        mark_customers_due(runtime)
    return Backfilled(span, replace(progress, part=1.0, seconds_left=0.0), finished=True)


class _Watch:
    """Counts between the pages, and keeps the lease alive."""

    def __init__(
        self,
        runtime: Runtime,
        connector: _Past,
        span: Span,
        tell: Callable[[Progress], None],
        alive: Callable[[], None],
    ) -> None:
        self._runtime, self._connector, self._span = runtime, connector, span
        self._tell, self._alive = tell, alive
        self._started = time.monotonic()
        self._began_at: float | None = None
        self.progress = Progress()

    def page(self) -> None:
        """One more page is stored."""
        self._alive()
        part = max(self.progress.part, _part(self._span, self._connector))
        self.progress = Progress(
            self.progress.pages + 1, self._connector.orders, part, self._left(part)
        )
        self._tell(self.progress)

    def _left(self, part: float) -> float | None:
        if self._began_at is None:
            self._began_at = part
        gained = part - self._began_at
        if gained <= 0:
            return None
        return (time.monotonic() - self._started) * (1 - part) / gained


def _part(span: Span, past: _Past) -> float:
    """How much of the span is behind: by the watermark, else by the scan's window in hand.

    A source that is scanned as a whole moves its watermark only at the end. Within a window
    the order that was read last tells more: they come roughly by date.
    """
    known = [at for at in (past.window, past.last_order) if at is not None]
    at = _instant(past.seen) or max(known, default=None)
    if at is None:
        return 0.0
    return min(1.0, max(0.0, (at - span.since) / (span.until - span.since)))


def _instant(seen: Watermark | None) -> datetime | None:
    """A watermark as an instant; None for a connector that counts in something else."""
    try:
        at = datetime.fromisoformat((seen.value if seen else None) or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


def _span(runtime: Runtime, config: ChannelConfig, now: datetime, since: datetime | None) -> Span:
    """The span under way, else a new one, noted before the first page is asked for."""
    noted = config.settings.get(_SETTING)
    if noted:
        return Span(datetime.fromisoformat(noted["since"]), datetime.fromisoformat(noted["until"]))
    days = history_days(open_channel_connector(runtime, config))
    reach = BEGINNING if days is None else now - timedelta(days=days)
    with runtime.transaction() as session:
        channel = channel_named(session, config.name)
        begins = session.scalar(
            select(func.min(ChannelKind.active_from)).where(ChannelKind.channel_id == channel.id)
        )
        span = Span(max(reach, since or reach), min(now, begins or now))
        told = {"since": span.since.isoformat(), "until": span.until.isoformat()}
        session.refresh(channel, with_for_update=True)
        channel.settings = {**channel.settings, _SETTING: told}
    return span


def _close(runtime: Runtime, name: str) -> None:
    with runtime.transaction() as session:
        channel = channel_named(session, name)
        session.refresh(channel, with_for_update=True)
        channel.settings = {k: v for k, v in channel.settings.items() if k != _SETTING}
        session.execute(
            delete(StreamState).where(
                StreamState.channel_id == channel.id, StreamState.stream.startswith(f"{_SETTING}:")
            )
        )
