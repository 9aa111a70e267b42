"""Coupon pools: taken in from a file, given out one code at a time, never put back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.coupons import PoolCode, PoolError, read_pool
from worker.pipeline.context import Context
from worker.pipeline.coupons_live import ask_back, code_hash, end_live, promise_code
from worker.pipeline.vault import seal
from worker.rules.gifts import STOP_DAYS, WARN_DAYS, SharedStage, redeemable, shared_stage
from worker.rules.live_coupons import LONGEST_NAME
from worker.rules.states import CouponState
from worker.store.channels import Channel
from worker.store.reward_sources import making_of, source_of
from worker.store.rewards import CouponCode, CouponPool, StaffTask

__all__ = [
    "PoolRefused",
    "PoolReport",
    "code_hash",
    "load_codes",
    "load_pool",
    "load_shared",
    "pool_for",
    "recover_coupon",
    "staff_task",
    "take_coupon",
    "void_coupon",
    "warn_of_ends",
]

_S = CouponState
_HELD = (_S.PENDING, _S.RESERVED, _S.ISSUED, _S.ENDING)


class PoolRefused(ValueError):
    """The pool or its file cannot be used; the message says what to change.

    ``code`` names the refusal for whoever has words of their own for it; it may be empty.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class PoolReport:
    """What a file brought: codes added, codes known before, lines that are no code."""

    added: int
    known: int
    wrong: int
    errors: tuple[str, ...] = ()
    lines: tuple[PoolError, ...] = ()
    """The same, for words of the desk."""


def load_pool(
    session: Session,
    ctx: Context,
    name: str,
    path: Path,
    *,
    value: int,
    minimum: int = 0,
    targets: str = "",
    expires_on: date | None = None,
    channel: str | None = None,
    now: datetime,
) -> PoolReport:
    """Take the codes of a file into a pool, which is made on first use.

    ``value`` and ``minimum`` are yen, ``expires_on`` the last valid shop-local day. A code that
    the pool holds already, in whatever state, is left as it is. A file with one bad line adds
    nothing. Raises PoolRefused for an unknown channel, an unreadable file, or a pool that is
    redeemed elsewhere or holds a shared code.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PoolRefused(f"{path} cannot be read as a list of codes: {error}") from error
    return load_codes(
        session, ctx, name, content, value=value, minimum=minimum, targets=targets,
        expires_on=expires_on, channel=channel, now=now,
    )  # fmt: skip


def load_codes(
    session: Session,
    ctx: Context,
    name: str,
    content: bytes,
    *,
    value: int,
    minimum: int = 0,
    targets: str = "",
    expires_on: date | None = None,
    channel: str | None = None,
    now: datetime,
) -> PoolReport:
    """``load_pool`` for a file's content in UTF-8."""
    try:
        found = read_pool(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise PoolRefused(f"It cannot be read as a list of codes: {error}", "unreadable") from error
    if found.errors:
        errors = tuple(f"line {each.line}: {each.reason}" for each in found.errors)
        return PoolReport(0, 0, len(errors), errors, found.errors)
    pool = _pool(session, name, channel, now)
    session.flush()
    if pool.shared_code is not None:
        raise PoolRefused(
            f"The pool {name!r} holds one shared code: choose another name.", "shared"
        )
    _refuse_live(session, pool)
    pool.value, pool.minimum, pool.targets = value, minimum, targets
    pool.expires_at = _end_of(expires_on, ctx)
    session.flush()
    fresh = _unknown(session, ctx, pool.id, found.codes)
    session.add_all(_code(ctx, pool.id, digest, code, now) for digest, code in fresh.items())
    session.flush()
    return PoolReport(len(fresh), len(found.codes) - len(fresh), 0)


def load_shared(
    session: Session,
    ctx: Context,
    name: str,
    code: str,
    *,
    value: int,
    minimum: int = 0,
    targets: str = "",
    expires_on: date | None,
    channel: str | None,
    now: datetime,
) -> CouponPool:
    """Enter a marketplace's shared coupon: one code for everybody, until a day, in one channel.

    Entered again it is renewed: the new code and end replace the old. Raises PoolRefused without
    channel or end, and where the pool holds single codes or is redeemed elsewhere.
    """
    code = code.strip()
    if not code or channel is None or expires_on is None:
        raise PoolRefused("A shared coupon needs its code, its channel and its last day.", "terms")
    pool = _pool(session, name, channel, now)
    session.flush()
    _refuse_live(session, pool)
    single = sa.select(CouponCode.id).where(CouponCode.pool_id == pool.id).limit(1)
    if session.scalar(single) is not None:
        raise PoolRefused(f"The pool {name!r} holds single codes: choose another name.", "single")
    pool.value, pool.minimum, pool.targets = value, minimum, targets
    pool.shared_code, pool.expires_at = code, _end_of(expires_on, ctx)
    session.flush()
    return pool


def _refuse_live(session: Session, pool: CouponPool) -> None:
    if source_of(session, pool.id) is not None:
        raise PoolRefused(
            f"The codes of {pool.name!r} are made at the shop: choose another name.", "live"
        )


def _pool(session: Session, name: str, channel: str | None, now: datetime) -> CouponPool:
    if not 0 < len(name) <= LONGEST_NAME:
        raise PoolRefused(f"A pool's name has 1 to {LONGEST_NAME} letters.", "name")
    channel_id = None
    if channel is not None:
        channel_id = session.scalar(sa.select(Channel.id).where(Channel.name == channel))
        if channel_id is None:
            raise PoolRefused(
                f"There is no channel {channel!r}: codes are redeemed in one.", "channel"
            )
    pool = session.scalar(sa.select(CouponPool).where(CouponPool.name == name))
    if pool is None:
        pool = CouponPool(name=name, value=0, created_at=now)
        session.add(pool)
    if channel_id is not None:
        if pool.channel_id not in (None, channel_id):
            raise PoolRefused(f"The pool {name!r} is redeemed in another channel.", "elsewhere")
        pool.channel_id = channel_id
    return pool


def _end_of(day: date | None, ctx: Context) -> datetime | None:
    return None if day is None else datetime.combine(day + timedelta(days=1), time(), ctx.zone)


def _unknown(
    session: Session, ctx: Context, pool_id: int, codes: tuple[PoolCode, ...]
) -> dict[str, PoolCode]:
    hashed = {code_hash(ctx, code.code): code for code in codes}
    held = session.scalars(sa.select(CouponCode.code_hash).where(CouponCode.pool_id == pool_id))
    for digest in held:
        hashed.pop(digest, None)
    return hashed


def _code(ctx: Context, pool_id: int, digest: str, code: PoolCode, now: datetime) -> CouponCode:
    return CouponCode(
        pool_id=pool_id,
        code_hash=digest,
        cipher=seal(ctx, code.code),
        last4=code.code[-4:],
        state=_S.AVAILABLE,
        expires_at=_end_of(code.expires_on, ctx),
        changed_at=now,
    )


def pool_for(
    session: Session, name: str, channel_id: int, scope_channels: Collection[int]
) -> CouponPool | None:
    """The named pool, if its codes may be shown to a buyer of this channel; else None."""
    pool = session.scalar(sa.select(CouponPool).where(CouponPool.name == name))
    if pool is None:
        return None
    ids = [each for each in (channel_id, pool.channel_id) if each is not None]
    rows = session.execute(sa.select(Channel.id, Channel.family).where(Channel.id.in_(ids)))
    found = {row.id: (row.id, row.family) for row in rows}
    redeemed = found[pool.channel_id] if pool.channel_id is not None else None
    fits = channel_id in found and redeemable(redeemed, found[channel_id], scope_channels)
    return pool if fits else None


def warn_of_ends(session: Session, now: datetime) -> None:
    """Ask staff, once for each end, to renew shared coupons that end within three weeks."""
    soon = sa.select(CouponPool).where(
        CouponPool.shared_code.is_not(None), CouponPool.expires_at < now + timedelta(WARN_DAYS + 1)
    )
    for pool in session.scalars(soon):
        if shared_stage(pool.expires_at, now) is not SharedStage.GOOD and pool.expires_at:
            end = (pool.expires_at - timedelta(minutes=1)).isoformat()
            subject = f"pool:{pool.name}:{end}"
            detail = {"pool": pool.name, "last_minute": end, "stops_days_before": STOP_DAYS}
            staff_task(session, "coupon_ending", subject, detail, now)


def take_coupon(
    session: Session,
    ctx: Context,
    pool: str,
    *,
    grant_id: int | None = None,
    message_id: str | None = None,
    now: datetime,
) -> CouponCode | None:
    """Reserve a code for a grant or a message; None where the pool is empty or over.

    Of a live pool the code may be ``pending``: it is told to nobody before the shop confirmed it.
    Asked again for the same grant or message it gives the same code: card and mail carry one.
    Two workers never get one code: rows locked elsewhere are passed over, and the state is
    changed only where it still says available. A code once taken never returns to the pool.
    """
    if grant_id is None and message_id is None:
        raise ValueError("a coupon is taken for a grant or for a message")
    row = session.scalar(sa.select(CouponPool).where(CouponPool.name == pool))
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    mine = CouponCode.grant_id == grant_id if grant_id else CouponCode.message_id == message_id
    held: CouponCode | None = session.scalar(
        sa.select(CouponCode)
        .where(CouponCode.pool_id == row.id, mine, CouponCode.state.in_(_HELD))
        .order_by(CouponCode.id)
        .limit(1)
        # A mail that will hold for a pending code must be on hold before it is confirmed.
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if held is not None:
        return held
    if source_of(session, row.id) is not None:
        return promise_code(session, ctx, row.id, grant_id=grant_id, message_id=message_id, now=now)
    while True:
        code: CouponCode | None = session.scalar(_next_code(row.id, now))
        if code is None:
            return None
        if _claim(session, code.id, grant_id, message_id, now):
            session.refresh(code)
            return code


def _next_code(pool_id: int, now: datetime) -> sa.Select[Any]:
    return (
        sa.select(CouponCode)
        .where(
            CouponCode.pool_id == pool_id,
            CouponCode.state == _S.AVAILABLE,
            sa.or_(CouponCode.expires_at.is_(None), CouponCode.expires_at > now),
        )
        .order_by(CouponCode.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def _claim(
    session: Session, code_id: int, grant_id: int | None, message_id: str | None, now: datetime
) -> bool:
    taken = session.execute(
        sa.update(CouponCode)
        .where(CouponCode.id == code_id, CouponCode.state == _S.AVAILABLE)
        .values(state=_S.RESERVED, grant_id=grant_id, message_id=message_id, changed_at=now)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(taken, "rowcount", 0)) == 1


def void_coupon(session: Session, code: CouponCode, why: str, now: datetime) -> bool:
    """Take a code out of use; False where it was used already.

    Our pool forgets it, but the shop that redeems it does not: a live code is ended there by the
    next sweep; for others a task asks staff to delete it, naming the last four letters only.
    """
    if code.state is _S.USED:
        return False
    making = making_of(session, code.id)
    if making is not None:
        end_live(code, making, now)
        return True
    if code.state is not _S.VOID:
        code.state, code.changed_at = _S.VOID, now
        pool = session.get_one(CouponPool, code.pool_id)
        detail = {"pool": pool.name, "last4": code.last4, "why": why}
        staff_task(session, "void_coupon", f"coupon:{code.id}", detail, now)
    return True


def recover_coupon(session: Session, code: CouponCode, why: str, now: datetime) -> bool | None:
    """Take back a code that lies with a customer: whether it is dead, or was used before.

    None: its shop is being asked, and the next look knows.
    """
    making = making_of(session, code.id)
    if making is not None:
        return ask_back(code, making, now)
    return void_coupon(session, code, why, now)


def staff_task(
    session: Session, kind: str, subject: str, detail: dict[str, Any], now: datetime
) -> None:
    """Ask staff for something only a person can do; the same thing is asked once."""
    known = sa.select(StaffTask.id).where(StaffTask.kind == kind, StaffTask.subject == subject)
    if session.scalar(known) is None:
        session.add(StaffTask(kind=kind, subject=subject, detail=detail, created_at=now))
        session.flush()
