"""The reward a mail carries: its code is reserved at the first rendering and stays the mail's."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from worker.mail.facts import CouponFacts
from worker.pipeline.context import Context
from worker.pipeline.coupons import pool_for, take_coupon
from worker.pipeline.coupons_live import worth_of
from worker.pipeline.vault import reveal
from worker.rules.milestones import plan_of, reward_of
from worker.rules.states import Flag, MailKind
from worker.store.rewards import CouponCode, CouponPool
from worker.store.text_queries import (
    TELLABLE,
    Material,
    grant_for,
    packed_sample,
    pool_named,
    reserved_coupon,
)


class PoolEmpty(LookupError):
    """No code is left, or the pool does not exist: the mail holds, it is not skipped.

    ``shown`` is what can be said of the coupon without its code.
    """

    flag = Flag.POOL_EMPTY

    def __init__(self, pool: str, shown: CouponFacts) -> None:
        super().__init__(f"coupon pool {pool!r} has no code left")
        self.pool, self.shown = pool, shown


class CouponPending(PoolEmpty):
    """The mail's code is promised, but its shop has not confirmed it: told to nobody yet."""

    flag = Flag.COUPON_PENDING


def pool_of(ctx: Context, material: Material) -> str:
    """The pool the mail's coupon comes from; empty: it carries none."""
    message, documents = material.message, ctx.documents
    if message.kind is MailKind.MILESTONE:
        plan = plan_of(documents.milestones, message.scope)
        reward = reward_of(plan, message.visit_number or 0)
        return reward.coupon_pool if reward else ""
    if message.kind is MailKind.WIN_BACK:
        rules = documents.mails.rules
        return next(
            (
                r.coupon_pool
                for r in rules
                if r.enabled and r.kind is message.kind and r.step == message.step
            ),
            "",
        )
    return ""


def coupon_for(
    session: Session, ctx: Context, material: Material, now: datetime, *, take: bool
) -> CouponFacts:
    """The coupon of this mail. Raises PoolEmpty where ``take`` asks for a code and none is left.

    A code made at the shop is only told once confirmed: until then ``take`` raises CouponPending.

    Codes of a pool that is redeemed in another channel are not this mail's to show: it goes
    without, and a text that speaks of a coupon holds.
    """
    name = pool_of(ctx, material)
    if not name:
        return CouponFacts()
    pool = pool_named(session, name)
    channel = material.channel.id
    if pool is not None and pool_for(session, name, channel, (channel,)) is None:
        return CouponFacts()
    grant_id = _grant_id(session, material)
    held = reserved_coupon(session, material.message.id, grant_id)
    if held is not None:
        mine = pool_for(session, held[1].name, channel, (channel,)) is not None
        return _facts(session, ctx, held[1], held[0]) if mine else CouponFacts()
    shown = _facts(session, ctx, pool, None) if pool else CouponFacts()
    if pool is not None and pool.shared_code and (not pool.expires_at or pool.expires_at > now):
        return shown
    if not take:
        return shown
    code = take_coupon(
        session,
        ctx,
        name,
        grant_id=grant_id,
        message_id=None if grant_id else material.message.id,
        now=now,
    )
    if code is None or pool is None:
        raise PoolEmpty(name, shown)
    if code.state not in TELLABLE:
        raise CouponPending(name, shown)
    return _facts(session, ctx, pool, code)


def _grant_id(session: Session, material: Material) -> int | None:
    message = material.message
    if message.kind is not MailKind.MILESTONE or message.customer_id is None:
        return None
    grant = grant_for(session, message.customer_id, message.scope, message.visit_number or 0)
    return grant.id if grant else None


def _facts(
    session: Session, ctx: Context, pool: CouponPool, code: CouponCode | None
) -> CouponFacts:
    worth = worth_of(session, pool, code)
    expiries = [at for at in (pool.expires_at, code.expires_at if code else None) if at]
    return CouponFacts(
        code=reveal(ctx, code) if code else pool.shared_code,
        amount=worth.amount,
        percent=worth.percent,
        currency=ctx.documents.shop.counting.currency,
        min_spend=worth.minimum,
        targets=pool.targets or None,
        expires_at=min(expiries, default=None),
    )


def sample_for(session: Session, material: Material) -> str | None:
    """The sample that lies in the parcel, once it was packed; only milestone mails name it."""
    if material.message.kind is not MailKind.MILESTONE:
        return None
    ids = [order.id for order in material.orders]
    return packed_sample(session, ids) if ids else None
