"""Polls channels: drop folders and, where a connector has one, the marketplace's API."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update

from connectors.contract import ChannelConfig, Connector, ConnectorError, NeedsPerson, Stream
from connectors.csv_file.profiles import Profiles, load_profiles
from connectors.kit.live import first_instant
from connectors.registry import is_live
from worker import log
from worker.live import UnknownChannel, channel_config, history_days, open_channel_connector
from worker.pipeline.pull import PullReport, channel_named, run_stream
from worker.pipeline.reach import begin_reading, customers_due_after, finish_reading
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.channels import Channel, StreamState

__all__ = ["UnknownChannel", "channel_config", "poll_channel_once"]

_log = log.get("poll")
_LEASE_SECONDS = 900.0
_BUDGET_SECONDS = 300.0
"""A long first read is cut into runs of this length: other channels want the worker too."""
_RETRY = timedelta(minutes=5)


@dataclass(frozen=True)
class Polled:
    """What one poll of a channel brought."""

    pages: int = 0
    busy: bool = False
    problem: str = ""
    new: int = 0
    changed: int = 0
    quarantined: int = 0

    def with_report(self, report: PullReport) -> Polled:
        """Add what one stream brought."""
        return replace(
            self,
            pages=self.pages + report.pages,
            new=self.new + report.new,
            changed=self.changed + report.changed,
            quarantined=self.quarantined + report.quarantined,
        )


def drop_folder(settings: Settings, channel: str) -> Path:
    """The folder whose files are taken in for a channel by themselves."""
    return settings.drop / channel.replace(":", "_").replace("/", "_")


def own_profiles(settings: Settings) -> Profiles:
    """The built-in file profiles and the shop's own. Raises NeedsPerson for a wrong one."""
    folder = settings.config_dir / "profiles"
    return load_profiles(folder) if folder.is_dir() else load_profiles()


def due_channels(runtime: Runtime, now: datetime) -> list[str]:
    """Names of the channels whose next poll is due; paused ones wait for a person."""
    with runtime.look() as session:
        return list(
            session.scalars(
                select(Channel.name)
                .where(
                    Channel.paused.is_(False),
                    or_(Channel.next_poll_at.is_(None), Channel.next_poll_at <= now),
                )
                .order_by(Channel.next_poll_at)
            )
        )


def poll_channel_once(
    runtime: Runtime, name: str, now: datetime, *, every_stream: bool = False
) -> Polled:
    """Read the streams of a channel that are due under its lease, and note the next poll.

    ``every_stream`` reads also those whose time has not come. A fault in a connector is noted
    at its channel and raised: the other channels have tasks of their own.
    """
    with runtime.hold(f"poll:{name}", _LEASE_SECONDS) as token:
        if token is None:
            return Polled(busy=True)
        config = channel_config(runtime, name)
        drop_folder(runtime.settings, name).mkdir(parents=True, exist_ok=True)
        try:
            connector = open_channel_connector(runtime, config)
            return _read(runtime, config, connector, now, every_stream=every_stream)
        except NeedsPerson as problem:
            _wait_for_person(runtime, name, problem)
            return Polled(problem=f"{problem.problem} {problem.remedy}")
        except ConnectorError as problem:
            _note(runtime, name, next_poll_at=now + _RETRY, last_error=str(problem))
            return Polled(problem=str(problem))
        except Exception as error:
            # Its text may hold a buyer's words; the log of the task has the whole of it.
            told = f"内部エラー / internal error ({type(error).__name__})"
            _note(runtime, name, next_poll_at=now + _RETRY, last_error=told)
            raise


def poll_if_due(runtime: Runtime, name: str, now: datetime) -> Polled:
    """Poll a channel unless it was polled since: a task that waited may have come twice."""
    if name not in due_channels(runtime, now):
        return Polled()
    return poll_channel_once(runtime, name, now)


def _read(
    runtime: Runtime,
    config: ChannelConfig,
    connector: Connector,
    now: datetime,
    *,
    every_stream: bool,
) -> Polled:
    streams = connector.streams()
    live = is_live(config.kind)
    if live:
        _begin(runtime, config, connector, now)
    started = time.monotonic()
    done = Polled()
    for stream in _due_streams(runtime, config.name, streams, now, every_stream=every_stream):
        report = run_stream(
            runtime.transaction, runtime.context(), config.name, connector, stream.name, now,
            enough=lambda: live and time.monotonic() - started > _BUDGET_SECONDS,
        )  # fmt: skip
        done = done.with_report(report)
        if report.problem:  # it speaks for the whole channel: the others would meet the same
            return _stopped(runtime, config, report, done, now)
        if report.interrupted:
            _note(runtime, config.name, next_poll_at=report.retry_at or now)
            return done
        if live and stream is streams[0]:
            _finish(runtime, config)
    _note_next(runtime, config.name, now, min(stream.interval_seconds for stream in streams))
    return done


def _due_streams(
    runtime: Runtime, name: str, streams: Sequence[Stream], now: datetime, *, every_stream: bool
) -> list[Stream]:
    """The most frequent ones at every poll, a rarer one when its own time has come."""
    shortest = min(stream.interval_seconds for stream in streams)
    with runtime.look() as session:
        channel = channel_named(session, name)
        query = select(StreamState.stream, StreamState.last_success_at, StreamState.cursor)
        rows = session.execute(query.where(StreamState.channel_id == channel.id)).all()
    # A page in hand is finished at once, whatever the time.
    read: dict[str, datetime | None] = {
        row.stream: row.last_success_at for row in rows if row.cursor is None
    }

    def due(stream: Stream) -> bool:
        last = read.get(stream.name)
        if every_stream or last is None or stream.interval_seconds == shortest:
            return True
        return now - last >= timedelta(seconds=stream.interval_seconds)

    return [stream for stream in streams if due(stream)]


def _begin(runtime: Runtime, config: ChannelConfig, connector: Connector, now: datetime) -> None:
    """Note where the first read begins, before the first page is asked for."""
    stream = connector.streams()[0].name
    with runtime.look() as session:
        channel = channel_named(session, config.name)
        state = session.get(StreamState, (channel.id, stream))
        if state is not None and (state.watermark is not None or state.cursor is not None):
            return
    since = first_instant(config, now, history_days(connector))
    with runtime.transaction() as session:
        begin_reading(channel_named(session, config.name), since)


def _finish(runtime: Runtime, config: ChannelConfig) -> None:
    with runtime.transaction() as session:
        reached = finish_reading(channel_named(session, config.name), ZoneInfo(config.zone))
    if reached:
        mark_customers_due(runtime)


def mark_customers_due(runtime: Runtime) -> None:
    """Have everybody ranked and planned anew, marked in short transactions."""
    last: int | None = 0
    while last is not None:
        with runtime.transaction() as session:
            last = customers_due_after(session, last)


def _stopped(
    runtime: Runtime, config: ChannelConfig, report: PullReport, done: Polled, now: datetime
) -> Polled:
    told = f"{report.problem} {report.remedy}".strip()
    if config.kind == "csv_file":
        # One file that needs a person must not keep later files from being taken in.
        _note(
            runtime, config.name, paused=False, pause_reason="", next_poll_at=now + _RETRY,
            last_error=told,
        )  # fmt: skip
    _log.warning("channel_stopped", channel=config.name, retry_after=_seconds(report, now))
    return replace(done, problem=told)


def _seconds(report: PullReport, now: datetime) -> float | None:
    return (report.retry_at - now).total_seconds() if report.retry_at else None


def _wait_for_person(runtime: Runtime, name: str, problem: NeedsPerson) -> None:
    told = f"{problem.problem} {problem.remedy}"
    _note(runtime, name, paused=True, pause_reason=told, last_error=problem.problem)
    _log.warning("channel_needs_person", channel=name)


def _note_next(runtime: Runtime, name: str, now: datetime, seconds: float) -> None:
    later = now + timedelta(seconds=seconds)
    # A nudge that came in while we were reading asked for an earlier poll: it stays.
    nudged = (Channel.next_poll_at > now) & (Channel.next_poll_at < later)
    with runtime.transaction() as session:
        session.execute(
            update(Channel)
            .where(Channel.name == name, or_(Channel.next_poll_at.is_(None), ~nudged))
            .values(next_poll_at=later)
        )


def _note(runtime: Runtime, name: str, **values: object) -> None:
    with runtime.transaction() as session:
        session.execute(update(Channel).where(Channel.name == name).values(**values))
