"""What planning reads of people as such: milestones reached, grants, the last order, addresses."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select, true
from sqlalchemy.orm import Session

from worker.rules.states import MAYBE_OUT, OUT, Certainty, GrantState, MailKind, Outcome
from worker.store.channels import Channel
from worker.store.customers import Customer, CustomerStanding, OrderStanding
from worker.store.entry_queries import entries_of
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderContact, OrderRow
from worker.store.reach_queries import chunks
from worker.store.rewards import Grant
from worker.store.standing_queries import groups

TAKEN_BACK = frozenset(
    {GrantState.RELEASED, GrantState.VOIDED, GrantState.EXPIRED, GrantState.DECLINED}
)
"""A reward that is not, or no more, the person's."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The order by which a person reached a visit number in a scope."""

    customer_id: int
    scope: str
    number: int
    order_id: int
    ordinal: int
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class LastOrder:
    """The last counting order of a person in a scope, and the days of all visits there."""

    customer_id: int
    scope: str
    order_id: int
    channel_id: int
    external_id: str
    ordered_at: datetime
    rank: str | None
    visit_number: int | None
    visit_days: tuple[date, ...]


def reached_numbers(
    session: Session, customer_ids: Collection[int], least: int, since: datetime
) -> list[Reached]:
    """Visit numbers from ``least`` on, each with its first order, for orders since then."""
    best: dict[tuple[int, str, int], Reached] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            select(
                OrderStanding.customer_id,
                OrderStanding.scope,
                OrderStanding.visit_number.label("number"),
                OrderStanding.order_id,
                OrderStanding.ordinal,
                OrderStanding.certainty,
            )
            .join(OrderRow, OrderRow.id == OrderStanding.order_id)
            .where(
                OrderStanding.customer_id.in_(part),
                OrderStanding.visit_number >= least,
                OrderRow.ordered_at >= since,
                OrderRow.counting,
            )
        ).mappings()
        for row in rows:
            found = Reached(**row)
            key = (found.customer_id, found.scope, found.number)
            if key not in best or found.ordinal < best[key].ordinal:
                best[key] = found
    return list(best.values())


def grants_of(
    session: Session, customer_ids: Collection[int]
) -> dict[tuple[int, str, int], GrantState]:
    """State of each grant by (person, scope, milestone), whoever it was made for (P7).

    A grant belongs to whoever its order belongs to now, through merge and unmerge; without an
    order, to the person its customer was merged into. One in force hides one taken back.
    """
    found: dict[tuple[int, str, int], GrantState] = {}
    for part in chunks(customer_ids):
        members = groups(session, part)
        theirs = select(OrderRow.id).where(OrderRow.customer_id.in_(part))
        rows = session.execute(
            select(
                *(Grant.scope, Grant.milestone, Grant.state, Grant.customer_id),
                OrderRow.customer_id.label("owner"),
            )
            .outerjoin(OrderRow, OrderRow.id == Grant.order_id)
            .where(
                or_(
                    Grant.order_id.in_(theirs),
                    and_(Grant.order_id.is_(None), Grant.customer_id.in_(list(members))),
                )
            )
            .order_by(Grant.id)
        )
        for row in rows:
            key = (row.owner or members[row.customer_id], row.scope, row.milestone)
            if key not in found or found[key] in TAKEN_BACK:
                found[key] = row.state
    return found


def milestones_said(session: Session, customer_ids: Collection[int]) -> dict[tuple[int, str], str]:
    """Subject of the milestone mail that left or may have left, by (person, ``scope:number``).

    A mail counts for its own customer, for whoever that one was merged into, and for whoever
    its order belongs to now. The messages are locked: dispatch may be taking one of them.
    """
    found: dict[tuple[int, str], str] = {}
    for part in chunks(customer_ids):
        members = groups(session, part)
        rows = session.execute(
            select(Occasion.subject, Occasion.customer_id, OrderRow.customer_id, Message.state)
            .join(Message, Message.id == Occasion.message_id)
            .outerjoin(OrderRow, OrderRow.id == Occasion.order_id)
            .where(
                Occasion.kind == MailKind.MILESTONE,
                Occasion.outcome == Outcome.MESSAGE,
                or_(
                    Occasion.customer_id.in_(list(members)),
                    Occasion.order_id.in_(
                        select(OrderRow.id).where(OrderRow.customer_id.in_(part))
                    ),
                ),
            )
            .order_by(Message.id)
            .with_for_update(of=Message)
        )
        for subject, customer_id, owner, state in rows:
            if state in MAYBE_OUT:
                number = subject.split(":", 2)[2]
                for person in (members.get(customer_id or 0), owner):
                    if person is not None:
                        found[person, number] = subject
    return found


def with_kin(session: Session, customer_ids: Collection[int]) -> list[int]:
    """These people, those merged into them, and those who hold an open mail of their orders.

    What a merge or its undoing moves from one to the other is judged for both at once, or both
    would be mailed, or nobody.
    """
    found: set[int] = set(customer_ids)
    for part in chunks(customer_ids):
        found |= set(groups(session, part))
        holders = session.scalars(
            select(Occasion.customer_id)
            .join(OrderRow, OrderRow.id == Occasion.order_id)
            .where(
                OrderRow.customer_id.in_(part),
                Occasion.customer_id != OrderRow.customer_id,
                Occasion.kind == MailKind.MILESTONE,
                Occasion.outcome.in_((Outcome.WAITING, Outcome.MESSAGE, Outcome.HANDOFF)),
            )
        )
        found |= {each for each in holders if each is not None}
    return sorted(found)


def last_orders(
    session: Session, customer_ids: Collection[int], scopes: Collection[str]
) -> list[LastOrder]:
    """The last counting order per person and scope."""
    rows_by: dict[tuple[int, str], list[LastOrder]] = {}
    days: dict[tuple[int, str], list[date]] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            select(
                OrderStanding.customer_id,
                OrderStanding.scope,
                OrderRow.id.label("order_id"),
                OrderRow.channel_id,
                OrderRow.external_id,
                OrderRow.ordered_at,
                OrderRow.ordered_on,
                OrderStanding.rank,
                OrderStanding.visit_number,
            )
            .join(OrderRow, OrderRow.id == OrderStanding.order_id)
            .where(
                OrderStanding.customer_id.in_(part),
                OrderStanding.scope.in_(scopes),
                OrderRow.counting,
            )
            .order_by(OrderRow.ordered_at, OrderRow.id)
        ).mappings()
        for row in rows:
            values = dict(row)
            key = (values["customer_id"], values["scope"])
            days.setdefault(key, []).append(values.pop("ordered_on"))
            rows_by[key] = [LastOrder(**values, visit_days=())]
    return [
        LastOrder(
            **{
                **{name: getattr(last, name) for name in LastOrder.__slots__},
                "visit_days": tuple(days[key]),
            }
        )
        for key, (last,) in rows_by.items()
    ]


def addresses_in(
    session: Session, channel_id: int, customer_ids: Collection[int], *, masked: bool = False
) -> dict[int, str]:
    """The newest address each person gave in this very channel.

    A marketplace's masked address counts only where ``masked`` asks for it: it is good for mail
    about an order through that marketplace, never for advertising. Where a clerk was told a new
    address instead of this very one, it is the new one.
    """
    found: dict[int, str] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            select(OrderRow.customer_id, OrderContact.email)
            .join(OrderContact, OrderContact.order_id == OrderRow.id)
            .where(
                OrderRow.channel_id == channel_id,
                OrderRow.customer_id.in_(part),
                OrderContact.email.is_not(None),
                OrderContact.email != "",
                true() if masked else OrderContact.email_is_relay.is_(False),
            )
            .order_by(OrderRow.ordered_at, OrderRow.id)
        )
        found.update({person: email for person, email in rows if person and email})
    return found if masked else _renewed(session, found)


def _renewed(session: Session, addresses: dict[int, str]) -> dict[int, str]:
    for person, entries in entries_of(session, list(addresses)).items():
        entry = entries.get("email")
        told = addresses.get(person, "")
        if entry and entry.value and (entry.was or "").casefold() == told.casefold():
            addresses[person] = entry.value
    return addresses


@dataclass(frozen=True, slots=True)
class PersonState:
    """Whether a person is settled enough for advertising."""

    unsure: bool
    erased: bool
    merged: bool


def people(session: Session, customer_ids: Collection[int]) -> dict[int, PersonState]:
    """State of each person."""
    found: dict[int, PersonState] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            select(
                Customer.id, Customer.identity_unsure, Customer.erased_at, Customer.merged_into
            ).where(Customer.id.in_(part))
        )
        for row in rows:
            found[row.id] = PersonState(
                row.identity_unsure, row.erased_at is not None, row.merged_into is not None
            )
    return found


def open_person_occasions(session: Session, customer_ids: Collection[int]) -> list[Occasion]:
    """Milestone and win-back occasions of these people that may still lead to a mail."""
    found: list[Occasion] = []
    for part in chunks(customer_ids):
        found += session.scalars(
            select(Occasion).where(
                Occasion.customer_id.in_(part),
                Occasion.kind.in_((MailKind.MILESTONE, MailKind.WIN_BACK)),
                Occasion.outcome.in_((Outcome.WAITING, Outcome.MESSAGE, Outcome.HANDOFF)),
            )
        )
    return found


def steps_sent(session: Session, customer_ids: Collection[int]) -> dict[tuple[str, str], datetime]:
    """When each win-back step certainly left, by (subject, step)."""
    found: dict[tuple[str, str], datetime] = {}
    for part in chunks(customer_ids):
        rows = session.execute(
            select(Occasion.subject, Occasion.step, Message.sent_at)
            .join(Message, Message.id == Occasion.message_id)
            .where(
                Occasion.customer_id.in_(part),
                Occasion.kind == MailKind.WIN_BACK,
                Message.state.in_(OUT),
                Message.sent_at.is_not(None),
            )
        )
        found.update({(subject, step): at for subject, step, at in rows if at is not None})
    return found


def dormant(
    session: Session, scopes: Collection[str], now: datetime, least_days: int, most_days: int
) -> list[int]:
    """People whose last order in one of the scopes lies between so many days ago."""
    rows = session.scalars(
        select(CustomerStanding.customer_id)
        .where(
            CustomerStanding.scope.in_(scopes),
            CustomerStanding.last_order_at <= now - timedelta(days=least_days),
            CustomerStanding.last_order_at >= now - timedelta(days=most_days),
        )
        .distinct()
    )
    return sorted(rows)


def own_channels(session: Session) -> list[Channel]:
    """Channels of the shop's own family."""
    return list(
        session.scalars(select(Channel).where(Channel.family == "own").order_by(Channel.id))
    )
