"""Sends a mail again: a new message that names the old one, judged and read like every other."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_actions import body_of, load
from worker.pipeline.review_verdict import refusal
from worker.pipeline.review_words import Refused
from worker.rules.states import OUT, WAITING, Actor, MessageState, Outcome, ReviewMode
from worker.store.messages import Message, MessageBody, MessageEvent, Occasion
from worker.store.orders import OrderRow
from worker.store.ulids import new_ulid

_OPEN = WAITING | {MessageState.SENDING, MessageState.UNCONFIRMED}
_COPIED = (
    *("kind", "step", "channel_id", "family", "scope", "customer_id", "locale"),
    *("advertising", "rank", "visit_number", "announced", "text_key", "text_version", "release"),
    *("edited", "facts_hash", "recipient_hash"),
)


def send_again(
    session: Session,
    ctx: Context,
    message_id: str,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    judge: bool = True,
) -> Message:
    """Make a new message with the words of one that is out or failed; a person must read it.

    Policy, suppression and consent are asked anew, here and again at approval and inside the
    claim; ``judge`` False leaves all that to those two. Raises Refused where the old one is neither
    out nor failed, such a repetition already waits, its orders were cancelled, or it may not go.
    """
    old = load(session, message_id, None)
    if old.state not in OUT | {MessageState.FAILED}:
        raise Refused("not_out")
    waiting = select(Message.id).where(Message.again_of == message_id, Message.state.in_(_OPEN))
    if session.scalar(waiting.limit(1)) is not None:
        raise Refused("again_waiting")
    body = body_of(session, old)
    carried = _carried(session, old)
    if judge:
        _raise_where_unfit(session, ctx, old, carried)
    new = _copy_message(old, new_ulid(now), now)
    session.add(new)
    session.flush()
    session.add(_copy_body(body, new.id))
    session.add_all(_occasions(session, carried, new, by, now))
    session.add(_event(old, new, by, reason, now))
    session.flush()
    return new


def _raise_where_unfit(
    session: Session, ctx: Context, old: Message, carried: list[Occasion]
) -> None:
    if old.customer_id is None:
        raise Refused("not_for_one")
    if _orders_gone(session, carried):
        raise Refused("order_gone")
    if (code := refusal(session, ctx, old)) is not None:
        raise Refused(code)


def _orders_gone(session: Session, carried: list[Occasion]) -> bool:
    """Whether the occasions were of orders, and every one of those is cancelled now (P6)."""
    ids = {one.order_id for one in carried if one.order_id is not None}
    if not ids:
        return False
    living = select(OrderRow.id).where(OrderRow.id.in_(ids), OrderRow.life != "cancelled")
    return session.scalar(living.limit(1)) is None


def _carried(session: Session, message: Message) -> list[Occasion]:
    """What the mail was for; a repetition has occasions of its own that say the same."""
    return list(
        session.scalars(
            select(Occasion)
            .where(Occasion.message_id == message.id, Occasion.outcome == Outcome.MESSAGE)
            .order_by(Occasion.id)
        )
    )


def _copy_message(old: Message, new_id: str, now: datetime) -> Message:
    values = {name: getattr(old, name) for name in _COPIED}
    return Message(
        id=new_id,
        state=MessageState.IN_REVIEW,
        # However much the kind is trusted: what was sent once already is read by a person.
        mode=ReviewMode.REVIEW,
        again_of=old.id,
        # What the words rest on goes along: a change since then is found like any other.
        why={**old.why, "again_of": old.id},
        flags=list(old.flags),
        due_at=now,
        created_at=now,
        **values,
    )


def _copy_body(body: MessageBody, new_id: str) -> MessageBody:
    plain = dict(body.plain) or {"subject": body.subject, "text": body.text, "html": body.html}
    return MessageBody(
        message_id=new_id,
        sender=body.sender,
        reply_to=body.reply_to,
        recipient=body.recipient,
        subject=body.subject,
        text=body.text,
        html=body.html,
        values=dict(body.values),
        plain=plain,
    )


def _occasions(
    session: Session, carried: list[Occasion], new: Message, by: str, now: datetime
) -> list[Occasion]:
    """One for each of the old ones, in a step of its own: the once-only rule stays whole."""
    return [
        Occasion(
            kind=one.kind,
            step=_next_step(session, one),
            subject=one.subject,
            channel_id=one.channel_id,
            order_id=one.order_id,
            customer_id=one.customer_id,
            outcome=Outcome.MESSAGE,
            reason={"code": "sent_again", "by": by},
            message_id=new.id,
            due_at=now,
            created_at=now,
            changed_at=now,
        )
        for one in carried
    ]


def _next_step(session: Session, one: Occasion) -> str:
    """``2~again1``: the first repetition of the second step."""
    first = one.step.partition("~")[0]
    repeated = session.scalar(
        select(func.count()).where(
            Occasion.kind == one.kind,
            Occasion.subject == one.subject,
            Occasion.step.startswith(f"{first}~again", autoescape=True),
        )
    )
    return f"{first}~again{(repeated or 0) + 1}"


def _event(old: Message, new: Message, by: str, reason: str, now: datetime) -> MessageEvent:
    return MessageEvent(
        message_id=new.id,
        at=now,
        move="send_again",
        to_state=new.state,
        actor=Actor.STAFF,
        by=by,
        reason={"again_of": old.id, "words": reason},
    )
