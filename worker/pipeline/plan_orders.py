"""Judges what each order gives reason for: thank-you, notice, follow-up, review request."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta

from connectors.contract import Family
from worker.pipeline.plan_reach import Book, open_book
from worker.pipeline.plan_run import Planned, Run
from worker.rules import timing
from worker.rules.judging import Case, Decision, judge
from worker.rules.occasions import (
    ORDER_KINDS,
    RECORDED_DAYS,
    choose_rule,
    order_subject,
    speaking,
    thanks_group,
)
from worker.rules.states import MailKind, Outcome, Verdict
from worker.rules.timing import NoSlot, Parcel
from worker.store.channels import Channel
from worker.store.occasion_queries import PlanOrder, occasions_of, thanked_replacements


def judge_orders(
    run: Run, orders: Collection[PlanOrder], milestones: Collection[int]
) -> list[Planned]:
    """Judge all order kinds of the orders; ``milestones`` are orders a milestone mail goes for."""
    kinds = _kinds_in_use(run)
    wanted = [(o, k) for o in orders for k in kinds if _is_recorded(run, o, k)]
    book = open_book(run, (o.customer_id for o in orders), (o.email for o in orders), notes=True)
    carried = _carried(run, orders)
    replaced = thanked_replacements(
        run.session, {(o.channel_id, o.replaces) for o in orders if o.replaces}
    )
    planned = []
    for order, kind in wanted:
        case = _case(run, book, order, kind, carried)
        if case is None:
            continue
        case = _with_neighbours(case, order, milestones, replaced)
        planned.append(_planned(run, order, kind, decide(run, case)))
    return planned


def decide(run: Run, case: Case) -> Decision:
    """Judge; a rule that leaves no day to send on is an answer too."""
    try:
        return judge(case, run.setting)
    except NoSlot:
        return Decision(Outcome.TOO_LATE, "no_slot")


def _kinds_in_use(run: Run) -> list[MailKind]:
    used = {rule.kind for rule in run.ctx.documents.mails.rules if rule.enabled}
    return [kind for kind in ORDER_KINDS if kind in used]


def _is_recorded(run: Run, order: PlanOrder, kind: MailKind) -> bool:
    """History makes no rows: only what is near or after the begin of the kind (P8)."""
    active_from = run.active.get((order.channel_id, kind))
    if active_from is None:
        return False
    return order.ordered_at >= active_from - timedelta(days=RECORDED_DAYS)


def _carried(run: Run, orders: Collection[PlanOrder]) -> Mapping[tuple[MailKind, str], str | None]:
    subjects = {order_subject(run.channels[o.channel_id].name, o.external_id) for o in orders}
    rows = occasions_of(run.session, subjects)
    return {(kind, subject): row.message_id for (kind, _step, subject), row in rows.items()}


def _case(
    run: Run,
    book: Book,
    order: PlanOrder,
    kind: MailKind,
    carried: Mapping[tuple[MailKind, str], str | None],
) -> Case | None:
    """None where the kind is off for this family: then there is no occasion at all.

    Nor is there where Amazon asks by itself: ``solicit`` plans that, and Amazon's orders make
    no message, not even a campaign's.
    """
    documents, channel = run.ctx.documents, run.channels[order.channel_id]
    permission = book.permission(
        channel, kind, order.email, order.customer_id, erased=order.erased_at is not None
    )
    if channel.family == Family.AMAZON and permission.verdict is Verdict.PLATFORM:
        return None
    rules = documents.mails.rules
    if not speaking(rules, kind, channel.family) and permission.verdict is not Verdict.FORBID:
        return None
    subject = order_subject(channel.name, order.external_id)
    return Case(
        kind=kind,
        family=channel.family,
        rule=choose_rule(rules, kind, channel.family, order.rank, order.visit_number),
        active_from=run.active[order.channel_id, kind],
        sender=documents.senders.who(channel.name, channel.family, kind),
        permission=permission,
        moment=order.ordered_at,
        seed=f"{kind}:{subject}",
        carrier=timing.is_carrier(order.email),
        ordered_at=order.ordered_at,
        life=order.life,
        payment=order.payment,
        payment_kind=order.payment_kind,
        fulfilment=order.fulfilment,
        paid_at=order.paid_at,
        parcel=_parcel(run, order),
        delivery_count=order.delivery_count,
        polled=order.polled,
        visit_number=order.visit_number,
        rank=order.rank,
        same_kind=book.moments(order.customer_id, kind, carried.get((kind, subject))),
        open_note=order.customer_id in book.noted,
    )


def _with_neighbours(
    case: Case,
    order: PlanOrder,
    milestones: Collection[int],
    replaced: Collection[tuple[int, str]],
) -> Case:
    return replace(
        case,
        milestone_mailed=order.id in milestones,
        replaced_was_thanked=(order.channel_id, order.replaces or "") in replaced,
    )


def _parcel(run: Run, order: PlanOrder) -> Parcel:
    far = run.ctx.documents.shop.calendar.far_prefectures
    return Parcel(
        designated_on=order.delivery_date,
        delivered_at=order.delivered_at,
        shipped_at=order.shipped_at,
        far=timing.is_far(order.recipient_address or order.address, far),
    )


def _planned(run: Run, order: PlanOrder, kind: MailKind, decision: Decision) -> Planned:
    channel = run.channels[order.channel_id]
    scope = run.scope(channel)
    return Planned(
        kind=kind,
        step="",
        subject=order_subject(channel.name, order.external_id),
        channel=channel,
        scope=scope,
        decision=decision,
        customer_id=order.customer_id,
        order_id=order.id,
        group_key=_group(order, kind, scope, channel),
        rank=order.rank,
        visit_number=order.visit_number,
    )


def _group(order: PlanOrder, kind: MailKind, scope: str, channel: Channel) -> str:
    """Orders of one person and day share a mail; an order without a person stands alone."""
    if order.customer_id is None:
        return f"{kind}:{channel.name}:{order.external_id}"
    if kind is MailKind.ORDER_THANKS:
        return thanks_group(scope, order.customer_id, order.ordered_on)
    if kind is MailKind.FOLLOW_UP:
        # Two questions about two parcels of one day would ask the same person twice.
        return f"follow_up:{scope}:{order.customer_id}:{order.ordered_on.isoformat()}"
    return f"{kind}:{channel.name}:{order.external_id}"
