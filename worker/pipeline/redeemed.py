"""Coupons read back: a code that stands in an order was used."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.coupons import code_hash, staff_task
from worker.rules.states import CouponState, GrantState
from worker.store.reach_queries import chunks
from worker.store.reward_queries import RewardOrder
from worker.store.reward_sources import making_of
from worker.store.rewards import CouponCode, CouponPool, Grant

_BETWEEN = re.compile(r"[,、;\s]+")


def note_used(session: Session, ctx: Context, orders: Sequence[RewardOrder], now: datetime) -> int:
    """Mark the codes these orders were paid with as used, and their grants; gives how many."""
    hashes = {
        code_hash(ctx, code)
        for order in orders
        if order.coupon_code and order.counting
        for code in codes_in(order.coupon_code)
    }
    codes = [
        code
        for part in chunks(sorted(hashes))
        for code in session.scalars(
            sa.select(CouponCode)
            .where(CouponCode.code_hash.in_(part), CouponCode.state != CouponState.USED)
            .order_by(CouponCode.id)
        )
    ]
    for code in codes:
        mark_used(session, code, now)
        _use_grant(session, code, now)
    return len(codes)


def codes_in(written: str) -> list[str]:
    """The codes an order names: shops join several with a comma, and write them in any case.

    The text as a whole is one of them too, should a code hold such a sign itself.
    """
    plain = unicodedata.normalize("NFKC", written).strip()
    parts = [part for part in _BETWEEN.split(plain) if part]
    return list(dict.fromkeys([plain, *parts])) if plain else []


def mark_used(session: Session, code: CouponCode, now: datetime) -> None:
    """The customer has used the code; one that was taken back before is told to staff."""
    making = making_of(session, code.id)
    if code.state is CouponState.VOID:
        pool = session.get_one(CouponPool, code.pool_id)
        detail = {"pool": pool.name, "last4": code.last4, **_words(code)}
        staff_task(session, "voided_coupon_used", f"coupon:{code.id}", detail, now)
    if making is not None and (making.confirmed_at is not None or making.end_wanted_at):
        making.due_at = None  # what was used needs no ending
    code.state, code.changed_at = CouponState.USED, now


def _words(code: CouponCode) -> dict[str, str]:
    return {
        "words_ja": f"取り消したはずのクーポン(末尾 {code.last4})が使われました。"
        "そのご注文の値引きを認めるか、お客様へのご連絡が必要かを決めてください。",
        "words_en": f"The withdrawn coupon ending in {code.last4} was used. Decide whether that "
        "order keeps its discount, or whether the customer must be asked.",
    }


def _use_grant(session: Session, code: CouponCode, now: datetime) -> None:
    grant = session.get(Grant, code.grant_id) if code.grant_id is not None else None
    if grant is not None and grant.coupon_id == code.id:
        grant.state, grant.changed_at = GrantState.USED, now
        grant.reason = {"code": "coupon_used"}


def note_used_at_shop(session: Session, code: CouponCode, now: datetime) -> None:
    """The shop itself says that the code was used, whatever the orders tell."""
    if code.state is CouponState.USED:
        return
    held = code.state in (CouponState.RESERVED, CouponState.ISSUED)
    mark_used(session, code, now)
    if held:
        _use_grant(session, code, now)
