"""Rows for tests: plain functions that build one thing each, with everything else filled in."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from connectors.contract import Buyer, Family, Fulfilment, Life, Line, Order, Payment, Recipient
from worker.rules.states import MailKind, MessageState, Outcome
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer, CustomerProfile
from worker.store.messages import Message, MessageBody, Occasion
from worker.store.orders import OrderContact, OrderRow

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
"""Noon in Tokyo on a Friday; the ``now`` of tests that need just some."""

TOKYO = ZoneInfo("Asia/Tokyo")
_numbers = itertools.count(1)
_MEMBERS = {"buyer": Buyer, "recipient": Recipient}


def tokyo(text: str) -> datetime:
    """An instant from its Tokyo wall clock, e.g. ``2026-11-20 12:00`` or ``2026-11-20``."""
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO).astimezone(UTC)


def make_channel(
    session: Session,
    name: str = "own:shop",
    *,
    active_from: datetime | None = None,
    **fields: Any,
) -> Channel:
    """A channel; the family is what stands before the colon. ``active_from``: for all kinds."""
    values = {"kind": "csv_file", "family": name.partition(":")[0], "created_at": NOW} | fields
    channel = Channel(name=name, **values)
    session.add(channel)
    session.flush()
    if active_from is not None:
        session.add_all(
            ChannelKind(channel_id=channel.id, kind=kind, active_from=active_from, by="test")
            for kind in MailKind
        )
        session.flush()
    return channel


def an_order(external_id: str | None = None, **fields: Any) -> Order:
    """An order of the contract; ``present`` is what was given, unless given itself.

    ``buyer`` and ``recipient`` may be dictionaries; money is in yen. An order told nothing
    else is open, paid, unshipped and costs 3,000 yen.
    """
    external_id = external_id or f"A-{next(_numbers):06d}"
    plain: dict[str, Any] = {
        "life": Life.OPEN,
        "payment": Payment.PAID,
        "fulfilment": Fulfilment.UNSHIPPED,
        "total": 3000,
    }
    fields = plain | fields
    present = fields.pop("present", None)
    names: set[str] = set()
    for name, value in list(fields.items()):
        if name in _MEMBERS and isinstance(value, dict):
            fields[name] = _MEMBERS[name](**value)
            names |= {f"{name}.{member}" for member in value}
        elif name in _MEMBERS and value is not None:
            told = {k for k in value.__slots__ if getattr(value, k) is not None}
            names |= {f"{name}.{member}" for member in told}
        else:
            names.add(name)
    base: dict[str, Any] = {"number": external_id, "ordered_at": NOW, "currency": "JPY"}
    given = frozenset(names | set(base)) if present is None else frozenset(present)
    return Order(external_id=external_id, present=given, **{**base, **fields})


def a_buyer(name: str = "山田 花子", **fields: Any) -> dict[str, Any]:
    """Buyer fields with a mail address, to be given to ``an_order(buyer=...)``."""
    number = next(_numbers)
    return {"name": name, "email": f"buyer{number}@mail.example"} | fields


def some_lines(*names: str) -> tuple[Line, ...]:
    """One line per name, 1,000 yen each."""
    return tuple(Line(name=name, sku=name, unit_price=1000, amount=1000) for name in names)


def make_customer(session: Session, **profile: Any) -> Customer:
    """A customer with a profile and nothing due; ``profile`` are fields of CustomerProfile."""
    customer = Customer(rank_due=False, plan_due=False, created_at=NOW)
    session.add(customer)
    session.flush()
    number = next(_numbers)
    values = {"name": "山田 花子", "email": f"customer{number}@mail.example"} | profile
    session.add(CustomerProfile(customer_id=customer.id, **values))
    session.flush()
    return customer


def make_order_row(
    session: Session,
    channel: Channel,
    customer: Customer | None = None,
    ordered_at: datetime = NOW,
    *,
    contact: dict[str, Any] | None = None,
    **fields: Any,
) -> OrderRow:
    """An order as a row, past ingest and identify, counting and with nothing due.

    For tests of later steps that want to say exactly what stands in the row. ``contact``
    are fields of OrderContact.
    """
    external_id = fields.pop("external_id", None) or f"R-{next(_numbers):06d}"
    local_day: date = ordered_at.astimezone(TOKYO).date()
    total = fields.get("total", 3000)
    values: dict[str, Any] = {
        "number": external_id,
        "ordered_on": local_day,
        "life": Life.OPEN.value,
        "payment": Payment.PAID.value,
        "fulfilment": Fulfilment.UNSHIPPED.value,
        "payment_kind": "card",
        "currency": "JPY",
        "total": total,
        "counting": True,
        "visit_counting": True,
        "spend": total,
        "content_hash": "",
        "created_at": NOW,
        "changed_at": NOW,
        "identify_due": False,
        "plan_due": False,
    }
    order = OrderRow(
        channel_id=channel.id,
        external_id=external_id,
        ordered_at=ordered_at,
        customer_id=customer.id if customer else None,
        **(values | fields),
    )
    session.add(order)
    session.flush()
    session.add(OrderContact(order_id=order.id, **(contact or {})))
    session.flush()
    return order


def make_message(
    session: Session,
    channel: Channel,
    customer: Customer | None = None,
    *,
    state: MessageState = MessageState.SCHEDULED,
    orders: tuple[OrderRow, ...] = (),
    body: dict[str, Any] | None = None,
    **fields: Any,
) -> Message:
    """A message in a state, with one occasion for each of its orders and, if given, a body."""
    values = {
        "id": f"01TEST{next(_numbers):020d}",
        "kind": MailKind.ORDER_THANKS,
        "family": channel.family,
        "scope": "own" if channel.family == Family.OWN else channel.name,
        "due_at": NOW,
        "created_at": NOW,
    } | fields
    message = Message(
        channel_id=channel.id, customer_id=customer.id if customer else None, state=state, **values
    )
    session.add(message)
    session.flush()
    for order in orders:
        make_occasion(session, channel, order, message)
    if body is not None:
        session.add(MessageBody(message_id=message.id, **body))
    session.flush()
    return message


def make_occasion(
    session: Session, channel: Channel, order: OrderRow, message: Message | None = None
) -> Occasion:
    """The occasion of an order, carried by the message or still waiting."""
    occasion = Occasion(
        kind=message.kind if message else MailKind.ORDER_THANKS,
        step=message.step if message else "",
        subject=f"order:{channel.name}:{order.external_id}",
        channel_id=channel.id,
        order_id=order.id,
        customer_id=order.customer_id,
        outcome=Outcome.MESSAGE if message else Outcome.WAITING,
        message_id=message.id if message else None,
        created_at=NOW,
        changed_at=NOW,
    )
    session.add(occasion)
    session.flush()
    return occasion
