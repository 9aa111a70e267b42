"""Polls channels: drop folders and, where a connector has one, the marketplace's API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import or_, select, update

from connectors.contract import ChannelConfig, Connector, Family, NeedsPerson
from connectors.csv_file.profiles import Profiles, load_profiles
from connectors.registry import open_connector
from worker import log
from worker.pipeline.pull import PullReport, run_stream
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.channels import Channel

_log = log.get("poll")
_LEASE_SECONDS = 900.0
_RETRY = timedelta(minutes=5)


class UnknownChannel(LookupError):
    """There is no channel of that name; the text says where to look."""


@dataclass(frozen=True)
class Polled:
    """What one poll of a channel brought."""

    pages: int = 0
    busy: bool = False
    problem: str = ""


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


def channel_config(runtime: Runtime, name: str) -> ChannelConfig:
    """What the connector of a channel may know. Raises UnknownChannel."""
    zone = runtime.context().documents.shop.zone
    with runtime.look() as session:
        channel = session.scalar(select(Channel).where(Channel.name == name))
        if channel is None:
            raise UnknownChannel(f"no channel named {name!r}. See `okaeri channels list`.")
        return ChannelConfig(
            name=channel.name,
            kind=channel.kind,
            family=Family(channel.family),
            settings=dict(channel.settings),
            zone=zone,
        )


def poll_channel_once(runtime: Runtime, name: str, now: datetime) -> Polled:
    """Read every stream of a channel under its lease, and note when the next poll is due."""
    with runtime.hold(f"poll:{name}", _LEASE_SECONDS) as token:
        if token is None:
            return Polled(busy=True)
        config = channel_config(runtime, name)
        drop_folder(runtime.settings, name).mkdir(parents=True, exist_ok=True)
        try:
            connector = open_connector(
                config,
                drop=runtime.settings.drop,
                profiles=runtime.settings.config_dir / "profiles",
            )
        except NeedsPerson as problem:
            _wait_for_person(runtime, name, problem)
            return Polled(problem=f"{problem.problem} {problem.remedy}")
        return _read(runtime, config, connector, now)


def _read(runtime: Runtime, config: ChannelConfig, connector: Connector, now: datetime) -> Polled:
    reports: list[PullReport] = []
    for stream in connector.streams():
        reports.append(
            run_stream(
                runtime.transaction, runtime.context(), config.name, connector, stream.name, now
            )
        )
        if reports[-1].problem:
            break  # it speaks for the whole channel: the others would meet the same
    last = reports[-1]
    pages = sum(report.pages for report in reports)
    if not last.problem:
        wait = timedelta(seconds=min(stream.interval_seconds for stream in connector.streams()))
        _note(runtime, config.name, next_poll_at=now + wait)
        return Polled(pages)
    if config.kind == "csv_file":
        # One file that needs a person must not keep later files from being taken in.
        _note(
            runtime, config.name, paused=False, pause_reason="", next_poll_at=now + _RETRY,
            last_error=f"{last.problem} {last.remedy}".strip(),
        )  # fmt: skip
    _log.warning("channel_stopped", channel=config.name, retry_after=_seconds(last, now))
    return Polled(pages, problem=f"{last.problem} {last.remedy}".strip())


def _seconds(report: PullReport, now: datetime) -> float | None:
    return (report.retry_at - now).total_seconds() if report.retry_at else None


def _wait_for_person(runtime: Runtime, name: str, problem: NeedsPerson) -> None:
    told = f"{problem.problem} {problem.remedy}"
    _note(runtime, name, paused=True, pause_reason=told, last_error=problem.problem)
    _log.warning("channel_needs_person", channel=name)


def _note(runtime: Runtime, name: str, **values: object) -> None:
    with runtime.transaction() as session:
        session.execute(update(Channel).where(Channel.name == name).values(**values))
