"""The step that settles milestone rewards: reserved, earned at dispatch, taken back, once only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.coupons import (
    PoolRefused,
    PoolReport,
    load_pool,
    load_shared,
    take_coupon,
    warn_of_ends,
)
from worker.pipeline.coupons_declared import follow_documents
from worker.pipeline.coupons_level import PoolLevel, pool_levels
from worker.pipeline.parcel import Parcel
from worker.pipeline.redeemed import note_used
from worker.pipeline.vault import reveal
from worker.rules.gifts import gift_allowed
from worker.rules.milestones import first_milestone, milestones_up_to, plan_of, reward_of
from worker.rules.shop import Milestones, Reward
from worker.rules.states import Certainty, GrantState
from worker.store.channels import Channel
from worker.store.orders import OrderRow
from worker.store.reward_queries import (
    RewardOrder,
    grants_of,
    kept_customers,
    lock_customers,
    milestone_starts,
    orders_of,
)
from worker.store.rewards import Grant
from worker.store.running import Audit
from worker.store.standing_queries import groups

__all__ = [
    "GrantRefused",
    "PoolLevel",
    "PoolRefused",
    "PoolReport",
    "RewardResult",
    "decide_grant",
    "load_pool",
    "load_shared",
    "pool_levels",
    "reveal",
    "settle_rewards",
    "take_coupon",
    "waiting_grants",
]

_G = GrantState
_LIVE = frozenset({_G.RESERVED, _G.EARNED, _G.USED})
_AGAIN = frozenset({_G.RELEASED, _G.VOIDED})
"""The only states that let the same milestone be rewarded anew."""
_CHUNK = 1000


class GrantRefused(ValueError):
    """A decision that the grant no longer waits for."""


@dataclass
class RewardResult:
    """How many grants moved where."""

    reserved: int = 0
    earned: int = 0
    used: int = 0
    released: int = 0
    voided: int = 0
    before_start: int = 0
    to_decide: int = 0

    def count(self, state: GrantState) -> None:
        """Count one grant that reached ``state``."""
        setattr(self, state.value, getattr(self, state.value, 0) + 1)


def settle_rewards(
    session: Session,
    ctx: Context,
    now: datetime,
    customer_ids: Collection[int] | None = None,
    order_ids: Collection[int] | None = None,
) -> RewardResult:
    """Bring the grants of these customers (or of these orders' customers) to where they belong.

    Existing grants follow their orders first; then every milestone reached without a grant gets
    one. A grant of anybody in the merged group, resting on an order of theirs, or made for a
    scope that shares a channel, blocks a second one for the same number (P7).
    """
    wanted = set(customer_ids or ())
    if order_ids:
        wanted |= _customers_of(session, order_ids)
    result = RewardResult()
    warn_of_ends(session, now)
    follow_documents(session, ctx, now)
    kept = kept_customers(session, wanted)
    for start in range(0, len(kept), _CHUNK):
        _Settling(session, ctx, now, kept[start : start + _CHUNK], result).run()
    session.flush()
    return result


def _customers_of(session: Session, order_ids: Collection[int]) -> set[int]:
    rows = session.scalars(sa.select(OrderRow.customer_id).where(OrderRow.id.in_(list(order_ids))))
    return {each for each in rows if each is not None}


def _scope_channels(session: Session, ctx: Context) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for channel in session.execute(sa.select(Channel.id, Channel.name, Channel.family)):
        scope = ctx.documents.shop.scope_of(channel.name, channel.family)
        found.setdefault(scope, set()).add(channel.id)
    return found


def _least(milestones: Milestones) -> int:
    plans = [milestones.default, *milestones.scopes.values()]
    firsts = [first for plan in plans if (first := first_milestone(plan)) is not None]
    return min(firsts, default=1 << 30)


class _Settling:
    """One set of customers, read once."""

    def __init__(
        self, session: Session, ctx: Context, now: datetime, kept: list[int], result: RewardResult
    ) -> None:
        self.session, self.ctx, self.now, self.result = session, ctx, now, result
        self.unsure = lock_customers(session, kept)
        self.root = groups(session, kept)
        self.scopes = _scope_channels(session, ctx)
        self.starts = milestone_starts(session)
        self.parcel = Parcel(session, ctx, now)
        self.grants = list(grants_of(session, self.root))
        rests_on = {grant.order_id for grant in self.grants if grant.order_id is not None}
        least = _least(ctx.documents.milestones)
        self.orders = orders_of(session, self.root, least, rests_on)

    def run(self) -> None:
        if not self.orders and not self.grants:
            return
        self.result.used += note_used(self.session, self.ctx, self.orders, self.now)
        by_id = {order.id: order for order in self.orders}
        for grant in self.grants:
            self._follow(grant, by_id.get(grant.order_id or 0))
        people = self._people()
        for person, (grants, orders) in people.items():
            self._release_doubles(grants)
            for scope in sorted({o.scope for o in orders if o.scope and o.visit}):
                mine = [o for o in orders if o.scope == scope and o.visit]
                self._reach(person, scope, mine, grants)

    def _people(self) -> dict[int, tuple[list[Grant], list[RewardOrder]]]:
        """Grants and orders by person; a grant on another's order concerns both."""
        owner = {order.id: self.root.get(order.customer_id) for order in self.orders}
        people: dict[int, tuple[list[Grant], list[RewardOrder]]] = {}
        for order in self.orders:
            person = owner[order.id]
            if person is not None:
                people.setdefault(person, ([], []))[1].append(order)
        for grant in self.grants:
            both = {self.root.get(grant.customer_id), owner.get(grant.order_id or 0)}
            for person in both - {None}:
                assert person is not None
                people.setdefault(person, ([], []))[0].append(grant)
        return people

    # --- grants that exist ---

    def _follow(self, grant: Grant, order: RewardOrder | None) -> None:
        if grant.state is _G.RESERVED:
            self._follow_reserved(grant, order)
        elif grant.state is _G.EARNED and (order is None or not order.counting):
            self._take_back(grant)

    def _follow_reserved(self, grant: Grant, order: RewardOrder | None) -> None:
        if order is None or not order.counting:
            self._release(grant, "order_gone")
        elif order.visit is None or order.visit < grant.milestone:
            self._release(grant, "renumbered")
        elif order.dispatched:
            self._earn(grant)
        else:
            self.parcel.retry(grant, self._reward(grant), order.id)

    def _reward(self, grant: Grant) -> Reward | None:
        plan = plan_of(self.ctx.documents.milestones, grant.scope)
        return reward_of(plan, grant.milestone)

    def _set(self, grant: Grant, state: GrantState, code: str) -> None:
        kept = {"coupon": grant.reason["coupon"]} if "coupon" in (grant.reason or {}) else {}
        grant.state, grant.changed_at = state, self.now
        # Why the card went without a code must still be known when the parcel has left.
        grant.reason = {"code": code, **(kept if state is _G.EARNED else {})}
        self.result.count(state)

    def _release(self, grant: Grant, code: str) -> None:
        self.parcel.withdraw(grant, code)
        self._set(grant, _G.RELEASED, code)

    def _earn(self, grant: Grant) -> None:
        self._set(grant, _G.EARNED, "dispatched")
        grant.earned_at = self.now
        if not self.parcel.issue(grant, self._reward(grant)):
            grant.reason = {"code": "pool_empty"}

    def _take_back(self, grant: Grant) -> None:
        """The order came back after dispatch: an unused code dies, a thing given stays given."""
        back = self.parcel.recover(grant)
        if back is None:
            grant.reason = {**grant.reason, "code": "coupon_ending"}
        elif back:
            self._set(grant, _G.VOIDED, "order_returned")
        elif grant.reason.get("code") != "kept_after_return":
            grant.reason = {**grant.reason, "code": "kept_after_return"}
            grant.changed_at = self.now

    def _release_doubles(self, grants: Sequence[Grant]) -> None:
        """Two records of one person were merged: what is not yet given is given once."""
        first: list[Grant] = []
        live = [grant for grant in grants if grant.state in _LIVE]
        for grant in sorted(live, key=lambda g: (g.state is _G.RESERVED, g.id)):
            if any(_same(grant, other) for other in first) and grant.state is _G.RESERVED:
                self._release(grant, "same_person")
            else:
                first.append(grant)

    # --- milestones without a grant ---

    def _reach(
        self, person: int, scope: str, orders: list[RewardOrder], grants: list[Grant]
    ) -> None:
        plan = plan_of(self.ctx.documents.milestones, scope)
        channels = self.scopes.get(scope, set())
        for number in milestones_up_to(plan, max(order.visit or 0 for order in orders)):
            if any(_blocks(grant, scope, number, channels) for grant in grants):
                continue
            at = next(order for order in orders if (order.visit or 0) >= number)
            start = self.starts.get(at.channel_id)
            if start is None:
                continue
            verdict = self._verdict(person, number, at, start, reward_of(plan, number))
            if verdict is not None:
                grants.append(self._grant(person, scope, number, at, verdict))

    def _verdict(
        self, person: int, number: int, at: RewardOrder, start: datetime, reward: Reward | None
    ) -> tuple[GrantState, str] | None:
        """Where a new grant begins, and why; None: the order is not that far yet."""
        if at.ordered_at < start:
            return _G.BEFORE_START, "before_start"
        if at.visit != number:
            # Opening counts lead past the milestone: it was reached before our history.
            return _G.BEFORE_START, "before_history"
        if not (at.ready or (at.counting and at.dispatched)):
            return None
        if at.certainty is Certainty.UNCERTAIN or self.unsure.get(person, False):
            return _G.TO_DECIDE, "uncertain"
        if at.dispatched:
            needs_parcel = reward is not None and (reward.card or reward.sample)
            return (_G.TO_DECIDE, "missed") if needs_parcel else (_G.EARNED, "dispatched")
        sample_value = reward.sample_value if reward is not None and reward.sample else 0
        if not gift_allowed(sample_value, at.goods_value):
            return _G.TO_DECIDE, "gift_limit"
        return _G.RESERVED, "ready_to_pack"

    def _grant(
        self,
        person: int,
        scope: str,
        number: int,
        at: RewardOrder,
        verdict: tuple[GrantState, str],
    ) -> Grant:
        state, code = verdict
        grant = self._row(person, scope, number)
        grant.channel_ids = sorted(self.scopes.get(scope, set()))
        grant.order_id = at.id
        grant.reserved_at = self.now if state is _G.RESERVED else None
        grant.earned_at = None
        self._set(grant, state, code)
        self.session.flush()
        reward = self._reward(grant)
        if state is _G.RESERVED:
            self.parcel.put_in(grant, reward, at.id, sample=True)
        elif state is _G.EARNED:
            grant.earned_at = self.now
            self.parcel.issue(grant, reward)
        return grant

    def _row(self, person: int, scope: str, number: int) -> Grant:
        for grant in self.grants:
            if (grant.customer_id, grant.scope, grant.milestone) == (person, scope, number):
                grant.coupon_id = None
                return grant
        reward = reward_of(plan_of(self.ctx.documents.milestones, scope), number)
        grant = Grant(
            customer_id=person, scope=scope, milestone=number, reward=self.parcel.name(reward)
        )
        self.session.add(grant)
        self.grants.append(grant)
        return grant

    # --- a person's decision ---

    def give(self, grant: Grant) -> None:
        """Give a reward that waited: in the newest parcel still here, else by mail alone."""
        at = [
            order
            for order in self.orders
            if order.scope == grant.scope and order.ready and (order.visit or 0) >= grant.milestone
        ]
        reward = self._reward(grant)
        if not at:
            grant.earned_at = self.now
            self._set(grant, _G.EARNED, "given_by_staff")
            self.parcel.issue(grant, reward)
            return
        grant.order_id, grant.reserved_at = at[-1].id, self.now
        self._set(grant, _G.RESERVED, "given_by_staff")
        allowed = reward is None or gift_allowed(reward.sample_value, at[-1].goods_value)
        self.parcel.put_in(grant, reward, at[-1].id, sample=allowed)


def _same(one: Grant, other: Grant) -> bool:
    return one.milestone == other.milestone and (
        one.scope == other.scope or bool(set(one.channel_ids) & set(other.channel_ids))
    )


def _blocks(grant: Grant, scope: str, number: int, channels: set[int]) -> bool:
    return (
        grant.milestone == number
        and grant.state not in _AGAIN
        and (grant.scope == scope or bool(channels & set(grant.channel_ids)))
    )


def decide_grant(
    session: Session, ctx: Context, grant_id: int, *, give: bool, by: str, now: datetime
) -> Grant:
    """Give or leave a reward that waits for a person. Raises GrantRefused when it does not wait."""
    grant = session.get(Grant, grant_id, with_for_update=True)
    if grant is None or grant.state is not _G.TO_DECIDE:
        raise GrantRefused("This reward does not wait for a decision any more.")
    result = RewardResult()
    if give:
        _Settling(session, ctx, now, kept_customers(session, [grant.customer_id]), result).give(
            grant
        )
    else:
        grant.state, grant.changed_at = _G.DECLINED, now
        grant.reason = {**grant.reason, "declined_by": by}
    detail = {"grant": grant.id, "give": give, "result": asdict(result)}
    session.add(
        Audit(at=now, by=by, action="decide_grant", subject=f"grant:{grant.id}", detail=detail)
    )
    session.flush()
    return grant


def waiting_grants(session: Session, states: Iterable[GrantState] = (_G.TO_DECIDE,)) -> list[Grant]:
    """Rewards that wait for a person, the oldest first."""
    chosen = sa.select(Grant).where(Grant.state.in_(list(states)))
    return list(session.scalars(chosen.order_by(Grant.changed_at, Grant.id)))
