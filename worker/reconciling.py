"""Once a day: the marketplace's own list of the last days against the store, channel by channel."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from connectors.contract import ConnectorError, NeedsPerson
from connectors.kit.live import Reconciles
from connectors.registry import is_live
from worker import log
from worker.live import channel_config, open_channel_connector
from worker.pipeline.pull import channel_named
from worker.pipeline.reconcile import Difference, compare, raise_alarm
from worker.polling import poll_channel_once
from worker.runtime import Runtime
from worker.store.channels import Channel
from worker.store.running import DailyRun

DAYS = 3
"""Whole shop-local days that are compared, today left out: it is still moving."""

_log = log.get("reconcile")


def reconcile_channels(runtime: Runtime, now: datetime) -> dict[str, int]:
    """Compare each live channel not compared yet today; gives the differences by channel.

    A channel that cannot be asked is tried again later in the day, and the others go on.
    """
    today = now.astimezone(runtime.context().zone).date()
    found: dict[str, int] = {}
    for name in _waiting(runtime, now):
        try:
            difference = reconcile_channel(runtime, name, now)
        except ConnectorError as problem:
            _log.info("reconcile_later", channel=name, error_type=type(problem).__name__)
            continue
        with runtime.transaction() as session:
            session.merge(DailyRun(name=_run_name(name), last_on=today))
        if difference is not None:
            found[name] = len(difference.missing) + len(difference.extra) + len(difference.totals)
    return found


def reconcile_channel(runtime: Runtime, name: str, now: datetime) -> Difference | None:
    """Compare one channel and raise or end its alarm; None where the source cannot list.

    What differs is polled once more and compared again before anybody is alarmed: an order
    may have changed since the last poll. Raises NeedsPerson or TryLater.
    """
    config = channel_config(runtime, name)
    connector = open_channel_connector(runtime, config)
    if not isinstance(connector, Reconciles):
        return None
    since, until = _span(now, ZoneInfo(config.zone))
    difference = _compared(runtime, name, connector, since, until)
    if not difference.clean and poll_channel_once(runtime, name, now, every_stream=True).pages:
        difference = _compared(runtime, name, connector, since, until)
    with runtime.transaction() as session:
        raise_alarm(session, difference, now)
    if not difference.clean:
        _log.warning("orders_differ", channel=name, count=len(difference.missing))
    return difference


def _compared(
    runtime: Runtime, name: str, connector: Reconciles, since: datetime, until: datetime
) -> Difference:
    totals = connector.totals(since, until)
    with runtime.look() as session:
        return compare(session, channel_named(session, name), totals, since, until)


def _span(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=DAYS), midnight


def _waiting(runtime: Runtime, now: datetime) -> list[str]:
    """Live channels that have been read to the end once, and not compared yet today."""
    today = now.astimezone(runtime.context().zone).date()
    with runtime.look() as session:
        done = {
            row.name: row.last_on
            for row in session.scalars(
                select(DailyRun).where(DailyRun.name.startswith(_run_name("")))
            )
        }
        rows = session.scalars(select(Channel).where(Channel.paused.is_(False))).all()
        return [
            row.name
            for row in rows
            if _can_talk(row.kind)
            and row.last_success_at is not None
            and "reading_since" not in row.settings
            and done.get(_run_name(row.name)) != today
        ]


def _can_talk(kind: str) -> bool:
    try:
        return is_live(kind)
    except NeedsPerson:
        return False  # its package is not installed: the poll has said so and paused it


def _run_name(channel: str) -> str:
    return f"compare:{channel}"[:60]
