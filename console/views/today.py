"""今日: how much waits, what is in trouble, what goes into parcels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import formats
from console.views.channels import Trouble
from console.views.names import Badge, badges, shop_labels
from console.views.packing import Parcel, parcels
from console.views.queue import SECONDS_IN_BATCH, SECONDS_TO_READ
from console.views.today_board import Newcomers, Regulars, newcomers, regulars
from console.views.today_troubles import troubles
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import QueueFilter
from worker.rules.states import MailKind, MessageState
from worker.store.board_queries import next_to_review, waiting_by_kind
from worker.store.channels import Channel
from worker.store.messages import Message
from worker.store.note_queries import count_due
from worker.store.orders import OrderRow


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
    fine: str
    """Channels that nothing is wrong with."""
    packed: int
    parcels: int
    items: str
    """What still goes into parcels, counted by kind."""
    due_notes: int
    next: str
    """When the next mails come to be read, in words."""
    regulars: Regulars
    newcomers: Newcomers
    trust: str
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
    states, sent = review.state_counts(session), _sent_today(session, ctx, now)
    boxes = parcels(session, ctx, words, now)
    found = troubles(session, ctx, words, states, now)
    return TodayView(
        when=formats.moment(now, ctx.zone, words.locale),
        waiting=counts.total,
        minutes=-(-seconds // 60),
        read=to_read,
        batch=counts.total - to_read,
        heads=heads,
        kinds=_kinds(session, heads, words),
        soon=_soon(session, ctx, words, now),
        troubles=found,
        fine=_fine(session, words, found),
        packed=sum(1 for box in boxes if box.packed),
        parcels=len(boxes),
        items=_items(boxes, words),
        due_notes=count_due(session, now.astimezone(ctx.zone).date()),
        next=_next(session, ctx, words, sent, now),
        regulars=regulars(session, ctx, words, now),
        newcomers=newcomers(session, ctx, words, now),
        trust=_trust(session, ctx, words),
        sent=sent,
        approved=states.get(MessageState.APPROVED, 0),
        scheduled=states.get(MessageState.SCHEDULED, 0),
        no_orders=session.scalar(select(OrderRow.id).limit(1)) is None,
    )


def _to_read(session: Session, filters: QueueFilter, now: datetime) -> int:
    """Flagged or of the top rank: read one by one, never in a batch."""
    plain = review.counts(session, replace(filters, flagged=False, vip=False), now=now).total
    return review.counts(session, filters, now=now).total - plain


def _kinds(session: Session, heads: tuple[Badge, ...], words: Words) -> tuple[KindLine, ...]:
    rows = waiting_by_kind(session)
    lines = []
    for kind in MailKind:
        mine = [row for row in rows if row.kind == kind]
        if not mine:
            continue
        numbers = tuple(
            (head.rank, sum(row.n for row in mine if row.rank == head.rank)) for head in heads
        )
        flagged = sum(row.n for row in mine if row.flagged)
        total = sum(row.n for row in mine)
        lines.append(KindLine(kind, words(f"kind.{kind}"), numbers, flagged, total))
    return tuple(lines)


def _soon(
    session: Session, ctx: Context, words: Words, now: datetime
) -> tuple[tuple[int, str], ...]:
    """What runs out in two hours, and before the day ends."""
    tomorrow = now.astimezone(ctx.zone).date() + timedelta(days=1)
    ends = {
        "today.soon_two_hours": now + timedelta(hours=2),
        "today.soon_day": datetime.combine(tomorrow, time(), ctx.zone),
    }
    found: list[tuple[int, str]] = []
    for key, end in ends.items():
        number = session.scalar(
            select(func.count()).where(
                Message.state == MessageState.IN_REVIEW, Message.expires_at <= end
            )
        )
        if number:
            found.append((number, words(key)))
    return tuple(found)


def _sent_today(session: Session, ctx: Context, now: datetime) -> int:
    midnight = datetime.combine(now.astimezone(ctx.zone).date(), time(), ctx.zone)
    return session.scalar(select(func.count()).where(Message.sent_at >= midnight)) or 0


def _next(session: Session, ctx: Context, words: Words, sent: int, now: datetime) -> str:
    coming = next_to_review(session, now)
    if coming is None:
        return words("today.done_later", sent=sent)
    when = formats.near(coming[0], now, ctx.zone)
    return words("today.done_next", sent=sent, when=when, kind=words(f"kind.{coming[1]}"))


def _items(boxes: Sequence[Parcel], words: Words) -> str:
    left = Counter(box.item for box in boxes if not box.packed)
    return words("app.comma").join(f"{item} {number}" for item, number in left.most_common(4))


def _fine(session: Session, words: Words, found: Sequence[Trouble]) -> str:
    """Channels without a trouble of their own, in one quiet line."""
    ill = {one.address.removeprefix("/channels/") for one in found}
    well = [label for name, label in shop_labels(session, words).items() if name not in ill]
    if not well:
        return ""
    return words("today.fine_channels", names=words("app.comma").join(well))


def _trust(session: Session, ctx: Context, words: Words) -> str:
    """The first offer of reading fewer, in words; empty where there is none."""
    offers = review.trust_offers(session, ctx)
    if not offers:
        return ""
    offer, shops = offers[0], shop_labels(session, words)
    kind = offer.text_key.split("/")[1] if "/" in offer.text_key else ""
    if kind not in set(MailKind):
        return ""
    shop = shops.get(session.get_one(Channel, offer.channel_id).name, "")
    return words("today.trust_text", shop=shop, kind=words(f"kind.{kind}"), n=offer.count)
