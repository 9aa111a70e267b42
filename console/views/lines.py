"""The two lines that a clerk may put into a person's next mail, and whether they came into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.store.customers import CustomerProfile
from worker.store.messages import Message, MessageBody


@dataclass(frozen=True, slots=True)
class LinesForm:
    """What the form prints; ``comments`` are the buyer's own words, to be answered."""

    id: str
    name: str
    kind: str
    personal_line: str
    question_line: str
    comments: tuple[str, ...]
    edited: bool


def lines_form(
    session: Session, ctx: Context, message_id: str, words: Words, now: datetime
) -> LinesForm:
    """Read the form. Raises Refused where the mail is nobody's."""
    detail = review.detail(session, ctx, message_id, now=now)
    if detail.customer is None:
        raise review.Refused("not_found")
    profile = session.get(CustomerProfile, detail.customer.id)
    return LinesForm(
        id=message_id,
        name=detail.customer.name or "",
        kind=words(f"kind.{detail.message.kind}"),
        personal_line=(profile.personal_line if profile else None) or "",
        question_line=(profile.question_line if profile else None) or "",
        comments=tuple(o.buyer_comment for o in detail.orders if o.buyer_comment),
        edited=detail.message.edited,
    )


def reached(session: Session, message_id: str, *lines: str) -> bool:
    """Whether every line that was written stands in the mail now.

    A text may have no place for them, and words that were mended by hand stay as they are.
    """
    message = session.get_one(Message, message_id)
    body = session.get(MessageBody, message.id)
    text = " ".join(body.text.split()) if body else ""
    wanted = [" ".join(line.split()) for line in lines if line.strip()]
    return all(line in text for line in wanted)
