"""Versions: what was published when, by whom and why, and each text's own story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece, difference
from console.views.names import badges
from console.views.templates import Label, text_label
from console.views.templates_words import readable
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.template_drafts import draft_of
from worker.pipeline.template_names import TextName
from worker.pipeline.template_versions import history, releases

_PAGE = 20


@dataclass(frozen=True, slots=True)
class VersionView:
    """One release."""

    number: int
    when: str
    who: str
    note: str
    texts: tuple[tuple[str, Label], ...]
    others: int


@dataclass(frozen=True, slots=True)
class VersionsView:
    """A page of releases; ``more`` goes on behind it, 0 where there is nothing."""

    versions: tuple[VersionView, ...]
    more: int


@dataclass(frozen=True, slots=True)
class StepView:
    """One version of one text, and what it changed."""

    release: int
    number: int
    when: str
    who: str
    note: str
    subject: tuple[Piece, ...]
    text: tuple[Piece, ...]
    html_only: bool
    current: bool


@dataclass(frozen=True, slots=True)
class HistoryView:
    """The story of one text."""

    name: str
    label: Label
    steps: tuple[StepView, ...]
    drafted: bool


def versions_view(
    session: Session, ctx: Context, words: Words, now: datetime, before: int | None
) -> VersionsView:
    """Releases, the newest first."""
    known = badges(ctx.documents.ladder, words.locale)
    found = releases(session, before=before, limit=_PAGE)
    views = [
        VersionView(
            number=each.release.number,
            when=formats.near(each.release.at, now, ctx.zone),
            who=each.release.by,
            note=each.release.note,
            texts=tuple((str(name), text_label(name, words, known)) for name in each.texts),
            others=each.others,
        )
        for each in found
    ]
    more = found[-1].release.id if len(found) == _PAGE and found[-1].release.number > 1 else 0
    return VersionsView(tuple(views), more)


def history_view(
    session: Session, ctx: Context, name: TextName, words: Words, now: datetime
) -> HistoryView:
    """Every version of one text."""
    steps = []
    for place, step in enumerate(history(session, name)):
        subject, text = (
            difference(
                readable(step.before.get(part, ""), words),
                readable(step.after.get(part, ""), words),
            )
            for part in ("subject", "text")
        )
        steps.append(
            StepView(
                release=step.release.id,
                number=step.release.number,
                when=formats.near(step.release.at, now, ctx.zone),
                who=step.release.by,
                note=step.release.note,
                subject=subject,
                text=text,
                html_only=not any(piece.mark for piece in (*subject, *text)),
                current=place == 0,
            )
        )
    label = text_label(name, words, badges(ctx.documents.ladder, words.locale))
    drafted = draft_of(session, name) is not None
    return HistoryView(str(name), label, tuple(steps), drafted)
