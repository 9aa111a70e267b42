"""今日: how much waits, what is in trouble, what goes into parcels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import formats
from console.shell import menu_counts
from console.views.channels import OWN_WORDS, Trouble, channel_troubles
from console.views.names import Badge, badges
from console.views.packing import parcels
from console.views.queue import SECONDS_IN_BATCH, SECONDS_TO_READ
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.coupons_level import pool_levels
from worker.pipeline.review import QueueFilter
from worker.rules.states import CouponState, MailKind, MessageState, RunMode
from worker.store.messages import Message
from worker.store.note_queries import count_due
from worker.store.orders import OrderRow
from worker.store.reward_sources import made_live
from worker.store.rewards import CouponCode, CouponPool, StaffTask
from worker.store.running import Instance


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind of mail: numbers by rank as in the head, flagged, all."""

    kind: str
    label: str
    numbers: tuple[tuple[str, int], ...]
    flagged: int
    total: int


@dataclass(frozen=True, slots=True)
class TodayView:
    """Everything the page prints."""

    when: str
    waiting: int
    minutes: int
    read: int
    batch: int
    heads: tuple[Badge, ...]
    kinds: tuple[KindLine, ...]
    soon: tuple[tuple[int, str], ...]
    troubles: tuple[Trouble, ...]
    packed: int
    parcels: int
    sent: int
    approved: int
    scheduled: int
    no_orders: bool


def today_view(session: Session, ctx: Context, words: Words, now: datetime) -> TodayView:
    """Read the board."""
    filters = QueueFilter(**review.rank_groups(ctx))  # type: ignore[arg-type]
    counts = review.counts(session, filters, now=now)
    to_read = _to_read(session, filters, now)
    seconds = to_read * SECONDS_TO_READ + (counts.total - to_read) * SECONDS_IN_BATCH
    heads = tuple(reversed(badges(ctx.documents.ladder, words.locale).values()))
    states = review.state_counts(session)
    boxes = parcels(session, ctx, words, now)
    return TodayView(
        when=formats.moment(now, ctx.zone, words.locale),
        waiting=counts.total,
        minutes=-(-seconds // 60),
        read=to_read,
        batch=counts.total - to_read,
        heads=heads,
        kinds=_kinds(session, heads, words),
        soon=_soon(session, words, now),
        troubles=_by_urgency(
            (*_troubles(session, words, states, now), *_due_notes(session, ctx, words, now))
        ),
        packed=sum(1 for box in boxes if box.packed),
        parcels=len(boxes),
        sent=_sent_today(session, ctx, now),
        approved=states.get(MessageState.APPROVED, 0),
        scheduled=states.get(MessageState.SCHEDULED, 0),
        no_orders=session.scalar(select(OrderRow.id).limit(1)) is None,
    )


def _to_read(session: Session, filters: QueueFilter, now: datetime) -> int:
    """Flagged or of the top rank: read one by one, never in a batch."""
    from dataclasses import replace

    plain = review.counts(session, replace(filters, flagged=False, vip=False), now=now).total
    return review.counts(session, filters, now=now).total - plain


def _kinds(session: Session, heads: tuple[Badge, ...], words: Words) -> tuple[KindLine, ...]:
    rows = session.execute(
        select(Message.kind, Message.rank, Message.flags).where(
            Message.state == MessageState.IN_REVIEW
        )
    ).all()
    lines = []
    for kind in MailKind:
        mine = [row for row in rows if row.kind == kind]
        if not mine:
            continue
        numbers = tuple(
            (head.rank, sum(1 for row in mine if row.rank == head.rank)) for head in heads
        )
        flagged = sum(1 for row in mine if row.flags)
        lines.append(KindLine(kind, words(f"kind.{kind}"), numbers, flagged, len(mine)))
    return tuple(lines)


def _soon(session: Session, words: Words, now: datetime) -> tuple[tuple[int, str], ...]:
    found = []
    for hours, key in ((2, "today.soon_two_hours"), (24, "today.soon_day")):
        number = session.scalar(
            select(func.count()).where(
                Message.state == MessageState.IN_REVIEW,
                Message.expires_at <= now + timedelta(hours=hours),
            )
        )
        if number:
            found.append((number, words(key)))
    return tuple(found)


def _sent_today(session: Session, ctx: Context, now: datetime) -> int:
    midnight = datetime.combine(now.astimezone(ctx.zone).date(), time(), ctx.zone)
    return session.scalar(select(func.count()).where(Message.sent_at >= midnight)) or 0


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
            "",
            "",
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
            "",
            "",
        )
        for name, low, left in rows
        if left < low
    ]


_URGENT = ("bad", "warn", "note")


def _by_urgency(found: tuple[Trouble, ...]) -> tuple[Trouble, ...]:
    return tuple(sorted(found, key=lambda one: _URGENT.index(one.look)))


def _due_notes(session: Session, ctx: Context, words: Words, now: datetime) -> Iterator[Trouble]:
    """Notes come back on their date."""
    due = count_due(session, now.astimezone(ctx.zone).date())
    if due:
        title = f"{words('today.notes')}　{words('app.count_things', n=due)}"
        text, button = words("today.notes_text"), words("today.notes_button")
        yield Trouble("warn", "calendar-due", title, text, button, "/tasks")


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
        found.append(Trouble("note", "info-circle", title, text, "", ""))
    return found
