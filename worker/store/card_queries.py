"""What the card of one customer is made of: the newest of each kind of thing that happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from worker.rules.states import GrantState, Outcome
from worker.store.channels import Channel
from worker.store.customers import (
    Consent,
    CustomerStanding,
    Merge,
    OrderStanding,
    RankHistory,
    RankPin,
    Suppression,
)
from worker.store.messages import Message, MessageBody, Occasion
from worker.store.orders import OrderLine, OrderRow
from worker.store.rewards import Grant, PackingItem

OVERALL = "*"


def orders_of(session: Session, customer_id: int, limit: int) -> Sequence[Any]:
    """(order, standing, channel name), the newest first."""
    return session.execute(
        select(OrderRow, OrderStanding, Channel.name)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .where(OrderRow.customer_id == customer_id)
        .order_by(OrderRow.ordered_at.desc(), OrderRow.id.desc())
        .limit(limit)
    ).all()


def item_lines(session: Session, order_ids: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """(name, quantity) of each order's lines."""
    found: dict[int, list[tuple[str, int]]] = {}
    rows = session.execute(
        select(OrderLine.order_id, OrderLine.name, OrderLine.quantity)
        .where(OrderLine.order_id.in_(order_ids))
        .order_by(OrderLine.order_id, OrderLine.position)
    )
    for order_id, name, quantity in rows:
        found.setdefault(order_id, []).append((name, quantity))
    return found


def packed_of(session: Session, order_ids: Sequence[int]) -> dict[int, list[PackingItem]]:
    """What was or is put into each order's parcel."""
    found: dict[int, list[PackingItem]] = {}
    rows = session.scalars(
        select(PackingItem)
        .where(PackingItem.order_id.in_(order_ids), PackingItem.withdrawn_at.is_(None))
        .order_by(PackingItem.id)
    )
    for item in rows:
        found.setdefault(item.order_id, []).append(item)
    return found


def order_days(session: Session, customer_id: int) -> Sequence[Any]:
    """Days of all counting visits, the oldest first: the person's own rhythm."""
    return session.scalars(
        select(OrderRow.ordered_on)
        .where(OrderRow.customer_id == customer_id, OrderRow.visit_counting)
        .order_by(OrderRow.ordered_on)
    ).all()


def mails_of(session: Session, members: Sequence[int], limit: int) -> Sequence[Any]:
    """(message, subject, channel name), the newest first."""
    at = func.coalesce(Message.sent_at, Message.due_at)
    return session.execute(
        select(Message, MessageBody.subject, Channel.name)
        .join(Channel, Channel.id == Message.channel_id)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .where(Message.customer_id.in_(members))
        .order_by(at.desc(), Message.id.desc())
        .limit(limit)
    ).all()


def unmailed_of(session: Session, members: Sequence[int], limit: int) -> Sequence[Occasion]:
    """Occasions that led to no mail, the newest first (P4)."""
    return session.scalars(
        select(Occasion)
        .where(
            Occasion.customer_id.in_(members),
            Occasion.outcome != Outcome.MESSAGE,
            Occasion.message_id.is_(None),
        )
        .order_by(Occasion.changed_at.desc(), Occasion.id.desc())
        .limit(limit)
    ).all()


def rank_changes_of(session: Session, customer_id: int, limit: int) -> Sequence[RankHistory]:
    """Changes of rank, the newest first."""
    return session.scalars(
        select(RankHistory)
        .where(RankHistory.customer_id == customer_id)
        .order_by(RankHistory.at.desc(), RankHistory.id.desc())
        .limit(limit)
    ).all()


def merges_of(session: Session, members: Sequence[int], limit: int) -> Sequence[Merge]:
    """Merges that made this customer, and those that were undone, the newest first."""
    return session.scalars(
        select(Merge)
        .where(or_(Merge.kept_id.in_(members), Merge.merged_id.in_(members)))
        .order_by(Merge.at.desc(), Merge.id.desc())
        .limit(limit)
    ).all()


def grants_of_person(session: Session, members: Sequence[int]) -> Sequence[Grant]:
    """Rewards of the person, the newest first; those before the start say nothing."""
    return session.scalars(
        select(Grant)
        .where(Grant.customer_id.in_(members), Grant.state != GrantState.BEFORE_START)
        .order_by(Grant.changed_at.desc(), Grant.id.desc())
    ).all()


def standings_of(session: Session, customer_id: int) -> dict[str, CustomerStanding]:
    """Standing by scope, the whole under ``*``."""
    rows = session.scalars(
        select(CustomerStanding)
        .where(CustomerStanding.customer_id == customer_id)
        .order_by(CustomerStanding.visits.desc(), CustomerStanding.scope)
    )
    return {row.scope: row for row in rows}


def pins_of(session: Session, customer_id: int) -> dict[str, RankPin]:
    """Pins by scope."""
    rows = session.scalars(select(RankPin).where(RankPin.customer_id == customer_id))
    return {row.scope: row for row in rows}


def suppressions_of(
    session: Session, members: Sequence[int], hashes: Sequence[str]
) -> Sequence[Suppression]:
    """Blocks in force of the person or of these addresses, the oldest first."""
    return session.scalars(
        select(Suppression)
        .where(
            Suppression.lifted_at.is_(None),
            or_(Suppression.customer_id.in_(members), Suppression.address_hash.in_(hashes)),
        )
        .order_by(Suppression.id)
    ).all()


def consents_of(session: Session, hashes: Sequence[str]) -> dict[tuple[int, str], Consent]:
    """The newest word of each (channel, address)."""
    rows = session.scalars(
        select(Consent)
        .where(Consent.address_hash.in_(hashes))
        .order_by(Consent.occurred_at, Consent.id)
    )
    return {(row.channel_id, row.address_hash): row for row in rows}
