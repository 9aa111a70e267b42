"""What the guide of the first week reads: how much past there is, who agreed, what was compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.states import CandidateState, Certainty, QuarantineState
from worker.store.channels import Channel
from worker.store.customers import Candidate, Consent, Customer, CustomerStanding
from worker.store.list_queries import OVERALL
from worker.store.orders import OrderRow, Quarantine
from worker.store.reach_queries import AGREED
from worker.store.rehearsals import HubMail
from worker.store.running import Audit


@dataclass(frozen=True, slots=True)
class Past:
    """The ledger in numbers. ``certainty`` counts people by how sure their number is."""

    orders: int
    first: date | None
    last: date | None
    customers: int
    certainty: Mapping[Certainty, int]
    quarantined: int
    candidates: int


def past(session: Session) -> Past:
    """Count the ledger; it reads the standings of everybody once."""
    first, last = session.execute(
        sa.select(sa.func.min(OrderRow.ordered_on), sa.func.max(OrderRow.ordered_on))
    ).one()
    sure = session.execute(
        sa.select(CustomerStanding.certainty, sa.func.count())
        .where(CustomerStanding.scope == OVERALL)
        .group_by(CustomerStanding.certainty)
    ).all()
    certainty = {row[0]: row[1] for row in sure}
    return Past(
        orders=_count(session, sa.select(sa.func.count()).select_from(OrderRow)),
        first=first,
        last=last,
        customers=sum(certainty.values()),
        certainty=certainty,
        quarantined=_count(
            session,
            sa.select(sa.func.count()).where(Quarantine.state == QuarantineState.OPEN),
        ),
        candidates=_count(
            session, sa.select(sa.func.count()).where(Candidate.state == CandidateState.OPEN)
        ),
    )


def _count(session: Session, query: sa.Select[int]) -> int:
    return session.scalar(query) or 0


def _agreeing() -> sa.Select[int]:
    """People whose newest word on an own shop is yes; a merged person counts as who they became."""
    rank = sa.func.row_number().over(
        partition_by=(Consent.channel_id, Consent.address_hash),
        order_by=(Consent.occurred_at.desc(), Consent.id.desc()),
    )
    newest = (
        sa.select(Consent.customer_id, Consent.action, rank.label("place"))
        .join(Channel, Channel.id == Consent.channel_id)
        .where(Channel.family == "own")
        .subquery()
    )
    person = sa.func.coalesce(Customer.merged_into, Customer.id)
    return (
        sa.select(person)
        .join(newest, newest.c.customer_id == Customer.id)
        .where(newest.c.place == 1, newest.c.action.in_(AGREED))
        .distinct()
    )


def coverage(session: Session, visits: int) -> tuple[int, int]:
    """(people who reached so many visits in some scope, those of them who agreed)."""
    reached = (
        sa.select(CustomerStanding.customer_id)
        .where(CustomerStanding.scope != OVERALL, CustomerStanding.visits >= visits)
        .distinct()
        .subquery()
    )
    agreeing = _agreeing().subquery()
    column = agreeing.c[0]
    both = sa.select(sa.func.count()).select_from(reached.join(agreeing, column == reached.c[0]))
    return _count(session, sa.select(sa.func.count()).select_from(reached)), _count(session, both)


def days_compared(session: Session) -> int:
    """Of the channel and kind told best: so many days have an order the other system wrote about.

    Days are those of the orders, in the shop's zone.
    """
    rows = session.scalars(
        sa.select(sa.func.count(sa.distinct(OrderRow.ordered_on)))
        .select_from(HubMail)
        .join(
            OrderRow,
            (OrderRow.channel_id == HubMail.channel_id) & (OrderRow.number == HubMail.number),
        )
        .group_by(HubMail.channel_id, HubMail.kind)
    )
    return max(rows, default=0)


def newest_audit(session: Session, action: str) -> Audit | None:
    """The newest row of an action."""
    return session.scalars(
        sa.select(Audit).where(Audit.action == action).order_by(Audit.id.desc()).limit(1)
    ).first()


def channels_with_orders(session: Session) -> set[str]:
    """Names of the channels that have brought an order: one look into an index for each."""
    some = sa.exists().where(OrderRow.channel_id == Channel.id)
    return set(session.scalars(sa.select(Channel.name).where(some)))


def any_quarantined(session: Session) -> bool:
    """Whether an order waits to be mended."""
    some = sa.exists().where(Quarantine.state == QuarantineState.OPEN)
    return bool(session.scalar(sa.select(some)))


def any_standing(session: Session) -> bool:
    """Whether anybody's visits in a scope have been counted."""
    query = sa.select(CustomerStanding.customer_id).where(
        CustomerStanding.scope != OVERALL, CustomerStanding.visits >= 1
    )
    return session.scalar(query.limit(1)) is not None
