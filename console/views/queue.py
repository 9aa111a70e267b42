"""The queue: what is asked for, what may be approved together, what can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.views.names import Badge, Option, badges, shop_labels
from console.views.queue_rows import Chosen, Drawing, Group, Row, groups_of
from console.views.recent import Undo, arrived_ids, done_today, names_of, undo_of
from console.visit import NoSuchPlace
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import QueueCounts, QueueFilter, QueueRow
from worker.rules.states import MessageState
from worker.store.messages import MessageEvent

__all__ = ["Batch", "Chosen", "QueueView", "page_of", "queue_view", "vip_within"]

ROWS = 200
"""Rows of the list at once; the rest by a link."""
SECONDS_TO_READ = 30
SECONDS_IN_BATCH = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """What the batch button would approve; ``number`` 0: no button."""

    number: int
    names: tuple[str, ...]
    flagged: int
    vip: int


@dataclass(frozen=True, slots=True)
class QueueView:
    """Everything the list prints; the pane is a MailView beside it."""

    chosen: Chosen
    total: int
    waiting: int
    minutes: int
    done_today: int
    kinds: tuple[Option, ...]
    ranks: tuple[Option, ...]
    channels: tuple[Option, ...]
    vip: int
    vip_badge: Badge | None
    held: int
    back: int
    groups: tuple[Group, ...]
    batch: Batch
    undo: Undo | None
    current: str
    next: Row | None
    previous: Row | None
    next_free: Row | None
    """Where to go on after a decision: the next one that nobody else has open."""
    fresh: int
    more: str
    place: str
    """The cursor that this page was asked for by."""
    newest: int
    """The newest event when the list was read; what came later is news."""


def queue_view(
    session: Session,
    ctx: Context,
    chosen: Chosen,
    words: Words,
    now: datetime,
    *,
    by: str,
    message_id: str = "",
    after: str = "",
    since: int | None = None,
) -> QueueView:
    """Read the list; ``message_id`` is the mail in the pane, the first free one where it is empty.

    Mails that came to be read after the event ``since`` are counted, and not put into the list.
    """
    filters = chosen.filters(ctx)
    ranks = badges(ctx.documents.ladder, words.locale)
    found = page_of(session, filters, now=now, after=after, limit=ROWS)
    taken = review.readers(session, [row.id for row in found], but=by, now=now)
    counts = review.counts(session, filters, now=now)
    every = review.counts(session, Chosen().filters(ctx), now=now)
    top = review.counts(session, Chosen(list="vip").filters(ctx), now=now)
    states = review.state_counts(session)
    current = message_id or _first_free(found, taken)
    lapsed = review.lapsed(session, [row.id for row in found])
    shops = shop_labels(session, words)
    draw = Drawing(ctx, chosen, words, now, ranks, shops, taken, lapsed, current)
    fresh = arrived_ids(session, since) & {row.id for row in found} if since is not None else set()
    groups = groups_of(session, filters, counts, found, draw, fresh)
    rows = [row for group in groups for row in group.rows]
    place = next((i for i, row in enumerate(rows) if row.id == current), -1)
    behind = rows[place + 1 :]
    return QueueView(
        chosen=chosen,
        total=counts.total,
        waiting=states.get(MessageState.IN_REVIEW, 0),
        minutes=_minutes(every, top),
        done_today=done_today(session, ctx, now),
        **_options(session, ctx, chosen, words, now, ranks, draw.shops),
        vip=top.total,
        vip_badge=next((badge for badge in ranks.values() if badge.look == "vip"), None),
        held=states.get(MessageState.ON_HOLD, 0),
        back=states.get(MessageState.SENT_BACK, 0),
        groups=groups,
        batch=_batch(session, ctx, chosen, now),
        undo=undo_of(session, by, now),
        current=current,
        next=behind[0] if behind else None,
        previous=rows[place - 1] if place > 0 else None,
        next_free=next((row for row in behind if not row.taken), None),
        fresh=len(fresh),
        more=chosen.query(after=found[-1].cursor) if len(found) == ROWS else "",
        place=after,
        newest=session.scalar(select(func.max(MessageEvent.id))) or 0,
    )


def _first_free(found: list[QueueRow], taken: Mapping[str, str]) -> str:
    """The first that nobody else has open; where somebody has each of them, the first."""
    free = next((row.id for row in found if row.id not in taken), "")
    return free or (found[0].id if found else "")


def page_of(
    session: Session, filters: QueueFilter, *, now: datetime, after: str, limit: int
) -> list[QueueRow]:
    """Rows behind the cursor; raises NoSuchPlace where it is none."""
    try:
        return review.queue(session, filters, now=now, after=after or None, limit=limit)
    except ValueError as error:
        raise NoSuchPlace from error


def _options(
    session: Session,
    ctx: Context,
    chosen: Chosen,
    words: Words,
    now: datetime,
    ranks: Mapping[str, Badge],
    shops: Mapping[str, str],
) -> dict[str, Any]:
    """The three filters; each counts what it would show beside the other two."""
    kinds = review.counts(session, replace(chosen, kind="").filters(ctx), now=now).by_kind
    channels = review.counts(session, replace(chosen, channel="").filters(ctx), now=now).by_channel
    return {
        "kinds": tuple(
            Option(kind, words(f"kind_short.{kind}"), number, kind == chosen.kind)
            for kind, number in sorted(kinds.items(), key=lambda item: -item[1])
        ),
        "ranks": tuple(
            Option(badge.rank, badge.label, None, badge.rank == chosen.rank)
            for badge in reversed(list(ranks.values()))
        ),
        "channels": tuple(
            Option(name, shops.get(name, name), number, name == chosen.channel)
            for name, number in sorted(channels.items())
        ),
    }


def _batch(session: Session, ctx: Context, chosen: Chosen, now: datetime) -> Batch:
    if not chosen.narrowed or chosen.list:
        return Batch(0, (), 0, 0)
    selection = review.select_many(session, ctx, filters=chosen.filters(ctx))
    names = names_of(session, selection.ids[:3])
    vip = vip_within(session, ctx, chosen, now)
    return Batch(len(selection.ids), names, len(selection.left_out), vip)


def vip_within(session: Session, ctx: Context, chosen: Chosen, now: datetime) -> int:
    """How many of the top rank the same filter would show in their own list."""
    filters = chosen.filters(ctx)
    if filters.vip is not False:
        return 0
    return review.counts(session, replace(filters, vip=True), now=now).total


def _minutes(every: QueueCounts, top: QueueCounts) -> int:
    read = every.flagged + top.total
    seconds = read * SECONDS_TO_READ + (every.total - every.flagged) * SECONDS_IN_BATCH
    return -(-seconds // 60)
