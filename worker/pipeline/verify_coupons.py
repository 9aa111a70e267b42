"""Checks that no mail on its way out tells a code that its shop has not confirmed or has ended."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.coupons_live import code_hash
from worker.rules.states import CouponState, MessageState
from worker.store.messages import Message, MessageBody
from worker.store.reach_queries import chunks
from worker.store.rewards import CouponCode

_LEAVING = (MessageState.APPROVED, MessageState.RETRY_WAIT, MessageState.SENDING)
_UNTOLD = (CouponState.PENDING, CouponState.ENDING, CouponState.VOID)


def told_too_early(session: Session, ctx: Context) -> list[str]:
    """Mails that are about to leave with such a code; dispatch would take their approval back."""
    rows = session.execute(
        select(Message.id, MessageBody.values)
        .join(MessageBody, MessageBody.message_id == Message.id)
        .where(Message.state.in_(_LEAVING))
    )
    mails: dict[str, list[str]] = {}
    for message_id, values in rows:
        code = (values or {}).get("coupon_code")
        if code:
            mails.setdefault(code_hash(ctx, str(code)), []).append(message_id)
    wrong: list[str] = []
    for part in chunks(sorted(mails)):
        found = session.scalars(
            select(CouponCode.code_hash).where(
                CouponCode.code_hash.in_(part), CouponCode.state.in_(_UNTOLD)
            )
        )
        wrong += [message_id for digest in found for message_id in mails[digest]]
    return sorted(wrong)
