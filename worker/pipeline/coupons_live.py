"""Codes made when they are needed: promised here, made at the shop later, ended there again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.mail.coupons import new_code
from worker.pipeline.context import Context
from worker.pipeline.vault import seal
from worker.rules.keys import keyed_hash
from worker.rules.states import CouponState
from worker.store.reward_sources import CouponMaking, CouponSourceRow, making_of, source_of
from worker.store.rewards import CouponCode, CouponPool

_S = CouponState


@dataclass(frozen=True, slots=True)
class Worth:
    """What a coupon gives, in minor units of the ledger currency; amount or percentage."""

    amount: int | None
    percent: int | None
    minimum: int


def code_hash(ctx: Context, code: str) -> str:
    """The hash by which a redeemed code is found again."""
    return keyed_hash(ctx.key, "coupon", code.strip().upper())


def promise_code(
    session: Session,
    ctx: Context,
    pool_id: int,
    *,
    grant_id: int | None,
    message_id: str | None,
    now: datetime,
    tries: int = 0,
) -> CouponCode:
    """Write a new code down as ``pending``; the next sweep has the shop make it."""
    clear = new_code()
    code = CouponCode(
        pool_id=pool_id,
        code_hash=code_hash(ctx, clear),
        cipher=seal(ctx, clear),
        last4=clear[-4:],
        state=_S.PENDING,
        grant_id=grant_id,
        message_id=message_id,
        changed_at=now,
    )
    session.add(code)
    session.flush()
    session.add(CouponMaking(code_id=code.id, pool_id=pool_id, due_at=now, tries=tries))
    session.flush()
    return code


def worth_of(session: Session, pool: CouponPool, code: CouponCode | None) -> Worth:
    """What this code gives: as the shop was asked for it, else as the pool says now."""
    making = making_of(session, code.id) if code is not None else None
    if making is not None and making.terms:
        return told_worth(making.terms)
    return pool_worth(pool, source_of(session, pool.id))


def told_worth(terms: dict[str, Any]) -> Worth:
    """What the stored terms of a code say."""
    return Worth(terms["amount"], terms["percent"], terms["minimum"])


def pool_worth(pool: CouponPool, source: CouponSourceRow | None) -> Worth:
    """What a new code of the pool gives."""
    percent = source.percent if source is not None else None
    return Worth(None if percent else pool.value, percent, pool.minimum)


def end_live(code: CouponCode, making: CouponMaking, now: datetime) -> None:
    """Tell nobody of the code from here on; if the shop may have made it, it is to be ended."""
    if code.state is _S.VOID:
        return
    code.state, code.changed_at = _S.VOID, now
    _want_end(making, now)


def ask_back(code: CouponCode, making: CouponMaking, now: datetime) -> bool | None:
    """Take a code back that lies with a customer: whether it is dead; None: the shop is asked.

    Only the shop knows whether it was used a minute ago.
    """
    if code.state is _S.USED:
        return False
    if code.state is _S.VOID:
        return True
    if not making.reference:
        end_live(code, making, now)
        return True
    if code.state is not _S.ENDING:
        code.state, code.changed_at = _S.ENDING, now
        _want_end(making, now)
    return None


def _want_end(making: CouponMaking, now: datetime) -> None:
    if not making.reference:
        making.due_at = None  # no shop has ever heard of it
        return
    making.end_wanted_at = now
    # A job that is still running is waited for: what does not exist yet cannot be ended.
    making.due_at = making.due_at or now
