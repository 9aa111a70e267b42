"""Customers that an undone import leaves with nothing: they go, with all that was kept of them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.store.customers import (
    Candidate,
    Consent,
    ContactNote,
    Customer,
    CustomerProfile,
    CustomerStanding,
    Identity,
    IdentityLink,
    Merge,
    OpeningCount,
    OrderStanding,
    ProfileEntry,
    RankHistory,
    RankPin,
    Suppression,
)
from worker.store.messages import Message, Occasion
from worker.store.order_queries import chunks
from worker.store.orders import OrderRow
from worker.store.rewards import Grant

_HOLDS_ON = (
    OrderRow.customer_id,
    OrderStanding.customer_id,
    ContactNote.customer_id,
    RankPin.customer_id,
    ProfileEntry.customer_id,
    Suppression.customer_id,
    Grant.customer_id,
    Message.customer_id,
    Occasion.customer_id,
    Customer.merged_into,
    Merge.kept_id,
    Merge.merged_id,
)
"""Whoever has one of these is still somebody."""


def remove_orphans(session: Session, customer_ids: Iterable[int]) -> list[int]:
    """Remove those who have no order and no history of their own; gives those who stay."""
    session.flush()
    stay: list[int] = []
    for part in chunks(sorted(customer_ids)):
        held: set[int] = set()
        for column in _HOLDS_ON:
            held |= set(session.scalars(sa.select(column).where(column.in_(part)).distinct()))
        gone = [number for number in part if number not in held]
        stay += [number for number in part if number in held]
        if gone:
            _remove(session, gone)
    return stay


def _remove(session: Session, gone: list[int]) -> None:
    session.execute(
        sa.update(Consent).where(Consent.customer_id.in_(gone)).values(customer_id=None)
    )
    keys = sa.select(Identity.id).where(Identity.customer_id.in_(gone))
    session.execute(
        sa.delete(IdentityLink).where(
            IdentityLink.customer_id.in_(gone) | IdentityLink.identity_id.in_(keys)
        )
    )
    # A key may stand at an order of somebody else: it stays, tied to nobody.
    session.execute(
        sa.update(Identity).where(Identity.customer_id.in_(gone)).values(customer_id=None)
    )
    session.execute(
        sa.delete(Candidate).where(Candidate.customer_a.in_(gone) | Candidate.customer_b.in_(gone))
    )
    for model in (CustomerProfile, CustomerStanding, RankHistory, OpeningCount):
        session.execute(sa.delete(model).where(model.customer_id.in_(gone)))
    session.execute(sa.delete(Customer).where(Customer.id.in_(gone)))
