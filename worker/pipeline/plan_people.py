"""Judges what a person gives reason for: a milestone reached, a long silence."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from worker.pipeline.plan_orders import decide
from worker.pipeline.plan_reach import Book, open_book
from worker.pipeline.plan_run import Planned, Run
from worker.rules import timing
from worker.rules.judging import Case, Decision
from worker.rules.milestones import is_milestone, reward_of
from worker.rules.occasions import (
    RECORDED_DAYS,
    dormancy_subject,
    handoff_group,
    milestone_subject,
    speaking,
)
from worker.rules.shop import MailRule, MilestonePlan, Reward
from worker.rules.states import MailKind, Outcome
from worker.store.channels import Channel
from worker.store.messages import Occasion
from worker.store.occasion_queries import PlanOrder, load_orders
from worker.store.person_queries import (
    LastOrder,
    PersonState,
    Reached,
    addresses_in,
    grants_of,
    last_orders,
    milestones_said,
    open_person_occasions,
    people,
    reached_numbers,
    steps_sent,
    with_kin,
)


@dataclass(frozen=True)
class Crowd:
    """What is read once for a set of people."""

    ids: list[int]
    states: Mapping[int, PersonState]
    own: Channel | None
    """The own-family channel through which a person is written to; None: there is none."""
    addresses: Mapping[int, str]
    book: Book
    open: Sequence[Occasion]

    def carried(self, kind: MailKind, step: str, subject: str) -> str | None:
        """The message that carries the occasion already."""
        for row in self.open:
            if (row.kind, row.step, row.subject) == (kind, step, subject):
                return row.message_id
        return None


def customer_channel(run: Run) -> Channel | None:
    """The named own channel, else the only one there is."""
    named = run.ctx.documents.milestones.customer_channel
    own = [c for c in run.channels.values() if c.family == "own"]
    if named:
        return next((c for c in own if c.name == named), None)
    return own[0] if len(own) == 1 else None


def judge_people(run: Run, customer_ids: Collection[int]) -> list[Planned]:
    """Judge milestones and dormancy of these people, and end what no longer has a reason."""
    in_use = any(kind in (MailKind.MILESTONE, MailKind.WIN_BACK) for _c, kind in run.active)
    if not customer_ids or not in_use:
        return []
    crowd = _crowd(run, with_kin(run.session, customer_ids))
    planned = [*_milestones(run, crowd), *_silences(run, crowd)]
    return [*planned, *_ended(run, crowd, {p.key for p in planned})]


def _crowd(run: Run, ids: list[int]) -> Crowd:
    own = customer_channel(run)
    addresses = addresses_in(run.session, own.id, ids) if own else {}
    return Crowd(
        ids=ids,
        states=people(run.session, ids),
        own=own,
        addresses=addresses,
        book=open_book(run, ids, addresses.values(), notes=True, unpaid=True),
        open=open_person_occasions(run.session, ids),
    )


# --- milestones -----------------------------------------------------------------------------


def _plan_of(run: Run, scope: str) -> MilestonePlan:
    milestones = run.ctx.documents.milestones
    return milestones.scopes.get(scope, milestones.default)


def _milestones(run: Run, crowd: Crowd) -> list[Planned]:
    starts = [at for (_c, kind), at in run.active.items() if kind is MailKind.MILESTONE]
    if not starts:
        return []
    since = min(starts) - timedelta(days=RECORDED_DAYS)
    reached = [
        r
        for r in reached_numbers(run.session, crowd.ids, 2, since)
        if is_milestone(_plan_of(run, r.scope), r.number)
    ]
    orders = {o.id: o for o in load_orders(run.session, {r.order_id for r in reached})}
    grants = grants_of(run.session, crowd.ids)
    said = milestones_said(run.session, crowd.ids)
    planned = []
    for item in reached:
        found = _milestone(run, crowd, item, orders[item.order_id], grants, said)
        if found is not None:
            planned.append(found)
    return planned


def _milestone(
    run: Run,
    crowd: Crowd,
    reached: Reached,
    order: PlanOrder,
    grants: Mapping[tuple[int, str, int], str],
    said: Mapping[tuple[int, str], str],
) -> Planned | None:
    channel = _channel_for(run, crowd, order.channel_id)
    active_from = run.active.get((channel.id, MailKind.MILESTONE))
    rules = speaking(run.ctx.documents.mails.rules, MailKind.MILESTONE, channel.family)
    if active_from is None or not rules:
        return None
    if order.ordered_at < active_from - timedelta(days=RECORDED_DAYS):
        return None
    subject = milestone_subject(reached.customer_id, reached.scope, reached.number)
    case = _person_case(run, crowd, channel, MailKind.MILESTONE, reached.customer_id, subject)
    case = replace(
        case,
        rule=next((r for r in rules if not r.ranks or order.rank in r.ranks), None),
        moment=order.ordered_at,
        ordered_at=order.ordered_at,
        life=order.life,
        payment=order.payment,
        fulfilment=order.fulfilment,
        parcel=_parcel_of(run, order),
        visit_number=reached.number,
        rank=order.rank,
        number_uncertain=reached.certainty == "uncertain",
        grant=grants.get((reached.customer_id, reached.scope, reached.number)),
        reward=reward_of(_plan_of(run, reached.scope), reached.number) or Reward(),
    )
    decision = decide(run, case)
    number = f"{reached.scope}:{reached.number}"
    if said.get((reached.customer_id, number), subject) != subject:
        decision = Decision(Outcome.ALREADY, "already_said")
    planned = Planned(
        kind=MailKind.MILESTONE,
        step="",
        subject=subject,
        channel=channel,
        scope=reached.scope,
        decision=decision,
        customer_id=reached.customer_id,
        order_id=order.id,
        rank=order.rank,
        visit_number=reached.number,
        advertising=True,
        conditions={"scope": reached.scope, "orders": reached.number},
    )
    return _grouped(run, planned)


def _parcel_of(run: Run, order: PlanOrder) -> timing.Parcel:
    far = run.ctx.documents.shop.calendar.far_prefectures
    return timing.Parcel(
        designated_on=order.delivery_date,
        delivered_at=order.delivered_at,
        shipped_at=order.shipped_at,
        far=timing.is_far(order.recipient_address or order.address, far),
    )


def _channel_for(run: Run, crowd: Crowd, order_channel: int) -> Channel:
    """A marketplace's person is reached through that marketplace, an own one through ``own``."""
    channel = run.channels[order_channel]
    return crowd.own if channel.family == "own" and crowd.own else channel


def _person_case(
    run: Run, crowd: Crowd, channel: Channel, kind: MailKind, customer_id: int, subject: str
) -> Case:
    """The part that all customer-level kinds share."""
    state = crowd.states[customer_id]
    address = crowd.addresses.get(customer_id) if channel is crowd.own else None
    carried = crowd.carried(kind, "", subject)
    return Case(
        kind=kind,
        family=channel.family,
        rule=None,
        active_from=run.active[channel.id, kind],
        sender=run.ctx.documents.senders.who(channel.name, channel.family, kind),
        permission=crowd.book.permission(channel, kind, address, customer_id, erased=state.erased),
        moment=run.now,
        seed=f"{kind}:{subject}",
        carrier=timing.is_carrier(address),
        ads=crowd.book.ads(customer_id, carried),
        order_mails=crowd.book.order_mails(customer_id),
        unsure=state.unsure,
        open_note=customer_id in crowd.book.noted,
        unpaid_order=customer_id in crowd.book.unpaid,
        has_channel=channel.family != "own" or (channel is crowd.own and address is not None),
    )


def _grouped(run: Run, planned: Planned) -> Planned:
    """Campaigns of a month share one handoff; a person's own mail stands alone."""
    if planned.decision.outcome is not Outcome.HANDOFF:
        return replace(planned, group_key=f"{planned.kind}:{planned.step}:{planned.subject}")
    month = run.setting.days.day(run.now)
    return replace(planned, group_key=handoff_group(planned.kind, planned.channel.name, month))


# --- silences -------------------------------------------------------------------------------


def silence_rules(run: Run) -> dict[str, tuple[Channel, list[MailRule]]]:
    """The win-back rules by scope, with the channel through which they would go."""
    own = customer_channel(run)
    found: dict[str, tuple[Channel, list[MailRule]]] = {}
    for channel in run.channels.values():
        via = own if channel.family == "own" and own else channel
        rules = speaking(run.ctx.documents.mails.rules, MailKind.WIN_BACK, via.family)
        if rules and (via.id, MailKind.WIN_BACK) in run.active:
            found[run.scope(channel)] = (via, rules)
    return found


def _silences(run: Run, crowd: Crowd) -> list[Planned]:
    by_scope = silence_rules(run)
    if not by_scope:
        return []
    sent = steps_sent(run.session, crowd.ids)
    planned = []
    for last in last_orders(run.session, crowd.ids, list(by_scope)):
        via, rules = by_scope[last.scope]
        for rule in rules:
            found = _silence(run, crowd, last, via, rule, sent)
            if found is not None:
                planned.append(found)
    return planned


def _silence(
    run: Run,
    crowd: Crowd,
    last: LastOrder,
    via: Channel,
    rule: MailRule,
    sent: Mapping[tuple[str, str], datetime],
) -> Planned | None:
    """None while the person is not dormant, or was so long before the kind began."""
    subject = dormancy_subject(last.customer_id, last.external_id)
    begin = _begin(run, rule, last, subject, sent)
    active_from = run.active[via.id, MailKind.WIN_BACK]
    if begin is None or begin > run.now:
        return None
    if begin < active_from - timedelta(days=RECORDED_DAYS):
        return None
    case = replace(
        _person_case(run, crowd, via, MailKind.WIN_BACK, last.customer_id, subject),
        rule=rule if not rule.ranks or last.rank in rule.ranks else None,
        moment=begin,
        cause=begin,
        last_order_at=last.ordered_at,
        rank=last.rank,
        visit_number=last.visit_number,
        seed=f"win_back:{rule.step}:{subject}",
        ads=crowd.book.ads(last.customer_id, crowd.carried(MailKind.WIN_BACK, rule.step, subject)),
    )
    planned = Planned(
        kind=MailKind.WIN_BACK,
        step=rule.step,
        subject=subject,
        channel=via,
        scope=last.scope,
        decision=decide(run, case),
        customer_id=last.customer_id,
        order_id=last.order_id,
        rank=last.rank,
        visit_number=last.visit_number,
        advertising=True,
        conditions={"scope": last.scope, "silent_days": rule.dormant_days},
    )
    return _grouped(run, planned)


def _begin(
    run: Run,
    rule: MailRule,
    last: LastOrder,
    subject: str,
    sent: Mapping[tuple[str, str], datetime],
) -> datetime | None:
    """When the silence began to count for this step."""
    if rule.trigger == "step_sent":
        return sent.get((subject, rule.after_step))
    days = timing.dormant_days(rule, last.visit_days)
    day = run.setting.days.day(last.ordered_at) + timedelta(days=days)
    return run.setting.days.at(day, time(0))


# --- what lost its reason -------------------------------------------------------------------


def _ended(run: Run, crowd: Crowd, judged: Collection[tuple[MailKind, str, str]]) -> list[Planned]:
    ended = []
    for row in crowd.open:
        if (row.kind, row.step, row.subject) in judged or row.channel_id is None:
            continue
        code = "number_changed" if row.kind is MailKind.MILESTONE else "ordered_again"
        state = crowd.states.get(row.customer_id or 0)
        if state is not None and state.merged:
            code = "merged_away"
        channel = run.channels[row.channel_id]
        ended.append(
            Planned(
                kind=row.kind,
                step=row.step,
                subject=row.subject,
                channel=channel,
                scope=run.scope(channel),
                decision=Decision(Outcome.CANCELLED, code),
                customer_id=row.customer_id,
                order_id=row.order_id,
            )
        )
    return ended
