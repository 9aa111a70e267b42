"""The judgement of one occasion: a mail with its times, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from worker.rules import caps as capping
from worker.rules import timing
from worker.rules.occasions import ORDER_KINDS
from worker.rules.policy import Permission
from worker.rules.shop import Caps, MailRule, Reward
from worker.rules.states import ADVERTISING_KINDS, NOTE_HELD, MailKind, Outcome, Sender
from worker.rules.timing import Days, Parcel, Times

NEVER_DAYS = 60
"""A cause that has not come so long after the order will not come any more."""


@dataclass(frozen=True, slots=True)
class Case:
    """One (kind, subject) with everything its judgement rests on."""

    kind: MailKind
    family: str
    rule: MailRule | None
    """None: a rule of the kind speaks to this family, but none to this rank and number."""
    active_from: datetime
    sender: Sender
    permission: Permission
    moment: datetime
    """What ``active_from`` is compared with: the order's time, the begin of a dormancy."""
    seed: str
    carrier: bool = False
    # The order.
    ordered_at: datetime | None = None
    life: str = "open"
    payment: str = "paid"
    payment_kind: str = "card"
    fulfilment: str = "unshipped"
    paid_at: datetime | None = None
    parcel: Parcel = field(default_factory=Parcel)
    delivery_count: int | None = None
    polled: bool = True
    """A poll of the channel has succeeded since the order was first seen."""
    replaced_was_thanked: bool = False
    # The person.
    visit_number: int | None = None
    rank: str | None = None
    same_kind: Sequence[datetime] = ()
    ads: Sequence[datetime] = ()
    order_mails: Sequence[datetime] = ()
    unsure: bool = False
    number_uncertain: bool = False
    open_note: bool = False
    unpaid_order: bool = False
    # Milestones.
    milestone_mailed: bool = False
    """A milestone mail goes for this order, so the follow-up stays away."""
    grant: str | None = None
    reward: Reward = field(default_factory=Reward)
    # Dormancy.
    cause: datetime | None = None
    """For kinds whose cause is not this order: the begin of a dormancy, the sending of a step."""
    last_order_at: datetime | None = None
    has_channel: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """``look_at``: when a waiting occasion should be judged again without any event."""

    outcome: Outcome
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    times: Times | None = None
    look_at: datetime | None = None

    @property
    def reason(self) -> dict[str, Any]:
        """What is stored; the words are made of it (P12)."""
        return {"code": self.code, **self.facts}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all cases of a run."""

    now: datetime
    days: Days
    transit_days: int = 2
    transit_days_far: int = 4
    caps: Caps = field(default_factory=Caps)


_REFUSED_SENDERS = {
    Sender.MALL: "sender_mall",
    Sender.CART: "sender_cart",
    Sender.HUB: "sender_hub",
    Sender.NOBODY: "sender_nobody",
}


def judge(case: Case, setting: Setting) -> Decision:
    """Decide what becomes of the occasion. The first answer that is not yes stands."""
    for check in _CHECKS:
        decision = check(case, setting)
        if decision is not None:
            return decision
    return _timed(case, setting)


def _ended(case: Case, _setting: Setting) -> Decision | None:
    if case.life == "cancelled":
        return Decision(Outcome.CANCELLED, "order_cancelled")
    if case.fulfilment == "returned":
        return Decision(Outcome.CANCELLED, "order_returned")
    if case.payment == "refunded":
        return Decision(Outcome.CANCELLED, "order_refunded")
    return None


def _forbidden(case: Case, _setting: Setting) -> Decision | None:
    found = case.permission
    if found.outcome is Outcome.FORBIDDEN:
        return Decision(Outcome.FORBIDDEN, found.code, found.facts)
    return None


def _active(case: Case, _setting: Setting) -> Decision | None:
    if case.moment >= case.active_from:
        return None
    return Decision(
        Outcome.NOT_ACTIVE, "before_active_from", {"active_from": case.active_from.isoformat()}
    )


def _sender(case: Case, _setting: Setting) -> Decision | None:
    code = _REFUSED_SENDERS.get(case.sender)
    return Decision(Outcome.OTHER_SENDER, code) if code else None


def _platform(case: Case, _setting: Setting) -> Decision | None:
    found = case.permission
    if found.outcome is Outcome.HANDOFF:
        return Decision(Outcome.HANDOFF, found.code, found.facts)
    return None


def _ruled(case: Case, _setting: Setting) -> Decision | None:
    if case.rule is not None:
        return None
    told = {"rank": case.rank, "number": case.visit_number}
    return Decision(Outcome.NOT_WANTED, "no_rule_fits", told)


def _wanted(case: Case, setting: Setting) -> Decision | None:
    if (case.delivery_count or 1) > 1 and case.kind in ORDER_KINDS:
        return Decision(Outcome.NOT_WANTED, "subscription_repeat", {"n": case.delivery_count})
    if case.replaced_was_thanked and case.kind is MailKind.ORDER_THANKS:
        return Decision(Outcome.ALREADY, "replaced_order_thanked")
    if case.milestone_mailed and case.kind is MailKind.FOLLOW_UP:
        return Decision(Outcome.NOT_WANTED, "milestone_instead")
    if case.kind is MailKind.MILESTONE:
        return _milestone(case)
    if case.kind is MailKind.WIN_BACK:
        return _gave_up(case, setting)
    return None


_GRANT_ANSWERS = {
    "before_start": (Outcome.NOT_WANTED, "before_start"),
    "declined": (Outcome.NOT_WANTED, "reward_declined"),
    "voided": (Outcome.CANCELLED, "reward_voided"),
    "expired": (Outcome.TOO_LATE, "reward_expired"),
    "released": (Outcome.WAITING, "grant_pending"),
    "reserved": (Outcome.WAITING, "grant_pending"),
    "to_decide": (Outcome.WAITING, "reward_to_decide"),
}


def _milestone(case: Case) -> Decision | None:
    if not (case.reward.coupon_pool or case.reward.sample):
        return Decision(Outcome.NOT_WANTED, "no_reward_entered", {"number": case.visit_number})
    if case.number_uncertain:
        return Decision(Outcome.WAITING, "number_uncertain", {"number": case.visit_number})
    if case.grant is None:
        return Decision(Outcome.WAITING, "grant_pending")
    answer = _GRANT_ANSWERS.get(case.grant)
    return Decision(*answer) if answer else None


def _gave_up(case: Case, setting: Setting) -> Decision | None:
    assert case.rule is not None
    if not case.rule.give_up_days or case.last_order_at is None:
        return None
    last = case.last_order_at + timedelta(days=case.rule.give_up_days)
    if setting.now < last:
        return None
    return Decision(Outcome.NOT_WANTED, "gave_up", {"days": case.rule.give_up_days})


def _reachable(case: Case, _setting: Setting) -> Decision | None:
    if not case.has_channel:
        return Decision(Outcome.NO_CHANNEL, "no_channel")
    found = case.permission
    return Decision(found.outcome, found.code, found.facts) if found.outcome else None


def _settled(case: Case, setting: Setting) -> Decision | None:
    tomorrow = setting.now + timedelta(days=1)
    for blocked, kinds, code in (
        (case.unsure, ADVERTISING_KINDS, "identity_unsure"),
        (case.open_note, NOTE_HELD, "open_note"),
        (case.unpaid_order, ADVERTISING_KINDS, "unpaid_order"),
    ):
        if blocked and case.kind in kinds:
            return Decision(Outcome.WAITING, code, look_at=tomorrow)
    return None


_CHECKS = (
    *(_ended, _forbidden, _active, _sender, _platform),
    *(_ruled, _reachable, _wanted, _settled),
)


def _timed(case: Case, setting: Setting) -> Decision:
    cause = _cause(case, setting)
    if isinstance(cause, Decision):
        return cause
    assert case.rule is not None
    times = timing.times_of(
        case.rule,
        case.family,
        cause,
        setting.days,
        case.seed,
        setting.now,
        carrier=case.carrier,
    )
    told = {"cause": cause.isoformat(), "rule": case.rule.name or case.rule.step}
    if timing.too_late(times, setting.now):
        return Decision(Outcome.TOO_LATE, "past_useful", told, times)
    return _capped(case, setting, times, told)


def _cause(case: Case, setting: Setting) -> datetime | Decision:
    """The moment the delay counts from, or why it has not come."""
    assert case.rule is not None
    trigger = case.rule.trigger
    if trigger == "ordered":
        return _ordered(case, setting)
    if trigger in ("last_order", "step_sent"):
        return case.cause or Decision(Outcome.WAITING, "step_not_sent")
    if trigger == "shipped":
        return case.parcel.shipped_at or _unshipped(case, setting)
    return _delivered(case, setting)


_DISPATCHED = ("shipped", "delivered")


def _ordered(case: Case, setting: Setting) -> datetime | Decision:
    assert case.rule is not None
    assert case.ordered_at is not None
    if case.rule.until_shipped and case.fulfilment in _DISPATCHED:
        return Decision(Outcome.TOO_LATE, "already_shipped")
    cause = case.ordered_at
    if case.family == "own" and case.payment_kind == "prepayment":
        if case.payment not in ("paid", "refunded_part"):
            return _never(case, setting, "unpaid", "never_paid")
        cause = case.paid_at or cause
    if not case.polled:
        # A cancellation of the first half hour must have had its chance to arrive.
        return Decision(Outcome.WAITING, "first_poll", look_at=setting.now + timedelta(minutes=1))
    return cause


def _unshipped(case: Case, setting: Setting) -> Decision:
    return _never(case, setting, "not_shipped", "never_shipped")


def _never(case: Case, setting: Setting, waiting: str, given_up: str) -> Decision:
    assert case.ordered_at is not None
    last = case.ordered_at + timedelta(days=NEVER_DAYS)
    if case.parcel.designated_on is not None:
        designated = setting.days.at(case.parcel.designated_on, time(0))
        last = max(last, designated + timedelta(days=NEVER_DAYS))
    if setting.now >= last:
        return Decision(Outcome.TOO_LATE, given_up, {"days": NEVER_DAYS})
    return Decision(Outcome.WAITING, waiting, look_at=last)


def _delivered(case: Case, setting: Setting) -> datetime | Decision:
    if case.fulfilment not in _DISPATCHED:
        return _unshipped(case, setting)
    day = timing.arrival_on(
        case.parcel, setting.transit_days, setting.transit_days_far, setting.days
    )
    if day is None:
        return _unshipped(case, setting)
    return setting.days.at(day, time(0))


def _capped(case: Case, setting: Setting, times: Times, told: dict[str, Any]) -> Decision:
    assert case.rule is not None
    near = capping.within(case.same_kind, times.due, case.rule.not_within_days)
    if near is not None:
        facts = {"days": case.rule.not_within_days, "last": near.isoformat(), **told}
        return Decision(Outcome.CAPPED, "same_kind_recently", facts, times)
    if case.kind not in ADVERTISING_KINDS:
        return Decision(Outcome.MESSAGE, "planned", told, times)
    free = capping.free_from(times.due, case.ads, case.order_mails, setting.caps)
    if free == times.due:
        return Decision(Outcome.MESSAGE, "planned", told, times)
    moved = timing.times_of(
        case.rule,
        case.family,
        times.cause,
        setting.days,
        case.seed,
        setting.now,
        carrier=case.carrier,
        not_before=free,
    )
    if timing.too_late(moved, setting.now):
        return Decision(Outcome.CAPPED, "ads_recently", {"free_from": free.isoformat()}, moved)
    return Decision(Outcome.MESSAGE, "postponed", {"wanted": times.due.isoformat(), **told}, moved)
