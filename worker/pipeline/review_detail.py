"""Everything a clerk needs beside one mail: the words, why it exists, and who it is for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Text, cast, select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_approval import content, content_hash
from worker.pipeline.review_diff import Piece, diff_mail
from worker.pipeline.review_words import Refused
from worker.rules.states import Actor, Certainty, MailKind, MessageState, NoteState, moves_from
from worker.store.channels import Channel
from worker.store.customers import (
    ContactNote,
    CustomerProfile,
    CustomerStanding,
    OrderStanding,
)
from worker.store.messages import Message, MessageBody, MessageEvent, Occasion
from worker.store.orders import OrderContact, OrderLine, OrderRow

OVERALL = "*"
_EARLIER = 20


@dataclass(frozen=True, slots=True)
class LineView:
    """One item line; ``amount`` in minor units of the order's currency."""

    name: str
    sku: str | None
    quantity: int
    amount: int | None


@dataclass(frozen=True, slots=True)
class OrderView:
    """One order the mail speaks of, with the number and rank at that order and why."""

    id: int
    number: str
    ordered_at: datetime
    life: str
    payment: str
    fulfilment: str
    currency: str
    total: int | None
    refunded: int | None
    buyer_comment: str | None
    recipient_name: str | None
    gift: bool
    ordinal: int | None
    visit_number: int | None
    certainty: Certainty | None
    rank: str | None
    rank_facts: dict[str, Any]
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """The ten fields of the ledger, with the rank in the mail's scope and over all channels.

    Money in minor units of the ledger currency.
    """

    id: int
    name: str | None
    kana: str | None
    postal_code: str | None
    address: str | None
    phone: str | None
    email: str | None
    birthday: date | None
    lifetime_spend: int
    order_count: int
    average_order: int
    last_order_at: datetime | None
    days_since_last_order: int | None
    rank: str | None
    rank_overall: str | None
    rank_facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EarlierMail:
    """A mail that went or may have gone to the same person."""

    id: str
    kind: MailKind
    state: MessageState
    subject: str
    sent_at: datetime | None
    due_at: datetime
    announced: int | None


@dataclass(frozen=True, slots=True)
class MessageDetail:
    """One mail as the desk shows it; ``moves`` are the buttons that work now."""

    message: Message
    body: MessageBody | None
    channel: str
    orders: tuple[OrderView, ...]
    customer: CustomerCard | None
    earlier: tuple[EarlierMail, ...]
    notes: tuple[ContactNote, ...]
    events: tuple[MessageEvent, ...]
    moves: tuple[str, ...]
    changed_by_hand: dict[str, list[Piece]]
    """Against the mail as rendered."""
    changed_since_approval: dict[str, list[Piece]]
    """Against what was last approved; empty while that approval stands."""


def detail(session: Session, ctx: Context, message_id: str, *, now: datetime) -> MessageDetail:
    """Read one mail with all that stands beside it; raises Refused where there is none."""
    message = session.get(Message, message_id)
    if message is None:
        raise Refused("not_found")
    body = session.get(MessageBody, message_id)
    channel = session.get_one(Channel, message.channel_id)
    events = select(MessageEvent).where(MessageEvent.message_id == message_id)
    return MessageDetail(
        message=message,
        body=body,
        channel=channel.name,
        orders=_orders(session, message_id),
        customer=customer_card(session, ctx, message.customer_id, message.scope, now=now),
        earlier=_earlier(session, message),
        notes=_open_notes(session, message.customer_id),
        events=tuple(session.scalars(events.order_by(MessageEvent.id))),
        moves=moves_from(message.state, Actor.STAFF),
        changed_by_hand=diff_mail(body.plain, content(body)) if body else {},
        changed_since_approval=_since_approval(message, body),
    )


def lapsed(session: Session, message_ids: Collection[str]) -> frozenset[str]:
    """Those of the mails that were approved once and no longer say what was approved."""
    bodies = session.scalars(
        select(MessageBody).where(
            MessageBody.message_id.in_(message_ids), cast(MessageBody.approved, Text) != "{}"
        )
    )
    return frozenset(
        body.message_id
        for body in bodies
        if any(body.approved.get(name, value) != value for name, value in content(body).items())
    )


def _since_approval(message: Message, body: MessageBody | None) -> dict[str, list[Piece]]:
    if body is None or not body.approved or message.approved_hash == content_hash(body):
        return {}
    return diff_mail(body.approved, content(body))


def _orders(session: Session, message_id: str) -> tuple[OrderView, ...]:
    rows = session.execute(
        select(OrderRow, OrderContact, OrderStanding)
        .outerjoin(OrderContact, OrderContact.order_id == OrderRow.id)
        .outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .where(OrderRow.id.in_(select(Occasion.order_id).where(Occasion.message_id == message_id)))
        .order_by(OrderRow.ordered_at, OrderRow.id)
    ).all()
    lines = _lines(session, [order.id for order, _, _ in rows])
    return tuple(
        _order_view(order, contact, standing, lines.get(order.id, ()))
        for order, contact, standing in rows
    )


def _lines(session: Session, order_ids: Sequence[int]) -> dict[int, tuple[LineView, ...]]:
    found: dict[int, tuple[LineView, ...]] = {}
    statement = select(OrderLine).where(OrderLine.order_id.in_(order_ids))
    for line in session.scalars(statement.order_by(OrderLine.order_id, OrderLine.position)):
        view = LineView(line.name, line.sku, line.quantity, line.amount)
        found[line.order_id] = (*found.get(line.order_id, ()), view)
    return found


def _order_view(
    order: OrderRow,
    contact: OrderContact | None,
    standing: OrderStanding | None,
    lines: tuple[LineView, ...],
) -> OrderView:
    return OrderView(
        id=order.id,
        number=order.number,
        ordered_at=order.ordered_at,
        life=order.life,
        payment=order.payment,
        fulfilment=order.fulfilment,
        currency=order.currency,
        total=order.total,
        refunded=order.refunded,
        buyer_comment=contact.buyer_comment if contact else None,
        recipient_name=contact.recipient_name if contact else None,
        gift=order.gift,
        ordinal=standing.ordinal if standing else None,
        visit_number=standing.visit_number if standing else None,
        certainty=standing.certainty if standing else None,
        rank=standing.rank if standing else None,
        rank_facts=dict(standing.facts) if standing else {},
        lines=lines,
    )


def customer_card(
    session: Session, ctx: Context, customer_id: int | None, scope: str, *, now: datetime
) -> CustomerCard | None:
    """The person of a mail; totals over all channels, days by the shop's calendar."""
    if customer_id is None:
        return None
    profile = session.get(CustomerProfile, customer_id)
    overall = session.get(CustomerStanding, (customer_id, OVERALL))
    within = session.get(CustomerStanding, (customer_id, scope))
    count = overall.count if overall else 0
    spend = overall.net_spend if overall else 0
    last = overall.last_order_at if overall else None
    return CustomerCard(
        id=customer_id,
        name=profile.name if profile else None,
        kana=profile.kana if profile else None,
        postal_code=profile.postal_code if profile else None,
        address=profile.address if profile else None,
        phone=profile.phone if profile else None,
        email=profile.email if profile else None,
        birthday=profile.birthday if profile else None,
        lifetime_spend=spend,
        order_count=count,
        average_order=spend // count if count else 0,
        last_order_at=last,
        days_since_last_order=_days(ctx, last, now),
        rank=within.rank if within else None,
        rank_overall=overall.rank if overall else None,
        rank_facts=dict(within.facts) if within else {},
    )


def _days(ctx: Context, last: datetime | None, now: datetime) -> int | None:
    if last is None:
        return None
    return (now.astimezone(ctx.zone).date() - last.astimezone(ctx.zone).date()).days


def _earlier(session: Session, message: Message) -> tuple[EarlierMail, ...]:
    if message.customer_id is None:
        return ()
    rows = session.execute(
        select(Message, MessageBody.subject)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .where(Message.customer_id == message.customer_id, Message.id != message.id)
        .order_by(Message.due_at.desc(), Message.id.desc())
        .limit(_EARLIER)
    )
    return tuple(
        EarlierMail(m.id, m.kind, m.state, subject or "", m.sent_at, m.due_at, m.announced)
        for m, subject in rows
    )


def _open_notes(session: Session, customer_id: int | None) -> tuple[ContactNote, ...]:
    if customer_id is None:
        return ()
    return tuple(
        session.scalars(
            select(ContactNote)
            .where(ContactNote.customer_id == customer_id, ContactNote.state == NoteState.OPEN)
            .order_by(ContactNote.at.desc(), ContactNote.id.desc())
        )
    )
