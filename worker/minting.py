"""Has the shops make, confirm and end coupon codes, outside any transaction, and asks for uses."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.coupons import CouponSource, MadeCoupon
from worker import log
from worker.documents import is_sample
from worker.live import channel_config, open_channel_coupons
from worker.pipeline import coupons_made, coupons_told
from worker.pipeline.coupons_declared import follow_documents
from worker.pipeline.vault import reveal
from worker.runtime import Runtime
from worker.sending import standing
from worker.store.channels import Channel
from worker.store.engine import writing
from worker.store.reach_queries import chunks
from worker.store.reward_sources import due_pools, live_pools, unasked
from worker.store.rewards import CouponPool

_log = log.get("minting")
_LEASE_SECONDS = 590.0
_ASKED_EVERY = timedelta(hours=20)
_ASKED_AT_ONCE = 100
_MAILS = 20
"""So many mails are written in one transaction."""


@dataclass(frozen=True)
class Minted:
    """What one pool's turn brought; ``busy``: another process does it."""

    confirmed: int = 0
    ended: int = 0
    busy: bool = False
    problem: str = ""


def mint_due(runtime: Runtime, now: datetime) -> int:
    """Look after every pool whose time has come, then write the mails that waited for codes.

    Gives how many codes were confirmed. A pool that fails is noted, and the others go on.
    """
    count = 0
    for pool_id in pools_due(runtime, now):
        # What went wrong is noted at the pool and logged; the next sweep tries again.
        with suppress(MintFailed):
            count += mint_pool(runtime, pool_id, now).confirmed
    tell_waiting(runtime, now)
    return count


def pools_due(runtime: Runtime, now: datetime) -> list[int]:
    """Pools at whose shop something is to be done; declared ones follow their document first."""
    context = runtime.context()
    if context.documents.milestones.coupons:
        with runtime.transaction() as session:
            follow_documents(session, context, now)
    with runtime.look() as session:
        return due_pools(session, now)


class MintFailed(RuntimeError):
    """A fault of ours at one pool; it is noted there."""


def mint_pool(runtime: Runtime, pool_id: int, now: datetime) -> Minted:
    """Make, confirm and end codes of one pool under its lease.

    Every answer is stored before the next question. Raises MintFailed for a fault of ours.
    """
    with runtime.hold(f"coupons:{pool_id}", _LEASE_SECONDS) as token:
        if token is None:
            return Minted(busy=True)
        if _locked(runtime, now):
            return Minted()
        try:
            source = _open(runtime, pool_id)
            done = _made(runtime, source, pool_id, now)
            ended = _ended(runtime, source, pool_id, now)
        except NeedsPerson as problem:
            with writing(runtime.durable) as session:
                coupons_made.note_person(session, pool_id, problem, now)
            _log.warning("coupons_need_person", lease=f"coupons:{pool_id}")
            return Minted(problem=str(problem))
        except TryLater as problem:
            with writing(runtime.durable) as session:
                coupons_made.note_later(session, pool_id, problem, now)
            return Minted(problem=str(problem))
        except Exception as error:
            with writing(runtime.durable) as session:
                coupons_made.note_fault(session, pool_id, error, now)
            _log.exception("coupons_failed", lease=f"coupons:{pool_id}")
            raise MintFailed(type(error).__name__) from error
        with writing(runtime.durable) as session:
            coupons_made.note_well(session, pool_id)
        return Minted(done, ended)


def _locked(runtime: Runtime, now: datetime) -> bool:
    """A restored or copied database makes no codes (P13), nor does the sample shop."""
    return bool(standing(runtime, now).lock) or is_sample(runtime.context().documents)


def _open(runtime: Runtime, pool_id: int) -> CouponSource:
    with runtime.look() as session:
        pool = session.get_one(CouponPool, pool_id)
        name = session.get_one(Channel, pool.channel_id).name
    return open_channel_coupons(runtime, channel_config(runtime, name))


def _made(runtime: Runtime, source: CouponSource, pool_id: int, now: datetime) -> int:
    context = runtime.context()
    with writing(runtime.durable) as session:
        batches = coupons_made.prepare(session, context, pool_id, source.BINDS, now)
    count = 0
    for batch in batches:
        made = source.confirm(batch.token) if batch.token else source.make(batch.codes, batch.terms)
        with writing(runtime.durable) as session:
            count += coupons_made.record(session, context, batch, made, now)
    return count


def _ended(runtime: Runtime, source: CouponSource, pool_id: int, now: datetime) -> int:
    with runtime.look() as session:
        wanted = coupons_made.endings(session, runtime.context(), pool_id, now)
    for code_id, made in wanted:
        used = source.used(made)
        ended = False if used else source.void(made)
        with writing(runtime.durable) as session:
            coupons_made.record_end(session, code_id, used=used, ended=ended, now=now)
    return len(wanted)


def tell_waiting(runtime: Runtime, now: datetime) -> int:
    """Write the mails that were held for codes which are confirmed now; gives how many left."""
    with runtime.look() as session:
        codes = coupons_told.untold(session)
        mails = coupons_told.waiting_mails(session) if codes else []
    if not codes:
        return 0
    context = runtime.context()
    count = 0
    for part in chunks(mails, _MAILS):
        with runtime.transaction() as session:
            count += coupons_told.write_mails(session, context, part, now)
    with runtime.transaction() as session:
        coupons_told.mark_told(session, codes, now)
    return count


def ask_used(runtime: Runtime, now: datetime) -> int:
    """Once a day ask the shops which codes were used: not every order tells. Gives how many."""
    if _nothing_live(runtime) or _locked(runtime, now):
        return 0
    count = 0
    with runtime.look() as session:
        pools = [pool.id for pool, row in live_pools(session) if not row.paused]
    for pool_id in pools:
        try:
            count += _asked(runtime, pool_id, now)
        except (NeedsPerson, TryLater) as problem:
            # The next daily round asks again; making codes tells on its own what is wrong.
            _log.info("uses_later", lease=f"coupons:{pool_id}", error_type=type(problem).__name__)
    return count


def _nothing_live(runtime: Runtime) -> bool:
    with runtime.look() as session:
        return not live_pools(session)


def _asked(runtime: Runtime, pool_id: int, now: datetime) -> int:
    context = runtime.context()
    with runtime.look() as session:
        works = unasked(session, pool_id, now - _ASKED_EVERY, now, _ASKED_AT_ONCE)
        made = {w.code.id: MadeCoupon(reveal(context, w.code), w.making.source_id) for w in works}
    if not made:
        return 0
    source = _open(runtime, pool_id)
    used = frozenset(code_id for code_id, one in made.items() if source.used(one))
    with runtime.transaction() as session:
        coupons_made.record_looks(session, list(made), used, now)
    return len(used)
