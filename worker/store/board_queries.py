"""What the first page of the desk reads of regulars, of new customers and of what waits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.states import WAITING, MailKind, MessageState
from worker.store.channels import Channel
from worker.store.customers import (
    ContactNote,
    CustomerProfile,
    CustomerStanding,
    OrderStanding,
)
from worker.store.list_queries import OVERALL, Wanted, page
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.reach_queries import chunks

COUNTED = 1000
"""A count on the first page goes no further."""


def most_frequent(session: Session, ranks: Sequence[str], limit: int) -> list[sa.RowMapping]:
    """Lines of the people with most visits, so many of each rank; a walk along an index."""
    found: list[sa.RowMapping] = []
    for rank in ranks:
        found += page(session, Wanted(rank=rank, sort="visits"), limit=limit).lines
    return found


def visit_days(session: Session, customer_ids: Collection[int]) -> dict[int, list[date]]:
    """Days of the counting visits of each, the oldest first."""
    found: dict[int, list[date]] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            sa.select(OrderRow.customer_id, OrderRow.ordered_on)
            .where(OrderRow.customer_id.in_(part), OrderRow.visit_counting)
            .order_by(OrderRow.ordered_on)
        )
        for customer_id, day in rows:
            found.setdefault(customer_id or 0, []).append(day)
    return found


def next_questions(
    session: Session, customer_ids: Collection[int]
) -> dict[int, tuple[str, date | None]]:
    """What is to be asked next of each, by the earliest date; (words, by when)."""
    found: dict[int, tuple[str, date | None]] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            sa.select(ContactNote.customer_id, ContactNote.ask_next, ContactNote.ask_by)
            .where(
                ContactNote.customer_id.in_(part),
                sa.text("contact_notes.state = 'open'"),
                ContactNote.ask_next != "",
            )
            .order_by(ContactNote.ask_by.is_(None), ContactNote.ask_by, ContactNote.id)
        )
        for customer_id, words, by in rows:
            found.setdefault(customer_id, (words, by))
    return found


def scopes_of(session: Session, customer_ids: Collection[int]) -> dict[int, list[tuple[str, int]]]:
    """(scope, visits) of each within its scopes, most visits first."""
    found: dict[int, list[tuple[str, int]]] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            sa.select(CustomerStanding.customer_id, CustomerStanding.scope, CustomerStanding.visits)
            .where(CustomerStanding.customer_id.in_(part), CustomerStanding.scope != OVERALL)
            .order_by(CustomerStanding.visits.desc(), CustomerStanding.scope)
        )
        for customer_id, scope, visits in rows:
            found.setdefault(customer_id, []).append((scope, visits))
    return found


def win_backs(session: Session, customer_ids: Collection[int]) -> dict[int, datetime]:
    """When a win-back mail of each is due, the nearest."""
    found: dict[int, datetime] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            sa.select(Message.customer_id, Message.due_at)
            .where(
                Message.customer_id.in_(part),
                Message.kind == MailKind.WIN_BACK,
                Message.state.in_(WAITING),
            )
            .order_by(Message.due_at)
        )
        for customer_id, due_at in rows:
            found.setdefault(customer_id or 0, due_at)
    return found


_FIRST = (
    OrderStanding.ordinal_overall == 1,
    OrderRow.life == "open",
    OrderRow.customer_id.is_not(None),
)


def first_orders(session: Session, since: datetime, limit: int) -> Sequence[Any]:
    """(order id, customer id, name, channel, time) of first orders since then, the newest first."""
    return session.execute(
        sa.select(
            OrderRow.id,
            OrderRow.customer_id,
            CustomerProfile.name,
            Channel.name.label("channel"),
            OrderRow.ordered_at,
        )
        .join(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == OrderRow.customer_id)
        .where(OrderRow.ordered_at >= since, *_FIRST)
        .order_by(OrderRow.ordered_at.desc(), OrderRow.id.desc())
        .limit(limit)
    ).all()


def count_first_orders(session: Session, since: datetime) -> int:
    """How many first orders since then; ``COUNTED`` where there are as many or more."""
    ids = (
        sa.select(OrderRow.id)
        .join(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .where(OrderRow.ordered_at >= since, *_FIRST)
        .limit(COUNTED)
    )
    return session.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0


def mails_about(
    session: Session, order_ids: Collection[int]
) -> dict[tuple[int, MailKind], tuple[Occasion, Message | None]]:
    """The occasion of each order and kind, with the message that carries it."""
    rows = session.execute(
        sa.select(Occasion, Message)
        .outerjoin(Message, Message.id == Occasion.message_id)
        .where(
            Occasion.order_id.in_(order_ids),
            Occasion.kind.in_((MailKind.ORDER_THANKS, MailKind.FOLLOW_UP)),
        )
        .order_by(Occasion.id)
    )
    return {(row[0].order_id or 0, row[0].kind): (row[0], row[1]) for row in rows}


def count_open_notes(session: Session) -> int:
    """How many contact notes still want something; ``COUNTED`` at most."""
    ids = sa.select(ContactNote.id).where(sa.text("contact_notes.state = 'open'")).limit(COUNTED)
    return session.scalar(sa.select(sa.func.count()).select_from(ids.subquery())) or 0


def next_to_review(session: Session, now: datetime) -> tuple[datetime, MailKind] | None:
    """When the next mail comes to be read, and of which kind."""
    row = session.execute(
        sa.select(Message.review_at, Message.kind)
        .where(Message.state == MessageState.SCHEDULED, Message.review_at > now)
        .order_by(Message.review_at)
        .limit(1)
    ).first()
    return (row[0], row[1]) if row and row[0] else None


def waiting_by_kind(session: Session) -> Sequence[Any]:
    """(kind, rank, flagged, number) of what waits to be read."""
    flagged = sa.cast(Message.flags, sa.Text) != "[]"
    return session.execute(
        sa.select(Message.kind, Message.rank, flagged.label("flagged"), sa.func.count().label("n"))
        .where(Message.state == MessageState.IN_REVIEW)
        .group_by(Message.kind, Message.rank, flagged)
    ).all()
