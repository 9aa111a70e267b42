"""The queue: groups in reading order, what may be approved together, what can be undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import formats
from console.views.looks import flag_label
from console.views.names import Badge, Option, badges, shop_labels, top_label
from console.views.recent import Undo, done_today, names_of, undo_of
from console.visit import NoSuchPlace
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import QueueCounts, QueueFilter, QueueRow
from worker.rules.states import MailKind, MessageState
from worker.store.messages import MessageEvent

ROWS = 200
"""Rows of the list at once; the rest by a link."""
SECONDS_TO_READ = 30
SECONDS_IN_BATCH = 1
LISTS = {"held": MessageState.ON_HOLD, "back": MessageState.SENT_BACK}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the address asks for; empty strings ask for nothing."""

    kind: str = ""
    rank: str = ""
    channel: str = ""
    list: str = ""
    """``vip``, ``held``, ``back``, or the ordinary queue."""
    q: str = ""

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set."""
        return bool(self.kind or self.rank or self.channel or self.q)

    def query(self, **more: str) -> str:
        """Path and query of the same list."""
        asked = {name: getattr(self, name) for name in self.__dataclass_fields__} | more
        said = urlencode({name: value for name, value in asked.items() if value})
        return f"/queue?{said}" if said else "/queue"

    def filters(self, ctx: Context) -> QueueFilter:
        """The pipeline's filter for this list."""
        state = LISTS.get(self.list, MessageState.IN_REVIEW)
        apart = None if self.rank or self.list in LISTS else self.list == "vip"
        groups = review.rank_groups(ctx)
        return QueueFilter(
            states=frozenset({state}),
            kinds=frozenset({MailKind(self.kind)} if self.kind else ()),
            ranks=frozenset({self.rank} if self.rank else ()),
            channels=frozenset({self.channel} if self.channel else ()),
            vip=apart,
            search=self.q,
            vip_ranks=groups["vip_ranks"],
            first_ranks=groups["first_ranks"],
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    id: str
    address: str
    name: str
    badge: Badge | None
    when: str
    soon: bool
    what: str
    flags: tuple[str, ...]
    edited: bool
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one head; ``count`` is of the whole group, shown or not."""

    name: str
    label: str
    icon: str
    count: int
    rows: tuple[Row, ...]


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
    more: str
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
) -> QueueView:
    """Read the list; ``message_id`` is the mail in the pane, the first one where it is empty."""
    filters = chosen.filters(ctx)
    ranks = badges(ctx.documents.ladder, words.locale)
    found = page_of(session, filters, now=now, after=after, limit=ROWS)
    counts = review.counts(session, filters, now=now)
    every = review.counts(session, Chosen().filters(ctx), now=now)
    top = review.counts(session, Chosen(list="vip").filters(ctx), now=now)
    states = review.state_counts(session)
    current = message_id or (found[0].id if found else "")
    draw = _Drawing(ctx, chosen, words, now, ranks, shop_labels(session, words), current)
    rows = [draw.row(row) for row in found]
    place = next((i for i, row in enumerate(rows) if row.id == current), -1)
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
        groups=_groups(session, filters, counts, found, rows, draw),
        batch=_batch(session, ctx, chosen, now),
        undo=undo_of(session, by, now),
        current=current,
        next=rows[place + 1] if place + 1 < len(rows) else None,
        previous=rows[place - 1] if place > 0 else None,
        more=chosen.query(after=found[-1].cursor) if len(found) == ROWS else "",
        newest=session.scalar(select(func.max(MessageEvent.id))) or 0,
    )


def page_of(
    session: Session, filters: QueueFilter, *, now: datetime, after: str, limit: int
) -> list[QueueRow]:
    """Rows behind the cursor; raises NoSuchPlace where it is none."""
    try:
        return review.queue(session, filters, now=now, after=after or None, limit=limit)
    except ValueError as error:
        raise NoSuchPlace from error


@dataclass(frozen=True)
class _Drawing:
    """What every row needs to be drawn."""

    ctx: Context
    chosen: Chosen
    words: Words
    now: datetime
    ranks: Mapping[str, Badge]
    shops: Mapping[str, str]
    current: str

    def row(self, row: QueueRow) -> Row:
        """One line."""
        what = [self.words(f"kind_short.{row.kind}"), self.shops.get(row.channel, row.family)]
        if row.visit_number is not None:
            what.append(formats.nth(row.visit_number, self.words.locale))
        flags = dict.fromkeys(str(flag.get("flag", "")) for flag in row.flags)
        soon, when = self._when(row)
        return Row(
            id=row.id,
            address=f"{self.chosen.query(m=row.id)}#mail",
            name=row.customer_name or row.subject,
            badge=self.ranks.get(row.rank or ""),
            when=when,
            soon=soon,
            what=("　" if self.words.locale == "ja" else ", ").join(what),
            flags=tuple(flag_label(flag, self.words) for flag in flags),
            edited=row.edited,
            chosen=row.id == self.current,
        )

    def _when(self, row: QueueRow) -> tuple[bool, str]:
        if row.expires_at is None or not row.soon:
            at = row.expires_at or row.due_at
            return False, formats.near(at, self.now, self.ctx.zone)
        left = max(int((row.expires_at - self.now).total_seconds() // 60), 0)
        if left < 120:
            return True, self.words("queue.minutes_left", n=left)
        return True, self.words("queue.hours_left", n=left // 60)


def _groups(
    session: Session,
    filters: QueueFilter,
    counts: QueueCounts,
    found: Sequence[QueueRow],
    rows: Sequence[Row],
    draw: _Drawing,
) -> tuple[Group, ...]:
    now = draw.now
    flagged = review.counts(session, replace(filters, flagged=True), now=now)
    newcomers = replace(filters, flagged=False, ranks=filters.first_ranks)
    first = review.counts(session, newcomers, now=now)
    asked_first = not filters.ranks or filters.ranks == filters.first_ranks
    numbers = {
        "expiring": counts.soon,
        "flagged": flagged.total - flagged.soon,
        "first": first.total - first.soon if asked_first else 0,
    }
    numbers["rest"] = counts.total - sum(numbers.values())
    labels = _group_labels(draw)
    groups = []
    for name, number in numbers.items():
        inside = [
            row
            for source, row in zip(found, rows, strict=True)
            if _group_of(source, filters) == name
        ]
        if inside:
            label, icon = labels[name]
            groups.append(Group(name, label, icon, number, tuple(inside)))
    return tuple(groups)


def _group_of(row: QueueRow, filters: QueueFilter) -> str:
    if row.soon:
        return "expiring"
    if row.flags:
        return "flagged"
    return "first" if row.rank in filters.first_ranks else "rest"


def _group_labels(draw: _Drawing) -> dict[str, tuple[str, str]]:
    words = draw.words
    rest = words("queue.group_rest")
    if draw.chosen.list == "vip":
        rest = top_label(draw.ranks) or rest
    return {
        "expiring": (words("queue.group_expiring"), "clock"),
        "flagged": (words("queue.group_flagged"), "flag"),
        "first": (words("queue.group_first"), ""),
        "rest": (rest, ""),
    }


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
