"""What a change of the settings may reach: people by rank, occasions that may turn out anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from worker.rules.states import CUSTOMER_KINDS, WAITING, MailKind, MessageState, Outcome
from worker.store.bulk import among
from worker.store.channels import Channel
from worker.store.customers import Customer, CustomerProfile, CustomerStanding
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow

OVERALL = "*"
CHUNK = 400
"""Orders or people that are judged together."""

_OPEN_ANSWERS = (
    Outcome.MESSAGE,
    Outcome.HANDOFF,
    Outcome.WAITING,
    Outcome.NOT_WANTED,
    Outcome.CAPPED,
    Outcome.OTHER_SENDER,
    Outcome.NOT_ACTIVE,
    Outcome.TOO_LATE,
    Outcome.NO_CONSENT,
    Outcome.FORBIDDEN,
)
"""Answers that other documents may turn; what was cancelled or suppressed has other reasons."""

_MAY_TURN = and_(
    Occasion.outcome.in_(_OPEN_ANSWERS),
    or_(Message.id.is_(None), Message.state.in_(WAITING | {MessageState.HANDOFF})),
)


@dataclass(frozen=True, slots=True)
class Carried:
    """A mail that has not left, with what it would be written anew from."""

    id: str
    kind: MailKind
    channel_id: int
    state: MessageState
    rank: str | None
    edited: bool
    advertising: bool


def people_by_rank(session: Session) -> dict[str, int]:
    """How many people hold each rank over all channels."""
    rows = session.execute(
        select(CustomerStanding.rank, func.count())
        .where(CustomerStanding.scope == OVERALL, CustomerStanding.rank.is_not(None))
        .group_by(CustomerStanding.rank)
    )
    return {str(row[0]): row[1] for row in rows}


def ranks_held(session: Session, customer_ids: Sequence[int]) -> dict[int, str | None]:
    """Rank over all channels of these people, as stored."""
    rows = session.execute(
        select(CustomerStanding.customer_id, CustomerStanding.rank).where(
            CustomerStanding.scope == OVERALL,
            among(session, CustomerStanding.customer_id, customer_ids),
        )
    )
    return {row[0]: row[1] for row in rows}


def orders_that_may_turn(session: Session, since: datetime) -> Iterator[list[int]]:
    """Orders whose occasions may come out otherwise, in chunks by id."""
    last = 0
    while True:
        rows = session.scalars(
            select(Occasion.order_id)
            .outerjoin(Message, Message.id == Occasion.message_id)
            .where(
                Occasion.order_id > last,
                Occasion.kind.not_in(CUSTOMER_KINDS),
                or_(Occasion.created_at >= since, Message.id.is_not(None)),
                _MAY_TURN,
            )
            .distinct()
            .order_by(Occasion.order_id)
            .limit(CHUNK)
        )
        found = [order_id for order_id in rows if order_id is not None]
        if not found:
            return
        last = found[-1]
        yield found


def people_that_may_turn(session: Session, since: datetime) -> list[int]:
    """People with a milestone or win-back occasion that may come out otherwise."""
    rows = session.scalars(
        select(Occasion.customer_id)
        .outerjoin(Message, Message.id == Occasion.message_id)
        .where(
            Occasion.customer_id.is_not(None),
            Occasion.kind.in_(CUSTOMER_KINDS),
            or_(Occasion.created_at >= since, Message.id.is_not(None)),
            _MAY_TURN,
        )
        .distinct()
    )
    return sorted(person for person in rows if person is not None)


def carried_messages(session: Session, ids: Sequence[str]) -> dict[str, Carried]:
    """Messages by id, without a lock: this only counts."""
    rows = session.execute(
        select(
            *(Message.id, Message.kind, Message.channel_id, Message.state, Message.rank),
            *(Message.edited, Message.advertising),
        ).where(Message.id.in_(ids))
    )
    return {row.id: Carried(*row) for row in rows}


def waiting_by_kind(session: Session) -> dict[MailKind, int]:
    """How many mails of each kind have not left."""
    rows = session.execute(
        select(Message.kind, func.count()).where(Message.state.in_(WAITING)).group_by(Message.kind)
    )
    return {row[0]: row[1] for row in rows}


def mark_to_plan(session: Session, orders: Sequence[int], people: Sequence[int]) -> None:
    """Put orders and people on the plan's work list."""
    for ids, table in ((orders, OrderRow), (people, Customer)):
        if ids:
            session.execute(
                update(table).where(among(session, table.id, ids)).values(plan_due=True)
            )


def names_of(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    """Names of a few people, for the eye of who may see them."""
    rows = session.execute(
        select(CustomerProfile.customer_id, CustomerProfile.name).where(
            CustomerProfile.customer_id.in_(customer_ids)
        )
    )
    return {row[0]: row[1] or "" for row in rows}


def bought_since(session: Session, since: date) -> list[tuple[int, int]]:
    """(counting orders, net spend) after a day of everybody who bought after it."""
    rows = session.execute(
        select(func.count(), func.sum(OrderRow.spend))
        .where(OrderRow.counting, OrderRow.ordered_on > since, OrderRow.customer_id.is_not(None))
        .group_by(OrderRow.customer_id)
    )
    return [(row[0], int(row[1] or 0)) for row in rows]


def channels_by_name(session: Session) -> list[Channel]:
    """All channels."""
    return list(session.scalars(select(Channel).order_by(Channel.name)))


def orders_since(session: Session, since: date) -> dict[int, int]:
    """Number of orders after a day by channel."""
    rows = session.execute(
        select(OrderRow.channel_id, func.count())
        .where(OrderRow.ordered_on > since)
        .group_by(OrderRow.channel_id)
    )
    return {row[0]: row[1] for row in rows}


def waiting_of(session: Session, kind: MailKind, channel_id: int) -> list[Message]:
    """Mails of a kind and channel that have not left, locked."""
    return list(
        session.scalars(
            select(Message)
            .where(
                Message.kind == kind, Message.channel_id == channel_id, Message.state.in_(WAITING)
            )
            .order_by(Message.id)
            .with_for_update()
        )
    )
