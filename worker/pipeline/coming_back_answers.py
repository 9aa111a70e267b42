"""What follows from an answer: a person's becomes an open inquiry, a machine's is left alone."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.addresses import mask
from worker.mail.coming_back.verdicts import ComingBack, What
from worker.pipeline.coming_back_bounces import BY, ask_once
from worker.pipeline.coming_back_match import Match
from worker.pipeline.context import Context
from worker.pipeline.notes import NoteWords, kept_customer, write_note
from worker.pipeline.review_words import Refused
from worker.rules.states import NoteState, Via
from worker.store.customers import ContactNote
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.returns import ReturnedMail

WANTS_OUT = "wants_out"
"""The task: somebody writes 配信停止 or the like; a person decides what they mean."""

MOST_OPEN = 5
"""Open inquiries by mail of one person; a flood adds none, for they all hold the same mails."""

_NO_WORDS = "（本文のないメール）"


def answered(
    session: Session,
    _ctx: Context,
    read: ComingBack,
    match: Match,
    row: ReturnedMail,
    now: datetime,
) -> str:
    """Open an inquiry for a person's reply, ask a person about words of leaving."""
    message = match.message
    customer_id = _customer(session, message)
    if read.wants_out:
        subject = f"customer:{customer_id}" if customer_id else f"returned:{row.id}"
        detail: dict[str, object] = {"customer": customer_id, "returned": row.id}
        if customer_id is None:
            detail["address"] = mask(read.sender)
        ask_once(session, WANTS_OUT, subject, detail, now)
    if read.what is What.AUTO_REPLY:
        return "asked" if read.wants_out else "left"
    if customer_id is None or message is None:
        return "asked" if read.wants_out else "unmatched"
    if _open_by_mail(session, customer_id) >= MOST_OPEN:
        return "enough"
    words = NoteWords(
        said=_said(read),
        via=Via.MAIL,
        inquiry=True,
        order_id=_order(session, message, customer_id),
    )
    write_note(session, customer_id, words, is_open=True, by=BY, now=now)
    return "inquiry"


def _customer(session: Session, message: Message | None) -> int | None:
    if message is None or message.customer_id is None:
        return None
    try:
        return kept_customer(session, message.customer_id)
    except Refused:
        return None  # erased: whoever writes again is nobody's customer here


def _said(read: ComingBack) -> str:
    return "\n".join(line for line in (read.subject, read.text) if line) or _NO_WORDS


def _open_by_mail(session: Session, customer_id: int) -> int:
    query = sa.select(sa.func.count()).where(
        ContactNote.customer_id == customer_id,
        ContactNote.state == NoteState.OPEN,
        ContactNote.by == BY,
    )
    return session.scalar(query) or 0


def _order(session: Session, message: Message, customer_id: int) -> int | None:
    """The newest order that the answered mail was about, where it is this person's."""
    return session.scalar(
        sa.select(OrderRow.id)
        .join(Occasion, Occasion.order_id == OrderRow.id)
        .where(Occasion.message_id == message.id, OrderRow.customer_id == customer_id)
        .order_by(OrderRow.ordered_at.desc(), OrderRow.id.desc())
        .limit(1)
    )
