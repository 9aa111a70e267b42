"""Takes the ledger forward: identify, rank, rewards, plan, in this order, until nothing is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from sqlalchemy.orm import Session

from worker import log
from worker.minting import mint_due
from worker.pipeline.context import Context
from worker.pipeline.identify import identify
from worker.pipeline.plan import plan
from worker.pipeline.rank import rank
from worker.pipeline.render import render_due
from worker.pipeline.rewards import settle_rewards
from worker.runtime import Runtime

_log = log.get("advance")
_ADVANCE_SECONDS = 900.0
Step = Callable[[Session, Context, datetime], bool]


@dataclass(frozen=True)
class Advanced:
    """What one advance did; ``busy``: another process holds the lease and does it instead."""

    rounds: int = 0
    busy: bool = False
    finished: bool = True


def _identify(session: Session, context: Context, now: datetime) -> bool:
    result = identify(session, context, now)
    return bool(result.seen)


def _rank(session: Session, context: Context, now: datetime) -> bool:
    result = rank(session, context, now)
    settle_rewards(session, context, now, customer_ids=result.customer_ids)
    return bool(result.customer_ids)


def _plan(session: Session, context: Context, now: datetime) -> bool:
    result = plan(session, context, now)
    return bool(result.orders or result.customers)


_STEPS: tuple[tuple[str, Step], ...] = (("identify", _identify), ("rank", _rank), ("plan", _plan))


def coupons(runtime: Runtime, now: datetime) -> int:
    """Have the shops make the codes that are due now; gives how many were confirmed.

    The service does it in a task of its own; without a broker it follows each step that may
    have promised a code.
    """
    return mint_due(runtime, now)


def advance(runtime: Runtime, now: datetime, *, budget_seconds: float = 480.0) -> Advanced:
    """Run the steps, each in short transactions of its own, until none finds anything due.

    No shop is asked for anything here: see ``coupons``.
    Stops at ``budget_seconds`` and says so; the next sweep goes on where it stopped, because
    what is due stands in the rows themselves.
    """
    started = monotonic()
    with runtime.hold("advance", _ADVANCE_SECONDS) as token:
        if token is None:
            return Advanced(busy=True, finished=False)
        context = runtime.context()
        rounds = 0
        for name, step in _STEPS:
            more = True
            while more:
                if monotonic() - started > budget_seconds:
                    _log.info("advance_paused", step=name, count=rounds)
                    return Advanced(rounds, finished=False)
                with runtime.transaction() as session:
                    more = step(session, context, now)
                rounds += 1
    return Advanced(rounds)


def render(runtime: Runtime, now: datetime, *, budget_seconds: float = 300.0) -> int:
    """Render what is due for review, in batches; gives the number of messages touched."""
    started = monotonic()
    touched = 0
    with runtime.hold("render", _ADVANCE_SECONDS) as token:
        if token is None:
            return 0
        context = runtime.context()
        while monotonic() - started < budget_seconds:
            with runtime.transaction() as session:
                count = render_due(session, context, now).rendered
            touched += count
            if not count:
                break
    return touched
