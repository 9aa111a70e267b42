"""Mails that were held for a code at the shop are written once it is confirmed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.render import render_message
from worker.rules.states import Flag, MailKind, MessageState
from worker.store.messages import Message
from worker.store.reward_sources import UNTOLD, CouponMaking
from worker.store.rewards import CouponCode
from worker.store.text_queries import TELLABLE


def untold(session: Session) -> list[int]:
    """Codes that were confirmed, and whose mails nobody has looked at since."""
    return list(session.scalars(sa.select(CouponMaking.code_id).where(*UNTOLD)))


def waiting_mails(session: Session) -> list[str]:
    """Held mails whose code may be there now; a milestone's code is its grant's, not its own."""
    mine = sa.select(CouponCode.id).where(
        CouponCode.message_id == Message.id, CouponCode.state.in_(TELLABLE)
    )
    rows = session.scalars(
        sa.select(Message.id)
        .where(
            Message.state == MessageState.ON_HOLD,
            Message.hold_reason == Flag.COUPON_PENDING.value,
            sa.or_(Message.kind == MailKind.MILESTONE, mine.exists()),
        )
        .order_by(Message.id)
    )
    return list(rows)


def write_mails(session: Session, ctx: Context, message_ids: list[str], now: datetime) -> int:
    """Write them anew; one whose code is still being made stays held. Gives how many left."""
    states = [render_message(session, ctx, each, now).state for each in message_ids]
    return sum(state is not MessageState.ON_HOLD for state in states)


def mark_told(session: Session, code_ids: list[int], now: datetime) -> None:
    """All mails that waited when we looked were looked at."""
    session.execute(
        sa.update(CouponMaking).where(CouponMaking.code_id.in_(code_ids)).values(told_at=now)
    )
