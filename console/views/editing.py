"""The edit form: the words as they stand, or a clerk's own where somebody was faster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from console import formats
from console.diff import Piece
from console.views.paper import marked
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import StaleEdit
from worker.pipeline.review import Words as Written
from worker.rules.states import MessageState


@dataclass(frozen=True, slots=True)
class Editing:
    """What the form prints; ``theirs`` marks what these words would change of the present ones."""

    id: str
    version: int
    name: str
    subject: str
    text: str
    html: str | None
    sent_back: str
    stale: str = ""
    trouble: str = ""
    saved: bool = False
    theirs: tuple[Piece, ...] = ()


def editing(
    session: Session, ctx: Context, message_id: str, words: Words, now: datetime
) -> Editing:
    """Read the form. Raises Refused where there are no words to edit yet."""
    detail = review.detail(session, ctx, message_id, now=now)
    if detail.body is None:
        raise review.Refused("not_rendered")
    reasons = [event for event in detail.events if event.move == "send_back"]
    sent_back = detail.message.state is MessageState.SENT_BACK and reasons
    return Editing(
        id=message_id,
        version=detail.message.version,
        name=(detail.customer.name if detail.customer else None)
        or words(f"kind.{detail.message.kind}"),
        subject=detail.body.subject,
        text=detail.body.text,
        html=detail.body.html,
        sent_back=str(reasons[-1].reason.get("words", "")) if sent_back else "",
    )


def refused_edit(
    session: Session,
    ctx: Context,
    message_id: str,
    written: Written,
    trouble: str,
    words: Words,
    now: datetime,
) -> Editing:
    """The form again after a refused save: the clerk's words, and what must be mended."""
    present = editing(session, ctx, message_id, words, now)
    return _with_words(present, written, trouble=trouble)


def _with_words(present: Editing, written: Written, **more: Any) -> Editing:
    return replace(
        present,
        subject=written.subject or "",
        text=written.text or "",
        html=written.html if written.html is not None else present.html,
        **more,
    )


def stale_edit(
    session: Session,
    ctx: Context,
    stale: StaleEdit,
    written: Written,
    words: Words,
    now: datetime,
) -> Editing:
    """The form again after a refused save: the clerk's words, and how they differ from now."""
    present = editing(session, ctx, stale.message_id, words, now)
    events = review.detail(session, ctx, stale.message_id, now=now).events
    last = events[-1] if events else None
    who = last.by if last else words("actor.staff")
    when = formats.near(last.at, now, ctx.zone) if last else ""
    pieces = [
        piece
        for field in ("subject", "text", "html")
        for piece in marked((stale.theirs or {}).get(field, ()))
    ]
    said = words("edit.stale_text", who=who, when=when)
    return _with_words(present, written, stale=said, theirs=tuple(pieces))
