"""The field of all texts: for each mail, family and rank the text that would be taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.texts import ANY_RANK, DocumentSource, FolderSource, shipped_root
from worker.pipeline.context import Context
from worker.pipeline.template_drafts import draft_of, drafts, name_of
from worker.pipeline.template_names import BLOCKS, CARD, FAMILIES, FRAME, TextName, parts_in
from worker.rules.shop import Ladder
from worker.rules.states import MailKind, Sender, Verdict
from worker.store.channels import Channel

State = Literal["own", "edited", "inherited", "draft", "missing", "unused", "forbidden", "none"]

_ALWAYS = ("own", "rakuten", "yahoo")
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        MailKind.ORDER_THANKS,
        ("second", "milestone", "returning", "uncertain", "several", "added", "gift"),
    ),
    (MailKind.SHIPPING_NOTICE, ()),
    (MailKind.FOLLOW_UP, ("gift",)),
    (MailKind.REVIEW_REQUEST, ()),
    (MailKind.MILESTONE, ("fifth", "tenth")),
    (MailKind.WIN_BACK, ("step1", "step2")),
    (MailKind.BIRTHDAY, ()),
    (MailKind.RANK_UP, ()),
    (MailKind.PERSONAL, ()),
    (CARD, ("fifth", "tenth", "tenth_coupon", "thanks", "unsaid", "unsaid_thanks")),
)
"""Rows follow the life of an order; occasions stand under their kind."""

_NOT_FIRST = frozenset({"second", "milestone", "returning", "uncertain", "fifth", "tenth"})
_STEPPED = frozenset({MailKind.WIN_BACK})
"""Kinds whose every mail has an occasion: without a plain text nothing is missing."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One field; ``taken`` is the text its mails are written from, None where there is none."""

    name: TextName
    state: State
    taken: TextName | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A family with the ranks that have fields of their own."""

    family: str
    ranks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One mail or one occasion of it."""

    kind: str
    occasion: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """All fields of one language."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def text_ranks(ladder: Ladder) -> tuple[str, ...]:
    """The ranks texts are written for, the lowest first."""
    ranks = (rung.text or rung.id for rung in reversed(ladder.rungs))
    return tuple(dict.fromkeys(rank for rank in ranks if rank != ANY_RANK))


def matrix(session: Session, ctx: Context, locale: str) -> Matrix:
    """Fill every field from the texts in force and the drafts."""
    present: dict[str, list[str]] = {}
    for family, channel in session.execute(select(Channel.family, Channel.name)):
        present.setdefault(family, []).append(channel)
    ranks = (ANY_RANK, *text_ranks(ctx.documents.ladder))
    columns = tuple(
        Column(family, ranks if family in _ALWAYS else (ANY_RANK,))
        for family in FAMILIES
        if family in present or family in _ALWAYS
    )
    filling = _Filling(ctx, {str(name_of(draft)) for draft in drafts(session)}, present)
    rows = [
        Row(kind, occasion, filling.row(locale, kind, occasion, columns))
        for kind, occasions in _ROWS
        for occasion in ("", *occasions)
    ]
    return Matrix(columns, tuple(row for row in rows if _says_something(row)))


def _says_something(row: Row) -> bool:
    """An occasion that is nowhere possible only fills the page."""
    idle = ("none", "unused", "forbidden") if row.occasion else ("none",)
    return any(cell.state not in idle for cell in row.cells)


class _Filling:
    """Judges one field after another."""

    def __init__(
        self, ctx: Context, drafted: Collection[str], channels: Mapping[str, Sequence[str]]
    ) -> None:
        self._ctx, self._drafted, self._channels = ctx, drafted, channels
        self._shipped = FolderSource(shipped_root())

    def row(
        self, locale: str, kind: str, occasion: str, columns: tuple[Column, ...]
    ) -> tuple[Cell, ...]:
        """The fields of one row."""
        names = [
            TextName(locale, kind, column.family, rank, occasion)
            for column in columns
            for rank in column.ranks
        ]
        return tuple(self._cell(name) for name in names)

    def _cell(self, name: TextName) -> Cell:
        if self._is_forbidden(name):
            return Cell(name, "forbidden")
        if str(name) in self._drafted:
            return Cell(name, "draft", name)
        own = parts_in(self._ctx.texts, name)
        if "text" in own:
            changed = own != parts_in(self._shipped, name)
            return Cell(name, "edited" if changed else "own", name)
        if _is_pointless(name):
            return Cell(name, "none")
        taken = taken_for(self._ctx.texts, name)
        if taken is not None:
            return Cell(name, "inherited", taken)
        if _needs_none(name):
            return Cell(name, "none")
        return Cell(name, "missing" if self._is_ours(name) else "unused")

    def _is_ours(self, name: TextName) -> bool:
        """Whether Okaeri sends such mails on any channel of the family: only then one is missed."""
        kind = name.mail_kind
        if kind is None:
            return False
        senders = self._ctx.documents.senders
        channels = self._channels.get(name.family, ("",))
        return any(senders.who(each, name.family, kind) is Sender.OKAERI for each in channels)

    def _is_forbidden(self, name: TextName) -> bool:
        if name.mail_kind is None:
            return name.family == "amazon"
        verdict = self._ctx.documents.policy.cell(name.family, name.mail_kind).verdict
        return verdict is Verdict.FORBID


def _is_pointless(name: TextName) -> bool:
    """Fields whose mails cannot be: a first order is no second one, cards know no rank."""
    if name.is_card and name.rank != ANY_RANK:
        return True
    if name.rank == "first" and (
        name.occasion in _NOT_FIRST or name.kind in (MailKind.MILESTONE, MailKind.RANK_UP)
    ):
        return True
    return name.occasion == "second" and name.rank == "vip"


def _needs_none(name: TextName) -> bool:
    """What no mail is ever written from."""
    if name.kind in _STEPPED and not name.occasion:
        return True
    return name.rank == ANY_RANK and name.occasion in ("second", "returning", "uncertain")


def taken_for(source: DocumentSource, name: TextName) -> TextName | None:
    """The text a field's mails are written from: its own, else the family's next plainer one."""
    for occasion in dict.fromkeys((name.occasion, "")):
        for rank in dict.fromkeys((name.rank, ANY_RANK)):
            found = TextName(name.locale, name.kind, name.family, rank, occasion)
            if "text" in parts_in(source, found):
                return found
    return None


def blocks(session: Session, ctx: Context, locale: str) -> list[Cell]:
    """The passages that texts share, by family: change one and every text with it changes."""
    found = []
    for family in _ALWAYS:
        for block in block_names(ctx, locale, family):
            name = TextName(locale, BLOCKS, family, block)
            own, shipped = parts_in(ctx.texts, name), parts_in(FolderSource(shipped_root()), name)
            state: State = "edited" if own != shipped else "own"
            if draft_of(session, name) is not None:
                state = "draft"
            found.append(Cell(name, state, name))
    return found


_BLOCKS = (
    "signature",
    "ad_footer",
    "terms",
    "order",
    "order_ref",
    "coupon",
    "quiet",
    "follow_close",
)


def block_names(ctx: Context, locale: str, family: str) -> tuple[str, ...]:
    """The passages that the family's texts may include, in reading order."""
    names = (TextName(locale, BLOCKS, family, block) for block in _BLOCKS if block not in FRAME)
    return tuple(name.rank for name in names if "text" in parts_in(ctx.texts, name))
