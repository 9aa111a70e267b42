"""How full the pools are, what disturbs them, and how many cards carry their codes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.gifts import SharedStage, shared_stage
from worker.rules.milestones import reward_pool
from worker.rules.states import CouponState
from worker.store.reward_sources import CouponSourceRow, live_pools, waiting_codes
from worker.store.rewards import CouponCode, CouponPool, Grant, PackingItem

_S = CouponState
FAILING = 3
"""So many failures in a row, and a shop that makes codes live is spoken of."""


@dataclass(frozen=True, slots=True)
class PoolLevel:
    """How full a pool is; ``low`` asks for new codes."""

    name: str
    left: int | None
    """None: a shared code is never used up."""
    low: bool
    """Few codes are left, or the shared coupon ends within three weeks."""
    expires_at: datetime | None
    shared: bool = False
    printed: int = 0
    """Cards that carry a code of this pool, taken out ones not counted."""
    stopped: bool = False
    """A shared coupon so near its end that cards go out without it; a live pool that is paused."""
    live: bool = False
    """Its codes are made at the shop when they are needed."""
    waiting: int = 0
    """Codes that are promised and not yet confirmed by the shop."""
    problem: str = ""
    """What stops or disturbs a live pool, in words."""


def pool_levels(session: Session, now: datetime) -> list[PoolLevel]:
    """Every pool: what is left in it, the cards that carry it, and whether it ends soon."""
    good = sa.and_(
        CouponCode.pool_id == CouponPool.id,
        CouponCode.state == _S.AVAILABLE,
        sa.or_(CouponCode.expires_at.is_(None), CouponCode.expires_at > now),
    )
    rows = session.execute(
        sa.select(CouponPool, sa.func.count(CouponCode.id))
        .outerjoin(CouponCode, good)
        .group_by(CouponPool.id)
        .order_by(CouponPool.name)
    ).all()
    printed, waiting = _printed(session), waiting_codes(session)
    sources = {pool.id: source for pool, source in live_pools(session)}
    found = []
    for pool, left in rows:
        cards, source = printed.get(pool.name, 0), sources.get(pool.id)
        if source is None:
            found.append(_level(pool, left, cards, now))
        else:
            found.append(_live_level(pool, source, cards, waiting.get(pool.id, 0)))
    return found


def failing(source: CouponSourceRow) -> bool:
    """Whether a live pool needs somebody's eyes: it waits for a person, or keeps failing."""
    return source.paused or source.failures >= FAILING


def _live_level(pool: CouponPool, source: CouponSourceRow, printed: int, waiting: int) -> PoolLevel:
    return PoolLevel(
        pool.name,
        left=None,
        low=failing(source),
        expires_at=None,
        printed=printed,
        stopped=source.paused,
        live=True,
        waiting=waiting,
        problem=source.problem,
    )


def _level(pool: CouponPool, left: int, printed: int, now: datetime) -> PoolLevel:
    if pool.shared_code is None:
        low = left <= pool.low_water
        return PoolLevel(pool.name, left, low, pool.expires_at, printed=printed)
    stage = shared_stage(pool.expires_at, now)
    return PoolLevel(
        pool.name,
        left=None,
        low=stage is not SharedStage.GOOD,
        expires_at=pool.expires_at,
        shared=True,
        printed=printed,
        stopped=stage is SharedStage.STOPPED,
    )


def _printed(session: Session) -> Counter[str]:
    """Cards in parcels by the pool that their code came from."""
    rows = session.execute(
        sa.select(Grant.reward, sa.func.count(PackingItem.id))
        .join(Grant, Grant.id == PackingItem.grant_id)
        .where(PackingItem.item.like("card%"), PackingItem.withdrawn_at.is_(None))
        .group_by(Grant.reward)
    )
    found: Counter[str] = Counter()
    for reward, count in rows:
        found[reward_pool(reward)] += count
    return found
