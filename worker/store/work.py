"""What is due, step by step: existence checks over the partial indexes, cheap at any size."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from worker.rules.states import MessageState, Outcome
from worker.store.customers import Customer, CustomerStanding
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.reward_sources import any_due


def pending(session: Session, now: datetime) -> dict[str, bool]:
    """Whether ``advance``, ``render``, ``dispatch`` and ``coupons`` have anything to do now."""
    due = or_(
        exists().where(OrderRow.identify_due),
        exists().where(OrderRow.plan_due),
        exists().where(Customer.rank_due),
        exists().where(Customer.plan_due),
        exists().where(CustomerStanding.next_change_at <= now),
        exists().where(Occasion.outcome == Outcome.WAITING, Occasion.due_at <= now),
    )
    render = exists().where(
        Message.state.in_((MessageState.SCHEDULED, MessageState.IN_REVIEW)),
        Message.review_at <= now,
    )
    dispatch = exists().where(
        or_(
            (Message.state == MessageState.APPROVED) & (Message.due_at <= now),
            (Message.state == MessageState.RETRY_WAIT) & (Message.next_attempt_at <= now),
        )
    )
    row = session.execute(select(due, render, dispatch, any_due(now))).one()
    return {
        "advance": bool(row[0]),
        "render": bool(row[1]),
        "dispatch": bool(row[2]),
        "coupons": bool(row[3]),
    }
