"""Lets mails of the mode ``timed`` go when nobody has looked at them for some business hours."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.plan_run import shop_days
from worker.pipeline.render_check import recheck
from worker.pipeline.review_approval import bind_approval
from worker.pipeline.review_verdict import incomplete, refusal
from worker.pipeline.stops import stop_over
from worker.rules.review_modes import rule_for
from worker.rules.states import Actor, MessageState, ReviewMode
from worker.rules.timing import Days, add_business_hours
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.moves import apply_move


def release_timed(session: Session, ctx: Context, now: datetime, limit: int = 200) -> list[str]:
    """Approve what is due, unread, without a flag and unchanged; gives the message ids."""
    days = shop_days(ctx, now)
    released = []
    for message in _unread(session, now, limit):
        if message.flags or message.edited or not _is_over(session, ctx, message, days, now):
            continue
        if _approve(session, ctx, message, now):
            released.append(message.id)
    session.flush()
    return released


def _unread(session: Session, now: datetime, limit: int) -> list[Message]:
    return list(
        session.scalars(
            select(Message)
            .where(
                Message.state == MessageState.IN_REVIEW,
                Message.due_at <= now,
                Message.mode == ReviewMode.TIMED,
            )
            .order_by(Message.due_at, Message.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def _is_over(session: Session, ctx: Context, message: Message, days: Days, now: datetime) -> bool:
    submitted = session.scalar(
        select(func.max(MessageEvent.at)).where(
            MessageEvent.message_id == message.id,
            MessageEvent.to_state == MessageState.IN_REVIEW,
        )
    )
    review = ctx.documents.review
    rule = rule_for(review, message.kind, message.rank, message.family)
    if submitted is None or rule.mode is not ReviewMode.TIMED:
        return False
    opens, closes = review.business_hours
    return add_business_hours(submitted, rule.timed_business_hours, days, opens, closes) <= now


def _approve(session: Session, ctx: Context, message: Message, now: datetime) -> bool:
    body = session.get(MessageBody, message.id)
    if body is None or incomplete(body) or refusal(session, ctx, message):
        return False
    if stop_over(session, message.channel_id, message.kind) is not None:
        return False
    if recheck(session, ctx, message.id, now).changed:
        return False
    undo = ctx.documents.review.undo_seconds
    bind_approval(message, body, by="timed", now=now, undo_seconds=undo)
    apply_move(session, message, "auto_approve", Actor.SYSTEM, "system", {"mode": "timed"}, now)
    return True
