"""What one planning run knows throughout: channels, active windows, closed days, one decision."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache

import jpholiday
from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.rules.judging import Decision, Setting
from worker.rules.shop import Calendar
from worker.rules.states import MailKind
from worker.rules.timing import Days
from worker.store.channels import Channel
from worker.store.occasion_queries import active_table

_BACK_DAYS = 60
_AHEAD_DAYS = 200


def closed_days(calendar: Calendar, first: date, last: date) -> frozenset[date]:
    """Days from ``first`` to ``last`` on which nobody is there: weekdays, holidays, own days."""
    named = set(calendar.closed_days)
    return frozenset(
        day
        for day in (first + timedelta(n) for n in range((last - first).days + 1))
        if day.weekday() in calendar.closed_weekdays
        or day in named
        or (calendar.holidays and _is_holiday(day))
    )


@lru_cache(maxsize=4096)
def _is_holiday(day: date) -> bool:
    return bool(jpholiday.is_holiday(day))


def shop_days(ctx: Context, now: datetime) -> Days:
    """The shop's calendar around now."""
    today = now.astimezone(ctx.zone).date()
    calendar = ctx.documents.shop.calendar
    closed = closed_days(calendar, today - timedelta(_BACK_DAYS), today + timedelta(_AHEAD_DAYS))
    return Days(zone=ctx.zone, closed=closed)


@dataclass(frozen=True)
class Run:
    """Read once at the begin of a run; ``active`` may hold a window that is only being tried."""

    session: Session
    ctx: Context
    now: datetime
    setting: Setting
    channels: dict[int, Channel]
    active: dict[tuple[int, MailKind], datetime]

    def scope(self, channel: Channel) -> str:
        """The scope the channel counts in."""
        return self.ctx.documents.shop.scope_of(channel.name, channel.family)


def open_run(session: Session, ctx: Context, now: datetime) -> Run:
    """Gather what does not change during a run."""
    calendar = ctx.documents.shop.calendar
    setting = Setting(
        now=now,
        days=shop_days(ctx, now),
        transit_days=calendar.transit_days,
        transit_days_far=calendar.transit_days_far,
        caps=ctx.documents.mails.caps,
    )
    channels = {row.id: row for row in session.scalars(select(Channel))}
    return Run(session, ctx, now, setting, channels, active_table(session))


@dataclass(frozen=True, slots=True)
class Planned:
    """One judged occasion, ready to be stored."""

    kind: MailKind
    step: str
    subject: str
    channel: Channel
    scope: str
    decision: Decision
    customer_id: int | None = None
    order_id: int | None = None
    group_key: str = ""
    rank: str | None = None
    visit_number: int | None = None
    advertising: bool = False
    conditions: dict[str, object] = field(default_factory=dict)
    """For a handoff: what staff tick in the marketplace's tool."""

    @property
    def key(self) -> tuple[MailKind, str, str]:
        """What makes the occasion the one it is."""
        return (self.kind, self.step, self.subject)
