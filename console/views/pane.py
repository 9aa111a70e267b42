"""What others did to the mail in the pane since it was drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece
from console.views.paper import marked
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import StaleEdit
from worker.pipeline.review_words import Words as Written
from worker.store.messages import Message, MessageEvent


@dataclass(frozen=True, slots=True)
class Stale:
    """A decision on words that are not the present ones; ``parts`` mark what became of them."""

    id: str
    version: int
    name: str
    said: str
    parts: tuple[tuple[str, tuple[Piece, ...]], ...]
    subject: str
    text: str
    approvable: bool


def changed_since(
    session: Session, ctx: Context, message_id: str, version: int, words: Words, now: datetime
) -> str:
    """Who changed the mail after ``version``, and when; empty where nobody did."""
    message = session.get(Message, message_id)
    if message is None or version in (0, message.version):
        return ""
    return _said(session, ctx, message_id, words, now)


def _said(session: Session, ctx: Context, message_id: str, words: Words, now: datetime) -> str:
    last = session.scalars(
        select(MessageEvent)
        .where(MessageEvent.message_id == message_id)
        .order_by(MessageEvent.id.desc())
        .limit(1)
    ).first()
    if last is None:
        return words("pane.changed_plain")
    key = f"move.{last.move}"
    return words(
        "pane.changed",
        who=last.by if last.by not in ("", "system") else words("actor.system"),
        when=formats.near(last.at, now, ctx.zone),
        what=words(key) if words.has(key) else last.move,
    )


def stale_view(
    session: Session, ctx: Context, stale: StaleEdit, words: Words, now: datetime
) -> Stale:
    """The page after a refused approval: what it says now, marked against what was read."""
    detail = review.detail(session, ctx, stale.message_id, now=now)
    theirs: Mapping[str, Sequence[review.Piece]] = stale.theirs or {}
    parts = tuple(
        (words(f"edit.{name}"), marked(theirs[name]))
        for name in ("subject", "text", "html")
        if name in theirs
    )
    return Stale(
        id=stale.message_id,
        version=stale.version,
        name=(detail.customer.name if detail.customer else None) or "",
        said=_said(session, ctx, stale.message_id, words, now),
        parts=parts,
        subject=detail.body.subject if detail.body else "",
        text=detail.body.text if detail.body else "",
        approvable="approve" in detail.moves,
    )


def seen_words(subject: str | None, text: str | None) -> Written | None:
    """What a form says stood on its page; None where it says nothing."""
    return None if subject is None and text is None else Written(subject, text)
