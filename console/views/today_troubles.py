"""今日, what needs somebody: each thing with what it means and where to go, most urgent first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.shell import menu_counts
from console.views.channels import OWN_WORDS, Trouble, channel_troubles
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.coupons_level import pool_levels
from worker.rules.states import CouponState, MessageState, RunMode
from worker.store.board_queries import count_open_notes
from worker.store.note_queries import count_due, open_notes
from worker.store.reward_sources import made_live
from worker.store.rewards import CouponCode, CouponPool, StaffTask
from worker.store.running import Instance

_NAMED = 3


def troubles(
    session: Session,
    ctx: Context,
    words: Words,
    states: dict[MessageState, int],
    now: datetime,
) -> tuple[Trouble, ...]:
    """Everything that wants a person; what is fine is not listed."""
    found = (*_troubles(session, words, states, now), *_notes(session, ctx, words, now))
    return tuple(sorted(found, key=lambda one: _URGENT.index(one.look)))


def _troubles(
    session: Session, words: Words, states: dict[MessageState, int], now: datetime
) -> tuple[Trouble, ...]:
    """Most urgent first; what is fine is not listed."""
    counts = menu_counts(session) | {
        "failed": states.get(MessageState.FAILED, 0),
        "held": states.get(MessageState.ON_HOLD, 0),
    }
    table = (
        ("stops", "bad", "hand-stop", "/stops"),
        ("unconfirmed", "bad", "alert-circle", "/unconfirmed"),
        ("failed", "bad", "send", "/messages?state=failed"),
        ("held", "warn", "mail", "/queue?list=held"),
        ("quarantine", "warn", "file-text", "/quarantine"),
        ("candidates", "warn", "users", "/candidates"),
        ("handoffs", "note", "notes", "/handoffs"),
    )
    found = []
    for name, look, icon, address in table:
        if not counts[name]:
            continue
        mails = name in ("unconfirmed", "failed", "held")
        unit = "app.count_mails" if mails else "app.count_things"
        title = f"{words(f'today.{name}')}　{words(unit, n=counts[name])}"
        button = words(f"today.{name}_button")
        found.append(Trouble(look, icon, title, words(f"today.{name}_text"), button, address))
    channels = channel_troubles(session, words, now)
    return (*channels, *found, *_pools(session, words, now), *_others(session, words))


def _pools(session: Session, words: Words, now: datetime) -> list[Trouble]:
    rows = session.execute(
        select(CouponPool.name, CouponPool.low_water, func.count(CouponCode.id))
        .outerjoin(
            CouponCode,
            (CouponCode.pool_id == CouponPool.id) & (CouponCode.state == CouponState.AVAILABLE),
        )
        .where(CouponPool.shared_code.is_(None), ~made_live(CouponPool.id))
        .group_by(CouponPool.name, CouponPool.low_water)
    ).all()
    stopped = [
        Trouble(
            "bad" if level.stopped else "warn",
            "ticket",
            words("today.pool_stopped" if level.stopped else "today.pool_failing"),
            words("today.pool_waiting_text", name=level.name, n=level.waiting, why=level.problem),
            words("today.tasks_button"),
            "/coupons",
        )
        for level in pool_levels(session, now)
        if level.live and level.low
    ]
    return stopped + [
        Trouble(
            "warn",
            "ticket",
            words("today.pools"),
            words("today.pools_text", name=name, n=left),
            words("today.tasks_button"),
            "/coupons",
        )
        for name, low, left in rows
        if left < low
    ]


_URGENT = ("bad", "warn", "note")


def _notes(session: Session, ctx: Context, words: Words, now: datetime) -> Iterator[Trouble]:
    """Notes come back on their date; before it they are only counted."""
    today = now.astimezone(ctx.zone).date()
    due, button = count_due(session, today), words("today.notes_button")
    if due:
        title = f"{words('today.notes')}　{words('app.count_things', n=due)}"
        names = [one.name for one in open_notes(session, today, _NAMED) if one.name]
        text = words("app.comma").join(names) or words("today.notes_text")
        yield Trouble("warn", "calendar-due", title, text, button, "/tasks")
    number = count_open_notes(session) - due
    if number > 0:
        title = f"{words('today.open_notes')}　{words('app.count_things', n=number)}"
        text = words("today.open_notes_text")
        yield Trouble("note", "notes", title, text, button, "/customers?noted=1")


def _others(session: Session, words: Words) -> list[Trouble]:
    found = []
    tasks = session.scalar(
        select(func.count()).where(StaffTask.done_at.is_(None), StaffTask.kind.not_in(OWN_WORDS))
    )
    if tasks:
        title = f"{words('today.tasks')}　{words('app.count_things', n=tasks)}"
        text, button = words("today.tasks_text"), words("today.tasks_button")
        found.append(Trouble("note", "notes", title, text, button, "/tasks"))
    instance = session.scalars(select(Instance).limit(1)).first()
    if instance is None or instance.mode is RunMode.CAPTURE:
        title, text = words("today.capture"), words("today.capture_text")
        button = words("today.capture_button")
        found.append(Trouble("note", "info-circle", title, text, button, "/guide#live"))
    return found
