"""Coupons read back: a code that stands in an order was used."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.coupons import code_hash
from worker.rules.states import CouponState, GrantState
from worker.store.reward_queries import RewardOrder
from worker.store.rewards import CouponCode, Grant


def note_used(session: Session, ctx: Context, orders: Sequence[RewardOrder], now: datetime) -> int:
    """Mark the codes these orders were paid with as used, and their grants; gives how many."""
    hashes = [
        code_hash(ctx, order.coupon_code)
        for order in orders
        if order.coupon_code and order.counting
    ]
    if not hashes:
        return 0
    codes = session.scalars(
        sa.select(CouponCode).where(
            CouponCode.code_hash.in_(hashes), CouponCode.state != CouponState.USED
        )
    ).all()
    for code in codes:
        code.state, code.changed_at = CouponState.USED, now
        grant = session.get(Grant, code.grant_id) if code.grant_id is not None else None
        if grant is not None and grant.coupon_id == code.id:
            grant.state, grant.changed_at = GrantState.USED, now
            grant.reason = {"code": "coupon_used"}
    return len(codes)
