"""Exports of the ledger as plain rows: orders, customers, grants, messages, occasions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.plan import outcome_words
from worker.pipeline.vault import reveal
from worker.rules.rank_words import rank_words
from worker.rules.states import CouponState
from worker.store.channels import Channel
from worker.store.customers import (
    Customer,
    CustomerProfile,
    CustomerStanding,
    Identity,
    OrderStanding,
)
from worker.store.messages import Message, MessageBody, Occasion
from worker.store.orders import OrderRow
from worker.store.rewards import CouponCode, Grant

_CHUNK = 2000
Record = dict[str, Any]


def export_orders(session: Session, ctx: Context, now: datetime) -> Iterator[Record]:
    """Every order with its number and rank, oldest first."""
    del now
    statement = (
        select(OrderRow, Channel.name, OrderStanding)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .order_by(OrderRow.ordered_at, Channel.name, OrderRow.number)
        .execution_options(yield_per=_CHUNK)
    )
    for order, channel, standing in session.execute(statement):
        yield {
            "channel": channel,
            "order_number": order.number,
            "external_id": order.external_id,
            "ordered_at": order.ordered_at.astimezone(ctx.zone),
            "life": order.life,
            "payment": order.payment,
            "fulfilment": order.fulfilment,
            "total": order.total,
            "refunded": order.refunded,
            "currency": order.currency,
            "spend": order.spend,
            "customer": order.customer_id,
            "counting": order.counting,
            **_standing(ctx, standing),
        }


def _standing(ctx: Context, standing: OrderStanding | None) -> Record:
    if standing is None:
        names = ("scope", "ordinal", "visit_number", "certainty", "ordinal_overall",
                 "rank_at_order", "rank_reason")  # fmt: skip
        return dict.fromkeys(names)
    ladder = ctx.documents.ladder
    return {
        "scope": standing.scope,
        "ordinal": standing.ordinal,
        "visit_number": standing.visit_number,
        "certainty": standing.certainty,
        "ordinal_overall": standing.ordinal_overall,
        "rank_at_order": standing.rank,
        "rank_reason": rank_words(standing.rank, standing.facts, ladder, ctx.documents.shop.locale),
    }


def export_customers(session: Session, ctx: Context, now: datetime) -> Iterator[Record]:
    """Every living customer with the ten ledger fields; ranks by scope, ``rank`` overall."""
    statement = select(Customer.id).where(Customer.merged_into.is_(None)).order_by(Customer.id)
    ids = list(session.scalars(statement))
    today = now.astimezone(ctx.zone).date()
    for start in range(0, len(ids), _CHUNK):
        yield from _customers(session, ctx, ids[start : start + _CHUNK], today)


def _customers(session: Session, ctx: Context, ids: Sequence[int], today: date) -> Iterator[Record]:
    profiles = {
        row.customer_id: row
        for row in session.scalars(
            select(CustomerProfile).where(CustomerProfile.customer_id.in_(ids))
        )
    }
    standings: dict[int, dict[str, CustomerStanding]] = defaultdict(dict)
    for standing in session.scalars(
        select(CustomerStanding).where(CustomerStanding.customer_id.in_(ids))
    ):
        standings[standing.customer_id][standing.scope] = standing
    identities = _identities(session, ids)
    for customer_id in ids:
        yield _customer(
            ctx, customer_id, profiles.get(customer_id), standings[customer_id],
            identities[customer_id], today,
        )  # fmt: skip


def _customer(
    ctx: Context,
    customer_id: int,
    profile: CustomerProfile | None,
    standings: dict[str, CustomerStanding],
    identities: list[str],
    today: date,
) -> Record:
    overall = standings.get("*")
    count = overall.count if overall else 0
    spend = overall.net_spend if overall else 0
    last = overall.last_order_at if overall else None
    record: Record = {"customer": customer_id}
    for name in ("name", "kana", "postal_code", "address", "phone", "email", "birthday"):
        record[name] = getattr(profile, name) if profile else None
    return record | {
        "lifetime_spend": spend,
        "order_count": count,
        "average_order": spend // count if count else None,
        "last_order_at": last,
        "days_since_last_order": (today - last.astimezone(ctx.zone).date()).days if last else None,
        "identities": identities,
        "rank": _main_rank(standings),
        "ranks": {scope: row.rank for scope, row in sorted(standings.items())},
    }


def _main_rank(standings: dict[str, CustomerStanding]) -> str | None:
    """The only scope's rank, else the overall one."""
    scopes = [row for scope, row in standings.items() if scope != "*"]
    if len(scopes) == 1:
        return scopes[0].rank
    return standings["*"].rank if "*" in standings else None


def _identities(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    rows = session.execute(
        select(
            Identity.customer_id, Channel.name, Identity.kind, func.substr(Identity.key_hash, 1, 8)
        )
        .join(Channel, Channel.id == Identity.channel_id)
        .where(Identity.customer_id.in_(ids))
        .order_by(Identity.id)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for customer_id, channel, kind, digest in rows:
        found[customer_id].append(f"{channel}:{kind}:{digest}")
    return found


def export_grants(session: Session, ctx: Context, now: datetime) -> Iterator[Record]:
    """Every reward with its state; the coupon code in clear, for whoever may export."""
    del now
    statement = (
        select(Grant, OrderRow.number, CouponCode)
        .outerjoin(OrderRow, OrderRow.id == Grant.order_id)
        .outerjoin(CouponCode, CouponCode.id == Grant.coupon_id)
        .order_by(Grant.id)
    )
    for grant, number, coupon in session.execute(statement):
        yield {
            "customer": grant.customer_id,
            "scope": grant.scope,
            "milestone": grant.milestone,
            "reward": grant.reward,
            "state": grant.state,
            "order_number": number,
            "coupon_code": _told(ctx, coupon),
        }


def _told(ctx: Context, coupon: CouponCode | None) -> str | None:
    """The clear code; None for one that its shop has not confirmed: it may never be."""
    if coupon is None or coupon.state is CouponState.PENDING:
        return None
    return reveal(ctx, coupon)


def export_messages(session: Session, ctx: Context, now: datetime) -> Iterator[Record]:
    """Every message with the orders it speaks of and why it exists."""
    del now, ctx
    numbers = _order_numbers(session)
    statement = (
        select(Message, Channel.name, MessageBody.subject)
        .join(Channel, Channel.id == Message.channel_id)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .order_by(Message.due_at, Message.id)
        .execution_options(yield_per=_CHUNK)
    )
    for row in session.execute(statement):
        yield _message(row, numbers)


def _message(row: Row[Message, str, str | None], numbers: dict[str, list[str]]) -> Record:
    message, channel, subject = row
    return {
        "message": message.id,
        "kind": message.kind,
        "step": message.step,
        "state": message.state,
        "channel": channel,
        "order_numbers": numbers.get(message.id, []),
        "customer": message.customer_id,
        "rank": message.rank,
        "visit_number": message.visit_number,
        "due_at": message.due_at,
        "sent_at": message.sent_at,
        "subject": subject,
        "flags": [flag["flag"] for flag in message.flags],
        "why": message.why,
    }


def _order_numbers(session: Session) -> dict[str, list[str]]:
    rows = session.execute(
        select(Occasion.message_id, OrderRow.number)
        .join(OrderRow, OrderRow.id == Occasion.order_id)
        .where(Occasion.message_id.is_not(None))
        .order_by(OrderRow.ordered_at, OrderRow.number)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for message_id, number in rows:
        if message_id is not None and number not in found[message_id]:
            found[message_id].append(number)
    return found


def export_occasions(session: Session, ctx: Context, now: datetime) -> Iterator[Record]:
    """Every reason for a mail with its outcome, in data and in words."""
    del now
    locale = ctx.documents.shop.locale
    statement = select(Occasion).order_by(Occasion.id).execution_options(yield_per=_CHUNK)
    for occasion in session.scalars(statement):
        yield {
            "kind": occasion.kind,
            "step": occasion.step,
            "subject": occasion.subject,
            "outcome": occasion.outcome,
            "message": occasion.message_id,
            "due_at": occasion.due_at,
            "reason": occasion.reason,
            "words": outcome_words(occasion.reason, locale),
        }


EXPORTS = {
    "orders": export_orders,
    "customers": export_customers,
    "grants": export_grants,
    "messages": export_messages,
    "occasions": export_occasions,
}


def summary(session: Session) -> Record:
    """Counts for the demo and `okaeri verify`: orders, customers, ranks, messages, grants."""
    ranks = session.execute(
        select(CustomerStanding.rank, func.count())
        .join(Customer, Customer.id == CustomerStanding.customer_id)
        .where(CustomerStanding.scope != "*", Customer.merged_into.is_(None))
        .group_by(CustomerStanding.rank)
    )
    return {
        "orders": session.scalar(select(func.count()).select_from(OrderRow)),
        "customers": session.scalar(
            select(func.count(case((Customer.merged_into.is_(None), 1)))).select_from(Customer)
        ),
        "ranks": {rank or "none": count for rank, count in ranks},
        "messages": _tally(session, Message.state),
        "grants": _tally(session, Grant.state),
        "occasions": _tally(session, Occasion.outcome),
    }


def _tally(session: Session, column: Any) -> dict[str, int]:
    rows = session.execute(select(column, func.count()).group_by(column))
    return {word.value: count for word, count in rows}
