"""Which visit numbers earn a reward, and which reward."""

from __future__ import annotations

from collections.abc import Iterator

from worker.rules.shop import MilestonePlan, Milestones, Reward


def plan_of(milestones: Milestones, scope: str) -> MilestonePlan:
    """The scope's own plan, else the shop's default."""
    return milestones.scopes.get(scope, milestones.default)


def is_milestone(plan: MilestonePlan, number: int) -> bool:
    """Whether this visit number is a milestone (5, 10, then every 10 by default)."""
    if number in plan.numbers:
        return True
    last = max(plan.numbers, default=0)
    return plan.every > 0 and number > last and (number - last) % plan.every == 0


def first_milestone(plan: MilestonePlan) -> int | None:
    """The smallest milestone; None where the plan has none."""
    if plan.numbers:
        return min(plan.numbers)
    return plan.every or None


def milestones_up_to(plan: MilestonePlan, number: int) -> Iterator[int]:
    """Every milestone that a person with so many visits has reached, rising."""
    yield from sorted(n for n in plan.numbers if n <= number)
    if plan.every > 0:
        last = max(plan.numbers, default=0)
        yield from range(last + plan.every, number + 1, plan.every)


def reward_of(plan: MilestonePlan, number: int) -> Reward | None:
    """The reward of a milestone; None: wording only."""
    named = plan.rewards.get(str(number))
    return named if named is not None else _every(plan, number)


def _every(plan: MilestonePlan, number: int) -> Reward | None:
    return None if number in plan.numbers else plan.rewards.get("every")


def reward_name(reward: Reward | None) -> str:
    """Short stable words for the ledger: ``card+sample+coupon:pool``; empty: wording only."""
    if reward is None:
        return ""
    parts = [
        "card" if reward.card else "",
        "sample" if reward.sample else "",
        f"coupon:{reward.coupon_pool}" if reward.coupon_pool else "",
    ]
    return "+".join(part for part in parts if part)


def reward_pool(name: str) -> str:
    """The coupon pool in the ledger's words for a reward; empty: it carries no coupon."""
    return name.partition("coupon:")[2]


def card_occasion(milestone: int, *, coupon: bool, sample: bool, say_number: bool) -> str | None:
    """Which card text a parcel takes (mail-texts, 4.3); None: the general one with a coupon."""
    if not say_number:
        return "unsaid" if coupon else "unsaid_thanks"
    if milestone == 10 and sample:
        return "tenth_coupon" if coupon else "tenth"
    if not coupon:
        return "thanks"
    return "fifth" if milestone == 5 else None
