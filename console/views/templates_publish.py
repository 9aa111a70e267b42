"""The question before publishing: what changes, what it touches, what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece, difference
from console.views.names import badges
from console.views.templates import EffectView, Label, text_label
from console.views.templates_words import readable
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.template_drafts import drafted_parts, drafts, name_of, open_writing
from worker.pipeline.template_lint import inspect
from worker.pipeline.template_publish import effect_of, with_drafts


@dataclass(frozen=True, slots=True)
class PublishItem:
    """One draft with its difference to what is in force."""

    id: int
    version: int
    name: str
    label: Label
    note: str
    who: str
    subject: tuple[Piece, ...]
    text: tuple[Piece, ...]
    html_only: bool
    errors: int
    outdated: bool
    new: bool
    """There was no such text: it takes the place of the one that was shared."""


@dataclass(frozen=True, slots=True)
class PublishView:
    """The question."""

    items: tuple[PublishItem, ...]
    others: int
    """Drafts that are left out."""
    effect: EffectView
    note: str
    blocked: bool


def publish_view(
    session: Session, ctx: Context, words: Words, now: datetime, wanted: list[int] | None
) -> PublishView:
    """What publishing these drafts means; None: all of them."""
    every = drafts(session)
    chosen = [d for d in every if wanted is None or d.id in wanted]
    then, known = with_drafts(ctx, chosen), badges(ctx.documents.ladder, words.locale)
    items = []
    for draft in chosen:
        name, parts = name_of(draft), drafted_parts(draft)
        writing = open_writing(session, ctx, name)
        subject, text = (
            _marked(writing.in_force.get(p, ""), parts.get(p, ""), words)
            for p in ("subject", "text")
        )
        items.append(
            PublishItem(
                id=draft.id,
                version=draft.version,
                name=str(name),
                label=text_label(name, words, known),
                note=draft.note,
                who=f"{draft.author} {formats.near(draft.at, now, ctx.zone)}",
                subject=subject,
                text=text,
                html_only=not any(p.mark for p in (*subject, *text)),
                errors=inspect(session, then, name, parts, now).errors,
                outdated=writing.outdated,
                new=not writing.in_force,
            )
        )
    effect = effect_of(session, ctx, chosen)
    notes = [item.note for item in items if item.note]
    return PublishView(
        items=tuple(items),
        others=len(every) - len(chosen),
        effect=EffectView(*effect.numbers),
        note=words("templates.joint").join(dict.fromkeys(notes)),
        blocked=any(item.errors or item.outdated for item in items),
    )


def _marked(before: str, after: str, words: Words) -> tuple[Piece, ...]:
    return difference(readable(before, words), readable(after, words))
