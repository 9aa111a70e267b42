"""The field of all texts as it is drawn, the drafts, and what publishing them would do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Badge, badges
from console.words import Words
from worker.mail.texts import ANY_RANK
from worker.pipeline.context import Context
from worker.pipeline.template_drafts import drafted_parts, drafts, name_of
from worker.pipeline.template_lint import inspect
from worker.pipeline.template_matrix import Cell, Row, blocks, matrix
from worker.pipeline.template_names import TextName
from worker.pipeline.template_publish import effect_of, with_drafts
from worker.rules.states import Flag, MessageState
from worker.store.drafts import DocumentDraft
from worker.store.messages import Message
from worker.store.template_queries import Published, newest_published

_ICONS = {
    "own": "file-text",
    "edited": "file-text",
    "inherited": "arrow-back-up",
    "draft": "pencil",
    "missing": "alert-triangle",
    "unused": "",
    "forbidden": "ban",
    "none": "",
}
_LOOKS = {
    "own": "own",
    "edited": "own",
    "inherited": "inh",
    "draft": "draft",
    "missing": "none",
    "unused": "not",
    "forbidden": "no",
    "none": "",
}
LEGEND_LOOKS = {state: (_LOOKS[state], _ICONS[state]) for state in _LOOKS}
"""Class and icon of a state."""
LEGEND = ("own", "edited", "inherited", "draft", "missing", "forbidden")


@dataclass(frozen=True, slots=True)
class Label:
    """How staff call a text; ``badge`` None where it is for everybody."""

    kind: str
    family: str
    rank: str
    badge: Badge | None
    occasion: str

    @property
    def whole(self) -> str:
        """All of it in one line, for titles and screen readers."""
        named = self.badge.label if self.badge else self.rank
        return " ".join(part for part in (self.kind, self.family, named, self.occasion) if part)


@dataclass(frozen=True, slots=True)
class CellView:
    """One field; ``href`` empty where there is nothing to open."""

    state: str
    look: str
    icon: str
    label: str
    title: str
    href: str
    begins: bool
    """The first field of a family."""


@dataclass(frozen=True, slots=True)
class RowView:
    """One row with its fields."""

    label: str
    sub: bool
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class DraftView:
    """One text in writing."""

    id: int
    version: int
    name: str
    label: Label
    note: str
    who: str
    errors: int
    samples: int


@dataclass(frozen=True, slots=True)
class EffectView:
    """What publishing does to waiting mails, in numbers."""

    rewritten: int
    by_hand: int
    approved: int


@dataclass(frozen=True, slots=True)
class TemplatesView:
    """The page."""

    locale: str
    in_force: str
    families: tuple[tuple[str, int], ...]
    """Label and number of columns."""
    heads: tuple[tuple[Badge | None, bool], ...]
    """Badge of a column, None for everybody; whether a family begins there."""
    rows: tuple[RowView, ...]
    missing: tuple[str, ...]
    held: int
    drafts: tuple[DraftView, ...]
    effect: EffectView | None
    passages: tuple[tuple[str, tuple[CellView, ...]], ...]


def templates_view(
    session: Session, ctx: Context, words: Words, now: datetime, locale: str
) -> TemplatesView:
    """Everything on the page of all texts in one language of mails."""
    found = matrix(session, ctx, locale)
    known = badges(ctx.documents.ladder, words.locale)
    written = drafts(session)
    heads = [
        (known.get(rank), place == 0) for column in found.columns for place, rank in
        enumerate(column.ranks)
    ]  # fmt: skip
    return TemplatesView(
        locale=locale,
        in_force=in_force(newest_published(session), words, now, ctx),
        families=tuple((words(f"family.{c.family}"), len(c.ranks)) for c in found.columns),
        heads=tuple(heads),
        rows=tuple(_row(row, [begins for _, begins in heads], words, known) for row in found.rows),
        missing=_missing(found.rows, words, known),
        held=_held(session),
        drafts=tuple(_draft(session, ctx, d, written, words, known, now) for d in written),
        effect=_effect(session, ctx, written),
        passages=_passages(session, ctx, words, locale),
    )


def in_force(release: Published | None, words: Words, now: datetime, ctx: Context) -> str:
    """Which version is in force, by whom and why."""
    if release is None:
        return words("templates.shipped")
    when = formats.near(release.at, now, ctx.zone)
    return words(
        "templates.in_force", n=release.number, when=when, who=release.by, note=release.note
    )


def text_label(name: TextName, words: Words, known: dict[str, Badge]) -> Label:
    """How staff call a text."""
    kind = "templates.card" if name.is_card else f"kind.{name.kind}"
    if name.is_block:
        kind = f"block.{name.rank}" if words.has(f"block.{name.rank}") else ""
    badge = None if name.is_block else known.get(name.rank)
    rank = "" if badge or name.is_block else words("templates.any")
    if not badge and not name.is_block and name.rank != ANY_RANK:
        rank = name.rank
    occasion = words(f"occasion.{name.occasion}") if name.occasion else ""
    family = words(f"family.{name.family}")
    return Label(words(kind) if kind else name.rank, family, rank, badge, occasion)


def _row(row: Row, begins: list[bool], words: Words, known: dict[str, Badge]) -> RowView:
    label = words("templates.card") if row.kind == "card" else words(f"kind.{row.kind}")
    if row.occasion:
        label = words(f"occasion.{row.occasion}")
    cells = zip(row.cells, begins, strict=True)
    return RowView(
        label,
        bool(row.occasion),
        tuple(_cell(cell, first, words, known) for cell, first in cells),
    )


def _cell(cell: Cell, begins: bool, words: Words, known: dict[str, Badge]) -> CellView:
    label = words(f"cell.{cell.state}")
    title = text_label(cell.name, words, known).whole
    if cell.state == "inherited" and cell.taken is not None:
        taken = text_label(cell.taken, words, known)
        told = [taken.occasion, taken.badge.label if taken.badge else taken.rank]
        title = words("cell.taken", text=" ".join(part for part in told if part))
    closed = cell.state in ("none", "forbidden")
    return CellView(
        state=cell.state,
        look=_LOOKS[cell.state],
        icon=_ICONS[cell.state],
        label=label,
        title=f"{title}: {label}" if cell.state != "inherited" else title,
        href="" if closed else f"/templates/edit/{cell.name}",
        begins=begins,
    )


def _missing(rows: tuple[Row, ...], words: Words, known: dict[str, Badge]) -> tuple[str, ...]:
    """Which mails a family has no text for, each said once."""
    found = []
    for row in rows:
        for cell in row.cells:
            if cell.state == "missing":
                label = text_label(cell.name, words, known)
                found.append(f"{label.family} {label.occasion or label.kind}")
    return tuple(dict.fromkeys(found))


def _held(session: Session) -> int:
    held = select(func.count()).where(
        Message.state == MessageState.ON_HOLD, Message.hold_reason == Flag.TEXT_MISSING.value
    )
    return session.scalar(held) or 0


def _draft(
    session: Session,
    ctx: Context,
    draft: DocumentDraft,
    written: list[DocumentDraft],
    words: Words,
    known: dict[str, Badge],
    now: datetime,
) -> DraftView:
    name = name_of(draft)
    seen = inspect(session, with_drafts(ctx, written), name, drafted_parts(draft), now)
    return DraftView(
        id=draft.id,
        version=draft.version,
        name=str(name),
        label=text_label(name, words, known),
        note=draft.note,
        who=f"{draft.author} {formats.near(draft.at, now, ctx.zone)}",
        errors=seen.errors,
        samples=len(seen.samples),
    )


def _effect(session: Session, ctx: Context, written: list[DocumentDraft]) -> EffectView | None:
    if not written:
        return None
    return EffectView(*effect_of(session, ctx, written).numbers)


def _passages(
    session: Session, ctx: Context, words: Words, locale: str
) -> tuple[tuple[str, tuple[CellView, ...]], ...]:
    by_family: dict[str, list[CellView]] = {}
    for cell in blocks(session, ctx, locale):
        label = text_label(cell.name, words, {})
        view = CellView(
            state=cell.state,
            look=_LOOKS[cell.state],
            icon=_ICONS[cell.state],
            label=label.kind,
            title=f"{label.kind}: {words(f'cell.{cell.state}')}",
            href=f"/templates/edit/{cell.name}",
            begins=False,
        )
        by_family.setdefault(words(f"family.{cell.name.family}"), []).append(view)
    return tuple((family, tuple(cells)) for family, cells in by_family.items())
