"""A shop with the shipped documents and texts, and rows as the earlier steps leave them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.documents import KEY
from tests.factories import make_channel, make_customer, make_order_row, tokyo
from worker.documents import load_documents
from worker.mail.texts import FolderSource
from worker.pipeline.context import Context
from worker.pipeline.plan import PlanResult, plan
from worker.rules.keys import address_hash
from worker.rules.shop import Documents
from worker.rules.states import Certainty, ConsentAction, MailKind, MessageState
from worker.store.channels import Channel
from worker.store.customers import Consent, Customer, CustomerStanding, OrderStanding
from worker.store.messages import Message, MessageBody, Occasion
from worker.store.orders import OrderLine, OrderRow

ROOT = Path(__file__).resolve().parents[2]
MONDAY = tokyo("2026-11-16 10:00")
"""A Monday morning with nothing but business days until Friday."""


@cache
def shipped() -> Documents:
    """The documents as they ship."""
    return load_documents(ROOT / "config")


def ctx(**changes: Any) -> Context:
    """A context of the shipped documents; ``changes`` replace whole documents."""
    return Context(documents=replace(shipped(), **changes), texts=FolderSource(ROOT), key=KEY)


def a_shop(session: Session, name: str = "own:main", **fields: Any) -> Channel:
    """A channel that plans everything from the first of November on and was polled just now."""
    values = {
        "active_from": tokyo("2026-11-01"),
        "last_success_at": MONDAY + timedelta(days=90),
    } | fields
    return make_channel(session, name, **values)


def a_visit(
    session: Session,
    channel: Channel,
    customer: Customer,
    number: int | None = 1,
    ordered_at: datetime = MONDAY,
    *,
    rank: str | None = None,
    certainty: Certainty = Certainty.PROVED,
    overall: int | None = None,
    contact: dict[str, Any] | None = None,
    **fields: Any,
) -> OrderRow:
    """An order that is due to be planned, with its standing, one line and a contact."""
    address = f"person{customer.id}@mail.example"
    person = {
        "name": "山田 花子",
        "family_name": "山田",
        "given_name": "花子",
        "email": address,
    } | (contact or {})
    values = {
        "plan_due": True,
        "payment_method": "クレジットカード",
        "created_at": ordered_at,
        "subtotal": 3000,
    } | fields
    order = make_order_row(session, channel, customer, ordered_at, contact=person, **values)
    session.add(
        OrderLine(order_id=order.id, position=0, name="煎茶", sku="T1", quantity=1, amount=3000)
    )
    session.add(
        OrderStanding(
            order_id=order.id,
            customer_id=customer.id,
            scope="own" if channel.family == "own" else channel.name,
            ordinal=number,
            visit_number=number,
            ordinal_overall=number if overall is None else overall,
            certainty=certainty,
            rank=rank or ("first" if number == 1 else "repeat"),
        )
    )
    session.flush()
    return order


def silent_since(session: Session, customer: Customer, last: OrderRow, scope: str = "own") -> None:
    """The standing of a customer whose last order is this one."""
    session.add(
        CustomerStanding(
            customer_id=customer.id,
            scope=scope,
            rank="repeat",
            count=1,
            visits=1,
            net_spend=3000,
            last_order_at=last.ordered_at,
            certainty=Certainty.PROVED,
        )
    )
    session.flush()


def agree(session: Session, channel: Channel, address: str, at: datetime = MONDAY) -> None:
    """A consent row of this address on this channel."""
    session.add(
        Consent(
            channel_id=channel.id,
            address_hash=address_hash(KEY, address),
            action=ConsentAction.IMPORTED,
            method="import",
            occurred_at=at,
            recorded_at=at,
        )
    )
    session.flush()


def planned(session: Session, using: Context | None = None, now: datetime = MONDAY) -> PlanResult:
    """Run the step and write everything out."""
    result = plan(session, using or ctx(), now)
    session.flush()
    return result


def due_again(session: Session, *orders: OrderRow) -> None:
    """Put orders on the work list, as a change of theirs does."""
    for order in orders:
        order.plan_due = True
    session.flush()


def occasion(session: Session, order: OrderRow, kind: MailKind) -> Occasion:
    """The occasion of an order."""
    found = session.scalars(
        select(Occasion).where(Occasion.order_id == order.id, Occasion.kind == kind)
    )
    return found.one()


def said(
    session: Session, order: OrderRow, kind: MailKind = MailKind.ORDER_THANKS
) -> tuple[str, str]:
    """Outcome and code of an order's occasion."""
    row = occasion(session, order, kind)
    return row.outcome.value, row.reason["code"]


def message_of(
    session: Session, order: OrderRow, kind: MailKind = MailKind.ORDER_THANKS
) -> Message:
    """The message that carries an order's occasion."""
    message_id = occasion(session, order, kind).message_id
    assert message_id is not None
    return session.get_one(Message, message_id)


def body_of(session: Session, message: Message) -> MessageBody:
    """The words of a message."""
    return session.get_one(MessageBody, message.id)


def send(session: Session, message: Message, at: datetime = MONDAY) -> None:
    """Let a message have left."""
    message.state, message.sent_at = MessageState.SENT, at
    session.flush()


def a_person(session: Session, **profile: Any) -> Customer:
    """A customer with nothing due."""
    return make_customer(session, **profile)
