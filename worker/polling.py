"""Polls channels: drop folders and, where a connector has one, the marketplace's API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select, update

from connectors.contract import ChannelConfig, Family, NeedsPerson, TryLater
from connectors.registry import open_connector
from worker import log
from worker.pipeline.pull import run_stream
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.channels import Channel
from worker.store.leases import holding

_log = log.get("poll")
_LEASE_SECONDS = 900.0
_RETRY = timedelta(minutes=5)


@dataclass(frozen=True)
class Polled:
    """What one poll of a channel brought."""

    pages: int = 0
    busy: bool = False
    problem: str = ""


def drop_folder(settings: Settings, channel: str) -> Path:
    """The folder whose files are taken in for a channel by themselves."""
    return settings.drop / channel.replace(":", "_").replace("/", "_")


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


def channel_config(runtime: Runtime, name: str) -> ChannelConfig:
    """What the connector of a channel may know. Raises LookupError for an unknown channel."""
    zone = runtime.context().documents.shop.zone
    with runtime.look() as session:
        channel = session.scalar(select(Channel).where(Channel.name == name))
        if channel is None:
            raise LookupError(f"no channel named {name!r}. See `okaeri channels list`.")
        return ChannelConfig(
            name=channel.name,
            kind=channel.kind,
            family=Family(channel.family),
            settings=dict(channel.settings),
            zone=zone,
        )


def poll_channel_once(runtime: Runtime, name: str, now: datetime) -> Polled:
    """Read every stream of a channel under its lease, and note how it went."""
    with holding(runtime.engine, f"poll:{name}", runtime.owner, _LEASE_SECONDS) as token:
        if token is None:
            return Polled(busy=True)
        config = channel_config(runtime, name)
        folder = drop_folder(runtime.settings, name)
        folder.mkdir(parents=True, exist_ok=True)
        connector = open_connector(
            config, drop=runtime.settings.drop, profiles=runtime.settings.config_dir / "profiles"
        )
        pages = 0
        try:
            for stream in connector.streams():
                report = run_stream(
                    runtime.transaction, runtime.context(), name, connector, stream.name, now
                )
                pages += report.pages
        except NeedsPerson as problem:
            _note(runtime, name, now, problem=str(problem), paused=True)
            _log.warning("channel_needs_person", channel=name)
            return Polled(pages, problem=str(problem))
        except TryLater as problem:
            wait = timedelta(seconds=problem.retry_after) if problem.retry_after else _RETRY
            _note(runtime, name, now, problem=str(problem), wait=wait)
            _log.info("channel_try_later", channel=name, retry_after=wait.total_seconds())
            return Polled(pages, problem=str(problem))
        interval = min(stream.interval_seconds for stream in connector.streams())
        _note(runtime, name, now, wait=timedelta(seconds=interval))
        return Polled(pages)


def _note(
    runtime: Runtime,
    name: str,
    now: datetime,
    *,
    problem: str = "",
    paused: bool = False,
    wait: timedelta = _RETRY,
) -> None:
    values: dict[str, object] = {"next_poll_at": now + wait, "last_error": problem}
    if paused:
        values |= {"paused": True, "pause_reason": problem}
    elif not problem:
        values["last_success_at"] = now
    with runtime.transaction() as session:
        session.execute(update(Channel).where(Channel.name == name).values(**values))
