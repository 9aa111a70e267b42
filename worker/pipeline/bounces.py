"""Mails that came back: the address is not used again, and staff are asked for the new one."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_words import Refused
from worker.pipeline.suppressions import suppress_address, suppress_hash
from worker.rules.bounces import is_dead
from worker.rules.states import Actor, MessageState
from worker.store.messages import Message, MessageBody
from worker.store.moves import apply_move
from worker.store.returns import ReturnedMail
from worker.store.rewards import StaffTask

ASK_ADDRESS = "ask_address"
"""The task: ask this customer for a new mail address."""

_LOOK_BACK = timedelta(days=14)


def note_bounce(
    session: Session, ctx: Context, message_id: str, *, evidence: str, by: str, now: datetime
) -> Message:
    """Take a person's word that a sent mail came back as undeliverable.

    Raises Refused without the words of the notice, MoveRefused where the mail was not sent.
    """
    message = session.get(Message, message_id, with_for_update=True)
    if message is None:
        raise Refused("not_found")
    if not evidence.strip():
        raise Refused("reason_required")
    reason = {"code": "returned", "words": evidence.strip()}
    apply_move(session, message, "bounce", Actor.STAFF, by, reason, now)
    _give_up_address(session, ctx, message, by, now)
    _ask(session, message, now, again=True)
    return message


def ask_for_addresses(session: Session, ctx: Context, now: datetime) -> int:
    """Look through what bounced or was refused lately; gives how many addresses are dead."""
    rows = session.scalars(
        sa.select(Message).where(
            Message.state.in_((MessageState.BOUNCED, MessageState.FAILED)),
            Message.due_at >= now - _LOOK_BACK,
            Message.customer_id.is_not(None),
        )
    ).all()
    read = set(
        session.scalars(
            sa.select(ReturnedMail.message_id).where(
                ReturnedMail.message_id.in_([message.id for message in rows])
            )
        )
    )
    # What a machine read was judged by its status already: a full mailbox is not dead.
    dead = [m for m in rows if m.id not in read and _is_dead(m)]
    found = 0
    for message in dead:
        # Asked once: whoever lifts the block afterwards is not overruled the next morning.
        if _ask(session, message, now, again=False):
            _give_up_address(session, ctx, message, "system", now)
            found += 1
    return found


def _is_dead(message: Message) -> bool:
    return message.state is MessageState.BOUNCED or is_dead(message.last_reply)


def give_up(
    session: Session, message: Message, *, evidence_id: int, by: str, now: datetime
) -> None:
    """Use the address of a message no more, and ask staff for another one."""
    suppress_hash(
        session,
        message.customer_id,
        message.recipient_hash,
        by=by,
        now=now,
        evidence_id=evidence_id,
    )
    _ask(session, message, now, again=True)


def _give_up_address(
    session: Session, ctx: Context, message: Message, by: str, now: datetime
) -> None:
    body = session.get(MessageBody, message.id)
    if body is not None and body.recipient:
        suppress_address(session, ctx, message.customer_id, body.recipient, by=by, now=now)


def _ask(session: Session, message: Message, now: datetime, *, again: bool) -> bool:
    """Make the task, one for a person and address; ``again`` opens one that was closed."""
    if message.customer_id is None:
        return False
    subject = f"customer:{message.customer_id}:{message.recipient_hash[:16]}"
    known = session.scalar(
        sa.select(StaffTask).where(StaffTask.kind == ASK_ADDRESS, StaffTask.subject == subject)
    )
    if known is None:
        detail = {"customer": message.customer_id, "message": message.id}
        made = StaffTask(kind=ASK_ADDRESS, subject=subject, detail=detail, created_at=now)
        session.add(made)
        session.flush()
        return True
    if again and known.done_at is not None:
        known.done_at, known.done_by, known.done_word, known.created_at = None, "", "", now
    return False
