"""The list of the queue: its filter, its lines, and the groups in the order people should read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from console import formats
from console.views.looks import flag_label
from console.views.names import Badge, top_label
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import QueueCounts, QueueFilter, QueueRow
from worker.rules.states import MailKind, MessageState

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
    """One line of the list; ``taken`` is who else has it open."""

    id: str
    address: str
    name: str
    badge: Badge | None
    when: str
    soon: bool
    what: str
    flags: tuple[str, ...]
    edited: bool
    taken: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one head; ``count`` is of the whole group, ``fresh`` came since it was drawn."""

    name: str
    label: str
    icon: str
    count: int
    rows: tuple[Row, ...]
    fresh: int


@dataclass(frozen=True)
class Drawing:
    """What every row needs to be drawn."""

    ctx: Context
    chosen: Chosen
    words: Words
    now: datetime
    ranks: Mapping[str, Badge]
    shops: Mapping[str, str]
    taken: Mapping[str, str]
    lapsed: Collection[str]
    current: str

    def row(self, row: QueueRow) -> Row:
        """One line."""
        what = [self.words(f"kind_short.{row.kind}"), self.shops.get(row.channel, row.family)]
        if row.visit_number is not None:
            what.append(formats.nth(row.visit_number, self.words.locale))
        flags = dict.fromkeys(str(flag.get("flag", "")) for flag in row.flags)
        soon, when = self._when(row)
        labels = [flag_label(flag, self.words) for flag in flags]
        if row.id in self.lapsed:
            labels.insert(0, self.words("mail.lapsed_title"))
        return Row(
            id=row.id,
            address=f"{self.chosen.query(m=row.id)}#mail",
            name=row.customer_name or row.subject,
            badge=self.ranks.get(row.rank or ""),
            when=when,
            soon=soon,
            what=("　" if self.words.locale == "ja" else ", ").join(what),
            flags=tuple(labels),
            edited=row.edited,
            taken=self.taken.get(row.id, ""),
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


def groups_of(
    session: Session,
    filters: QueueFilter,
    counts: QueueCounts,
    found: Sequence[QueueRow],
    draw: Drawing,
    fresh: Collection[str] = (),
) -> tuple[Group, ...]:
    """The rows under their heads; mails of ``fresh`` are counted there and not put between."""
    numbers = _numbers(session, filters, counts, draw.now)
    labels = _labels(draw)
    groups = []
    for name, number in numbers.items():
        inside = [row for row in found if _group_of(row, filters) == name]
        if inside:
            rows = tuple(draw.row(row) for row in inside if row.id not in fresh)
            label, icon = labels[name]
            groups.append(Group(name, label, icon, number, rows, len(inside) - len(rows)))
    return tuple(groups)


def _numbers(
    session: Session, filters: QueueFilter, counts: QueueCounts, now: datetime
) -> dict[str, int]:
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
    return numbers


def _group_of(row: QueueRow, filters: QueueFilter) -> str:
    if row.soon:
        return "expiring"
    if row.flags:
        return "flagged"
    return "first" if row.rank in filters.first_ranks else "rest"


def _labels(draw: Drawing) -> dict[str, tuple[str, str]]:
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
