"""A mail on paper: as it will arrive, against the template, against what was approved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.diff import Piece, changes, filled_in
from console.words import Words
from worker.pipeline.review import MessageDetail
from worker.pipeline.review import Piece as Change
from worker.rules.states import REVIEWABLE, MessageState
from worker.store.messages import Message, MessageBody

VIEWS = ("mail", "html", "edits", "lapsed", "last", "life")


@dataclass(frozen=True, slots=True)
class Tab:
    """One way to look at the mail."""

    view: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """A mail as it is printed in the pane."""

    sender: str
    recipient: str
    subject: tuple[Piece, ...]
    text: tuple[Piece, ...]


def has_lapsed(detail: MessageDetail) -> bool:
    """Whether an approval lapsed because the words are no longer what was approved."""
    return detail.message.state in REVIEWABLE and bool(detail.changed_since_approval)


def tabs(session: Session, detail: MessageDetail, words: Words, view: str) -> tuple[Tab, ...]:
    """The views that this mail has; the difference since approval stands first."""
    if detail.body is None:
        return ()
    found: list[tuple[str, str]] = []
    if has_lapsed(detail):
        found.append(("lapsed", words("mail.lapsed", n=_places(detail.changed_since_approval))))
    found.append(("mail", words("mail.as_received")))
    if detail.body.html:
        found.append(("html", words("mail.html")))
    found.append(("edits", words("mail.edits", n=_places(detail.changed_by_hand))))
    if last_mail(session, detail.message) is not None:
        found.append(("last", words("mail.last")))
    found.append(("life", words("mail.life")))
    return tuple(Tab(name, label, name == view) for name, label in found)


def _places(fields: Mapping[str, Sequence[Change]]) -> int:
    # The HTML says the same again: counting it would double every change.
    return sum(changes(marked(pieces)) for name, pieces in fields.items() if name != "html")


def marked(pieces: Sequence[Change]) -> tuple[Piece, ...]:
    """The pipeline's pieces as the page marks them."""
    return tuple(Piece(piece.text, "" if piece.op == "same" else piece.op) for piece in pieces)


def last_mail(session: Session, message: Message) -> Message | None:
    """The newest mail of the same scope that left for the same customer."""
    if message.customer_id is None:
        return None
    return session.scalars(
        select(Message)
        .where(
            Message.customer_id == message.customer_id,
            Message.scope == message.scope,
            Message.state.in_((MessageState.SENT, MessageState.BOUNCED)),
            Message.id != message.id,
        )
        .order_by(Message.sent_at.desc())
        .limit(1)
    ).first()


def paper(session: Session, detail: MessageDetail, view: str) -> Paper | None:
    """The mail for a tab; None where the tab shows something else."""
    body = detail.body
    if body is None or view in ("html", "life"):
        return None
    if view == "last":
        last = last_mail(session, detail.message)
        earlier = session.get(MessageBody, last.id) if last else None
        return _as_received(earlier) if earlier else None
    if view == "edits":
        return _compared(body, detail.changed_by_hand)
    if view == "lapsed":
        return _compared(body, detail.changed_since_approval)
    return _as_received(body)


def _compared(body: MessageBody, fields: Mapping[str, Sequence[Change]]) -> Paper:
    subject, text = fields.get("subject"), fields.get("text")
    return Paper(
        body.sender,
        body.recipient,
        marked(subject) if subject else (Piece(body.subject),),
        marked(text) if text else (Piece(body.text),),
    )


def _as_received(body: MessageBody) -> Paper:
    values = _strings(body.values)
    return Paper(body.sender, body.recipient, (Piece(body.subject),), filled_in(body.text, values))


def _strings(values: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for value in values.values():
        text = str(value).strip()
        found += [text, *(line.strip() for line in text.splitlines())]
    return found
