"""Declares pools whose codes are made live: by command, or in ``milestones.toml``."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson
from connectors.registry import coupon_kinds, makes_coupons
from worker.pipeline.context import Context
from worker.pipeline.coupons import PoolRefused, staff_task
from worker.rules.live_coupons import LiveCoupon, problems_of
from worker.store.channels import Channel
from worker.store.reward_sources import CouponSourceRow, source_of
from worker.store.rewards import CouponCode, CouponPool

FILE = "milestones.toml"


def declare_live(
    session: Session, ctx: Context, name: str, coupon: LiveCoupon, now: datetime
) -> CouponSourceRow:
    """Declare a live pool, or change its terms for codes not made yet; a paused one goes on.

    Raises PoolRefused in words: wrong terms, a channel that cannot make codes, a pool that holds
    other codes, or one that the shop's document declares.
    """
    if name in ctx.documents.milestones.coupons:
        raise PoolRefused(
            f"{FILE}: coupons.{name}: このプールは設定ファイルで宣言されています。"
            "そちらを変えてください / declared in the file: change it there."
        )
    for setting, text in problems_of(name, coupon):
        raise PoolRefused(f"{setting or name}: {text}")
    return _written(session, name, coupon, now, from_documents=False)


def follow_documents(session: Session, ctx: Context, now: datetime) -> None:
    """Let the pools that ``milestones.toml`` declares be as it says.

    What cannot be done (no such channel, a pool that holds other codes) pauses that pool, with
    file and setting in its words; the others go on.
    """
    for name, coupon in ctx.documents.milestones.coupons.items():
        try:
            _written(session, name, coupon, now, from_documents=True)
        except PoolRefused as refused:
            _unusable(session, name, coupon, f"{_place(name)}{refused}", now)


def _place(name: str) -> str:
    return f"{FILE}: coupons.{name}."


def resume(session: Session, name: str, now: datetime) -> None:
    """Let a paused pool go on, at once. Raises PoolRefused for a pool that is not live."""
    pool = session.scalar(sa.select(CouponPool).where(CouponPool.name == name))
    source = source_of(session, pool.id) if pool is not None else None
    if source is None:
        raise PoolRefused(
            f"{name!r} はショップで作るクーポンではありません / "
            f"{name!r} is no pool whose codes are made live."
        )
    _go_on(source, now)
    session.flush()


def _go_on(source: CouponSourceRow, now: datetime) -> None:
    source.paused, source.problem, source.failures = False, "", 0
    source.next_try_at, source.changed_at = None, now


def _written(
    session: Session, name: str, coupon: LiveCoupon, now: datetime, *, from_documents: bool
) -> CouponSourceRow:
    channel = _maker(session, coupon.channel)
    pool = session.scalar(sa.select(CouponPool).where(CouponPool.name == name))
    if pool is None:
        pool = CouponPool(name=name, value=0, created_at=now)
        session.add(pool)
        session.flush()
    source = source_of(session, pool.id)
    if source is None:
        _refuse_other_codes(session, pool)
        source = CouponSourceRow(pool_id=pool.id, valid_days=0, changed_at=now)
        session.add(source)
    elif pool.channel_id not in (None, channel.id) and _has_codes(session, pool):
        raise PoolRefused(
            "channel: コードが別のチャネルで作られています。別の名前にしてください / "
            "its codes were made in another channel: choose another name."
        )
    wanted = _wanted(coupon, from_documents=from_documents)
    changed = any(getattr(source, key) != value for key, value in wanted.items())
    told = (channel.id, coupon.value, coupon.minimum, coupon.targets)
    changed |= told != (pool.channel_id, pool.value, pool.minimum, pool.targets)
    pool.channel_id, pool.value, pool.minimum, pool.targets = told
    for key, value in wanted.items():
        setattr(source, key, value)
    if changed or not from_documents or source.problem.startswith(_place(name)):
        _go_on(source, now)
    session.flush()
    return source


def _wanted(coupon: LiveCoupon, *, from_documents: bool) -> dict[str, object]:
    return {
        "percent": coupon.percent or None,
        "valid_days": coupon.valid_days,
        "title": coupon.title,
        "bound": coupon.bound,
        "from_documents": from_documents,
    }


def _maker(session: Session, name: str) -> Channel:
    channel = session.scalar(sa.select(Channel).where(Channel.name == name))
    if channel is None:
        raise PoolRefused(
            f"channel: チャネル {name!r} がありません / there is no channel {name!r}: "
            "`okaeri channels list`."
        )
    try:
        able = makes_coupons(channel.kind)
    except NeedsPerson as problem:
        raise PoolRefused(f"channel: {problem}") from problem
    if not able:
        raise PoolRefused(
            f"channel: {name} ({channel.kind}) ではコードを作れません / cannot make codes. "
            f"使える種類 / kinds that can: {', '.join(coupon_kinds())}."
        )
    return channel


def _refuse_other_codes(session: Session, pool: CouponPool) -> None:
    if pool.shared_code is not None or _has_codes(session, pool):
        raise PoolRefused(
            "channel: このプールには別のコードが入っています。別の名前にしてください / "
            "the pool holds other codes: choose another name."
        )


def _has_codes(session: Session, pool: CouponPool) -> bool:
    codes = sa.select(CouponCode.id).where(CouponCode.pool_id == pool.id).limit(1)
    return session.scalar(codes) is not None


def _unusable(session: Session, name: str, coupon: LiveCoupon, words: str, now: datetime) -> None:
    """Keep the words where people look; a pool that holds other codes goes on giving them out."""
    pool = session.scalar(sa.select(CouponPool).where(CouponPool.name == name))
    source = source_of(session, pool.id) if pool is not None else None
    if source is None and pool is not None:
        detail = {"pool": name, "why": words, "words_ja": words, "words_en": words}
        staff_task(session, "coupon_undeclared", f"pool:{name}", detail, now)
        return
    if source is None:
        pool = CouponPool(name=name, value=coupon.value, minimum=coupon.minimum, created_at=now)
        session.add(pool)
        session.flush()
        wanted = _wanted(coupon, from_documents=True)
        source = CouponSourceRow(pool_id=pool.id, changed_at=now, **wanted)
        session.add(source)
    if source.problem != words:
        source.paused, source.problem, source.changed_at = True, words, now
    session.flush()
