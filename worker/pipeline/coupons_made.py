"""What is asked of a shop for the codes of a live pool, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.coupons import CouponTerms, Made, MadeCoupon
from worker.pipeline.context import Context
from worker.pipeline.coupons import staff_task
from worker.pipeline.coupons_live import pool_worth, promise_code, told_worth
from worker.pipeline.redeemed import note_used_at_shop
from worker.pipeline.vault import reveal
from worker.rules.live_coupons import end_of_validity, wait_seconds
from worker.rules.states import CouponState, GrantState
from worker.store.customers import Customer
from worker.store.reward_queries import lock_customers
from worker.store.reward_sources import (
    CouponMaking,
    CouponSourceRow,
    Holder,
    Work,
    batch_of,
    customer_of,
    due_work,
    holder_of,
    lock_work,
)
from worker.store.rewards import CouponCode, CouponPool, Grant

BATCH = 50
"""Codes asked for in one call."""
MOST = 200
"""Codes looked after in one go."""
TAKEN = "taken"
_MANY_TRIES = 5
"""So many new codes in a row for one holder are all taken: something else is wrong."""
_JOB = timedelta(seconds=15)
_AGAIN = timedelta(minutes=1)
_S = CouponState


@dataclass(frozen=True, slots=True)
class Batch:
    """One question to the shop: make these codes, or tell of the job ``token`` that makes them."""

    code_ids: tuple[int, ...]
    codes: tuple[str, ...]
    terms: CouponTerms
    token: str = ""


def prepare(session: Session, ctx: Context, pool_id: int, binds: str, now: datetime) -> list[Batch]:
    """Give codes that no shop has heard of their batch and terms, and say what is to be asked.

    Commit to the disk before the first call: after a crash in between the same is asked again
    under the same reference, and the shop makes nothing twice.
    """
    pool = session.get_one(CouponPool, pool_id)
    source = session.get_one(CouponSourceRow, pool_id)
    open_work = [w for w in due_work(session, pool_id, now, MOST) if w.making.confirmed_at is None]
    fresh = [w for w in open_work if not w.making.reference]
    for group in _groups(source, fresh):
        _name(ctx, pool, source, group, now)
    session.flush()
    references = list(dict.fromkeys(w.making.reference for w in open_work))
    found = [batch_of(session, pool_id, reference) for reference in references]
    return [_batch(session, ctx, pool, source, works, binds) for works in found if works]


def _groups(source: CouponSourceRow, fresh: list[Work]) -> list[list[Work]]:
    """Codes for one buyer are asked for one by one, those for anybody in bulk.

    Also where a buyer's key is not known: a code made alone can be ended alone.
    """
    if source.bound:
        return [[work] for work in fresh]
    return [fresh[start : start + BATCH] for start in range(0, len(fresh), BATCH)]


def _holder(
    session: Session, pool: CouponPool, source: CouponSourceRow, code: CouponCode
) -> Holder:
    if not source.bound or pool.channel_id is None:
        return Holder()
    return holder_of(session, code, pool.channel_id)


def _name(
    ctx: Context, pool: CouponPool, source: CouponSourceRow, group: list[Work], now: datetime
) -> None:
    worth = pool_worth(pool, source)
    terms = {
        "title": source.title or pool.name,
        "amount": worth.amount,
        "percent": worth.percent,
        "minimum": worth.minimum,
    }
    ends = end_of_validity(now, source.valid_days, ctx.zone)
    for work in group:
        work.making.reference = f"okaeri-{pool.id}-{group[0].code.id}"
        work.making.starts_at, work.making.terms = now, terms
        work.code.expires_at = ends


def _batch(
    session: Session,
    ctx: Context,
    pool: CouponPool,
    source: CouponSourceRow,
    works: list[Work],
    binds: str,
) -> Batch:
    code, making = works[0]
    assert making.starts_at is not None
    assert code.expires_at is not None
    worth = told_worth(making.terms)
    key = getattr(_holder(session, pool, source, code), binds) if len(works) == 1 else None
    terms = CouponTerms(
        reference=making.reference,
        title=making.terms["title"],
        currency=ctx.documents.shop.counting.currency,
        starts_at=making.starts_at,
        # The shops take the last second that is good, ours is the first that is not.
        ends_at=code.expires_at - timedelta(seconds=1),
        amount=worth.amount,
        percent=worth.percent,
        minimum=worth.minimum or None,
        **({binds: key} if key else {}),
    )
    tokens = {work.making.token for work in works} - {""}
    return Batch(
        tuple(work.code.id for work in works),
        tuple(reveal(ctx, work.code) for work in works),
        terms,
        min(tokens, default=""),
    )


# --- answers --------------------------------------------------------------------------------


def record(session: Session, ctx: Context, batch: Batch, made: Made, now: datetime) -> int:
    """Take an answer over: confirmed codes may be told, refused ones are replaced.

    Codes in no part of it are asked about again: with the job's token where there is one. Gives
    how many were confirmed.
    """
    _lock_people(session, batch.code_ids)
    confirmed = {_key(one.code): one for one in made.confirmed}
    refused = {_key(code): reason for code, reason in made.refused}
    count = 0
    for work in lock_work(session, batch.code_ids):
        if work.making.confirmed_at is not None or work.making.due_at is None:
            continue  # another worker was faster
        key = _key(reveal(ctx, work.code))
        if key in confirmed:
            _confirm(session, work, confirmed[key], now)
            count += 1
        elif key in refused:
            _refuse(session, ctx, work, refused[key], now)
        else:
            work.making.token = made.pending or ""
            work.making.due_at = now + (_JOB if made.pending else _AGAIN)
    session.flush()
    return count


def _key(code: str) -> str:
    return code.strip().upper()


def _confirm(session: Session, work: Work, made: MadeCoupon, now: datetime) -> None:
    code, making = work
    making.confirmed_at, making.source_id, making.token = now, made.source_id, ""
    if code.state is _S.PENDING:
        grant = session.get(Grant, code.grant_id) if code.grant_id is not None else None
        earned = grant is not None and grant.state in (GrantState.EARNED, GrantState.USED)
        code.state, code.changed_at = (_S.ISSUED if earned else _S.RESERVED), now
        making.due_at = None
    elif code.state in (_S.VOID, _S.ENDING):
        # Nobody waits for it any more, but now it exists.
        making.told_at = now
        making.end_wanted_at = making.end_wanted_at or now
        making.due_at = now
    else:
        making.due_at = None


def _refuse(session: Session, ctx: Context, work: Work, reason: str, now: datetime) -> None:
    code, making = work
    waited, ending = code.state is _S.PENDING, code.state is _S.ENDING
    code.state, code.changed_at = _S.VOID, now
    making.due_at, making.token = None, ""
    if ending:
        _settle_anew(session, code)
    if not waited:
        return
    if reason != TAKEN or making.tries + 1 >= _MANY_TRIES:
        _tell_refusal(session, code, reason, now)
    fresh = promise_code(
        session, ctx, code.pool_id, grant_id=code.grant_id, message_id=code.message_id,
        now=now, tries=making.tries + 1,
    )  # fmt: skip
    grant = session.get(Grant, code.grant_id) if code.grant_id is not None else None
    if grant is not None and grant.coupon_id == code.id:
        grant.coupon_id = fresh.id


def _tell_refusal(session: Session, code: CouponCode, reason: str, now: datetime) -> None:
    """The next code would be refused alike: the pool waits for a person."""
    source = session.get_one(CouponSourceRow, code.pool_id)
    pool = session.get_one(CouponPool, code.pool_id)
    source.paused, source.changed_at = True, now
    japanese = (
        f"ショップがコードを断りました({reason})。プール {pool.name} の条件を確かめ、"
        f"okaeri coupons resume {pool.name} で再開してください。"
    )
    english = (
        f"The shop refused a code ({reason}). Check the terms of the pool {pool.name}, then go on "
        f"with okaeri coupons resume {pool.name}."
    )
    source.problem = f"{japanese} {english}"
    detail = {"pool": pool.name, "last4": code.last4, "why": reason}
    words = {"words_ja": japanese, "words_en": english}
    staff_task(session, "coupon_refused", f"coupon:{code.id}", detail | words, now)


# --- ending ---------------------------------------------------------------------------------


def endings(
    session: Session, ctx: Context, pool_id: int, now: datetime
) -> list[tuple[int, MadeCoupon]]:
    """Codes that exist at the shop and are to be ended there."""
    return [
        (code.id, MadeCoupon(reveal(ctx, code), making.source_id))
        for code, making in due_work(session, pool_id, now, MOST)
        if making.end_wanted_at is not None and making.confirmed_at is not None
    ]


def record_end(session: Session, code_id: int, *, used: bool, ended: bool, now: datetime) -> None:
    """Take over what the shop says: used before, ended, or to be ended there by a person."""
    _lock_people(session, [code_id])
    ((code, making),) = lock_work(session, [code_id])
    if making.due_at is None or making.end_wanted_at is None:
        return
    was_ending = code.state is _S.ENDING
    if used:
        note_used_at_shop(session, code, now)
    else:
        code.state, code.changed_at = _S.VOID, now
        if not ended:
            _tell_unended(session, code, making, now)
    making.ended_at, making.due_at = now, None
    if was_ending:
        _settle_anew(session, code)
    session.flush()


def _tell_unended(session: Session, code: CouponCode, making: CouponMaking, now: datetime) -> None:
    pool = session.get_one(CouponPool, code.pool_id)
    detail = {
        "pool": pool.name, "last4": code.last4, "why": "cannot_end",
        "at_shop": making.source_id,
        "words_ja": f"末尾 {code.last4} のクーポン(プール {pool.name}、ショップでの番号 "
        f"{making.source_id})はまだ使えます。ショップの管理画面で削除してください。",
        "words_en": f"The coupon ending in {code.last4} (pool {pool.name}, number "
        f"{making.source_id} at the shop) can still be used. Delete it in the shop's own screen.",
    }  # fmt: skip
    staff_task(session, "void_coupon", f"coupon:{code.id}", detail, now)


def _lock_people(session: Session, code_ids: Sequence[int]) -> None:
    """Settling locks people before their codes: who waits for an answer is locked first here too.

    The other way round the two would stop each other.
    """
    asked = sa.select(CouponCode).where(
        CouponCode.id.in_(list(code_ids)), CouponCode.state == _S.ENDING
    )
    people = {customer_of(session, code) for code in session.scalars(asked)}
    lock_customers(session, sorted(person for person in people if person is not None))


def _settle_anew(session: Session, code: CouponCode) -> None:
    """The reward waits for this answer: the next ranking settles its customer."""
    customer = customer_of(session, code)
    if customer is not None:
        session.execute(sa.update(Customer).where(Customer.id == customer).values(rank_due=True))


# --- uses -----------------------------------------------------------------------------------


def record_looks(
    session: Session, code_ids: Sequence[int], used: frozenset[int], now: datetime
) -> None:
    """Note that the shop was asked about these codes, and which it has seen used."""
    for code, making in lock_work(session, code_ids):
        making.asked_at = now
        if code.id in used:
            note_used_at_shop(session, code, now)
    session.flush()


# --- the shop itself ------------------------------------------------------------------------


def note_well(session: Session, pool_id: int) -> None:
    """The shop answered: what disturbed before is over. A pause stays a person's."""
    source = session.get_one(CouponSourceRow, pool_id, with_for_update=True)
    if not source.paused and (source.failures or source.problem):
        source.failures, source.problem, source.next_try_at = 0, "", None


def note_later(session: Session, pool_id: int, problem: TryLater, now: datetime) -> None:
    """The shop is busy or down: leave it alone for longer each time, or as long as it asks."""
    source = session.get_one(CouponSourceRow, pool_id, with_for_update=True)
    source.failures += 1
    source.problem, source.changed_at = str(problem), now
    wait = wait_seconds(source.failures, problem.retry_after)
    source.next_try_at = now + timedelta(seconds=wait)
    if source.failures >= _MANY_TRIES:
        _forget_jobs(session, pool_id)


def _forget_jobs(session: Session, pool_id: int) -> None:
    """A job the shop does not know any more: asking for its codes anew makes nothing twice."""
    session.execute(
        sa.update(CouponMaking)
        .where(CouponMaking.pool_id == pool_id, CouponMaking.token != "")
        .values(token="")
    )


def note_person(session: Session, pool_id: int, problem: NeedsPerson, now: datetime) -> None:
    """Nothing gets better by waiting: the pool is paused until a person lets it go on."""
    source = session.get_one(CouponSourceRow, pool_id, with_for_update=True)
    source.paused, source.changed_at = True, now
    source.problem = f"{problem.problem} {problem.remedy}"


def note_fault(session: Session, pool_id: int, error: Exception, now: datetime) -> None:
    """A fault of ours; its text may hold a buyer's words and stays in the log of the task."""
    told = f"内部エラー / internal error ({type(error).__name__})"
    note_later(session, pool_id, TryLater(told), now)
