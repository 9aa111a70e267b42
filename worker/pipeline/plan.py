"""Plans mails: every due order and person is judged, and waiting mails follow what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.plan_apply import Board, apply_planned
from worker.pipeline.plan_orders import judge_orders
from worker.pipeline.plan_people import judge_people, silence_rules
from worker.pipeline.plan_personal import PersonalRefused, write_personal
from worker.pipeline.plan_run import Planned, Run, open_run
from worker.pipeline.plan_window import WindowCount, count_if_active_from
from worker.pipeline.render import refresh
from worker.rules.occasions import RECORDED_DAYS
from worker.rules.outcome_words import outcome_words
from worker.rules.states import Outcome
from worker.store.occasion_queries import (
    clear_due,
    due_customers,
    due_orders,
    load_orders,
    messages_by_id,
    orders_to_look_at_again,
    recorded,
    take_turn,
    waiting_due,
    waiting_messages_of,
)
from worker.store.person_queries import dormant
from worker.store.running import DailyRun

__all__ = [
    "PersonalRefused",
    "PlanResult",
    "WindowCount",
    "count_if_active_from",
    "outcome_words",
    "plan",
    "write_personal",
]

_LOOK_BACK_DAYS = 60
_DORMANCY = "dormancy"


@dataclass
class PlanResult:
    """What a run did; ``outcomes`` counts judged occasions by the outcome's word."""

    orders: int = 0
    customers: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    made: int = 0
    ended: int = 0
    refreshed: int = 0


def plan(session: Session, ctx: Context, now: datetime, limit: int = 300) -> PlanResult:
    """Judge what is due, at most about ``limit`` orders and as many people; call again for more.

    The limit keeps one transaction short: on SQLite nobody else writes meanwhile.
    """
    take_turn(session)
    run = open_run(session, ctx, now)
    order_ids, customer_ids = due_orders(session, limit), due_customers(session, limit)
    waiting = waiting_due(session, now, limit)
    since = now - timedelta(days=_LOOK_BACK_DAYS)
    looked_at = {*order_ids, *(o for o, _c in waiting if o is not None)}
    looked_at |= set(orders_to_look_at_again(session, customer_ids, since))
    people = {*customer_ids, *(c for _o, c in waiting if c is not None), *_silent(run)}
    board = _judged(run, recorded(session, looked_at, _since(run)), people)
    clear_due(session, order_ids, customer_ids)
    refreshed = _follow(run, board, looked_at, people)
    return PlanResult(
        orders=len(order_ids),
        customers=len(customer_ids),
        outcomes=Counter({k: v for k, v in board.counts.items() if k not in ("made", "ended")}),
        made=board.counts["made"],
        ended=board.counts["ended"],
        refreshed=refreshed,
    )


def _since(run: Run) -> dict[int, datetime]:
    """From when the orders of each channel can have occasions at all (P8)."""
    begins: dict[int, datetime] = {}
    for (channel_id, _kind), at in run.active.items():
        begins[channel_id] = min(at, begins.get(channel_id, at))
    return {c: at - timedelta(days=RECORDED_DAYS) for c, at in begins.items()}


def _judged(run: Run, order_ids: Collection[int], people: Collection[int]) -> Board:
    orders = load_orders(run.session, order_ids)
    everybody = {*people, *(o.customer_id for o in orders if o.customer_id is not None)}
    of_people = judge_people(run, everybody)
    of_orders = judge_orders(run, orders, _mailed_milestones(of_people))
    return apply_planned(run, [*of_people, *of_orders])


def _mailed_milestones(planned: Sequence[Planned]) -> set[int]:
    """Orders whose follow-up gives way to a milestone mail."""
    return {
        p.order_id
        for p in planned
        if p.order_id is not None
        and p.kind.value == "milestone"
        and p.decision.outcome is Outcome.MESSAGE
    }


def _silent(run: Run) -> list[int]:
    """Who has fallen silent, looked up once a shop-local day; a restart does not repeat it."""
    today = run.setting.days.day(run.now)
    done = run.session.get(DailyRun, _DORMANCY)
    if done is not None and done.last_on >= today:
        return []
    rules = [rule for _via, found in silence_rules(run).values() for rule in found]
    if not rules:
        return []
    if done is None:
        run.session.add(DailyRun(name=_DORMANCY, last_on=today))
    else:
        done.last_on = today
    least = min((r.dormant_days for r in rules if r.dormant_days), default=1)
    most = max((r.give_up_days or 2 * r.dormant_days for r in rules), default=365)
    return dormant(run.session, list(silence_rules(run)), run.now, least, most)


def _follow(run: Run, board: Board, order_ids: Collection[int], people: Collection[int]) -> int:
    """Waiting mails that were rendered follow the facts they rest on (P6, P11)."""
    ids = waiting_messages_of(run.session, order_ids, people) | board.stale
    messages = messages_by_id(run.session, ids)
    return refresh(run.session, run.ctx, list(messages.values()), run.now)
