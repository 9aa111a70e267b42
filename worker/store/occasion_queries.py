"""What planning reads, set by set: due orders and people, their reachability and their mails."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, case, exists, not_, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from worker.rules.states import (
    MAYBE_OUT,
    WAITING,
    Certainty,
    ImportState,
    MailKind,
    MessageState,
    Outcome,
)
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import (
    Customer,
    OrderStanding,
)
from worker.store.messages import Message, Occasion
from worker.store.orders import Import, OrderContact, OrderRevision, OrderRow
from worker.store.reach_queries import CHUNK, chunks


@dataclass(frozen=True, slots=True)
class PlanOrder:
    """One order with what the judgement needs of its contact, standing and customer."""

    id: int
    channel_id: int
    external_id: str
    ordered_at: datetime
    ordered_on: date
    created_at: datetime
    life: str
    payment: str
    payment_kind: str
    fulfilment: str
    paid_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    delivery_date: date | None
    delivery_count: int | None
    """2 for any later delivery where the source does not number them."""
    replaces: str | None
    counting: bool
    customer_id: int | None
    email: str | None
    address: str | None
    recipient_address: str | None
    rank: str | None
    visit_number: int | None
    ordinal: int | None
    certainty: Certainty | None
    unsure: bool | None
    erased_at: datetime | None
    polled: bool


def take_turn(session: Session) -> None:
    """Let one planner in at a time; SQLite's write lock already does."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('okaeri.plan'))"))


# --- what is due ----------------------------------------------------------------------------


def due_orders(session: Session, limit: int) -> list[int]:
    """Orders to plan whose person and numbers are settled."""
    ready = or_(OrderRow.customer_id.is_(None), not_(Customer.rank_due))
    rows = session.scalars(
        select(OrderRow.id)
        .outerjoin(Customer, Customer.id == OrderRow.customer_id)
        .where(OrderRow.plan_due, not_(OrderRow.identify_due), ready)
        .order_by(OrderRow.id)
        .limit(limit)
    )
    return list(rows)


def due_customers(session: Session, limit: int) -> list[int]:
    """People to plan whose numbers are settled."""
    rows = session.scalars(
        select(Customer.id)
        .where(Customer.plan_due, not_(Customer.rank_due))
        .order_by(Customer.id)
        .limit(limit)
    )
    return list(rows)


def waiting_due(session: Session, now: datetime, limit: int) -> list[tuple[int | None, int | None]]:
    """(order, customer) of waiting occasions that time alone may have completed."""
    rows = session.execute(
        select(Occasion.order_id, Occasion.customer_id)
        .where(Occasion.outcome == Outcome.WAITING, Occasion.due_at <= now)
        .order_by(Occasion.due_at, Occasion.id)
        .limit(limit)
    )
    return [(row.order_id, row.customer_id) for row in rows]


_MAY_FLIP = (
    Outcome.WAITING,
    Outcome.MESSAGE,
    Outcome.NOT_WANTED,
    Outcome.CAPPED,
    Outcome.NO_CONSENT,
    Outcome.SUPPRESSED,
    Outcome.NO_ADDRESS,
    Outcome.CANCELLED,
)


def orders_to_look_at_again(
    session: Session, customer_ids: Sequence[int], since: datetime
) -> list[int]:
    """Orders of these people whose occasions may change with the person."""
    found: set[int] = set()
    for part in chunks(customer_ids):
        rows = session.scalars(
            select(Occasion.order_id).where(
                Occasion.customer_id.in_(part),
                Occasion.order_id.is_not(None),
                Occasion.outcome.in_(_MAY_FLIP),
                Occasion.created_at >= since,
            )
        )
        found.update(order_id for order_id in rows if order_id is not None)
    return sorted(found)


def recorded(
    session: Session, order_ids: Collection[int], since: Mapping[int, datetime]
) -> list[int]:
    """Those of the orders that lie in a window, by channel, or have an occasion already."""
    found: set[int] = set()
    for part in chunks(sorted(order_ids)):
        rows = session.execute(
            select(OrderRow.id, OrderRow.channel_id, OrderRow.ordered_at).where(
                OrderRow.id.in_(part)
            )
        )
        found.update(
            row.id
            for row in rows
            if row.channel_id in since and row.ordered_at >= since[row.channel_id]
        )
        found.update(
            order_id
            for order_id in session.scalars(
                select(Occasion.order_id).where(Occasion.order_id.in_(part))
            )
            if order_id is not None
        )
    return sorted(found)


def clear_due(session: Session, order_ids: Sequence[int], customer_ids: Sequence[int]) -> None:
    """Take orders and people off the work list."""
    for part in chunks(order_ids):
        session.execute(update(OrderRow).where(OrderRow.id.in_(part)).values(plan_due=False))
    for part in chunks(customer_ids):
        session.execute(update(Customer).where(Customer.id.in_(part)).values(plan_due=False))


# --- facts ----------------------------------------------------------------------------------

_FIRST_IMPORT_DONE = exists().where(
    OrderRevision.order_id == OrderRow.id,
    OrderRevision.revision == 1,
    Import.id == OrderRevision.import_id,
    Import.state == ImportState.DONE,
)


_earlier = aliased(OrderRow)
_LATER_DELIVERY = and_(
    OrderRow.delivery_count.is_(None),
    exists().where(
        _earlier.subscription_number == OrderRow.subscription_number,
        _earlier.channel_id == OrderRow.channel_id,
        _earlier.id != OrderRow.id,
        _earlier.visit_counting,
    ),
)
"""For sources that name the subscription but do not number its deliveries: one is the visit."""


def load_orders(session: Session, order_ids: Collection[int]) -> list[PlanOrder]:
    """Read orders for planning, in the order of their time."""
    loaded: list[PlanOrder] = []
    for part in chunks(sorted(order_ids)):
        rows = session.execute(
            select(
                *(getattr(OrderRow, name) for name in _ORDER_COLUMNS),
                case((_LATER_DELIVERY, 2), else_=OrderRow.delivery_count).label("delivery_count"),
                OrderContact.email,
                OrderContact.address,
                OrderContact.recipient_address,
                OrderStanding.rank,
                OrderStanding.visit_number,
                OrderStanding.ordinal,
                OrderStanding.certainty,
                Customer.identity_unsure.label("unsure"),
                Customer.erased_at,
                or_(Channel.last_success_at > OrderRow.created_at, _FIRST_IMPORT_DONE).label(
                    "polled"
                ),
            )
            .join(Channel, Channel.id == OrderRow.channel_id)
            .outerjoin(OrderContact, OrderContact.order_id == OrderRow.id)
            .outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
            .outerjoin(Customer, Customer.id == OrderRow.customer_id)
            .where(OrderRow.id.in_(part))
        ).mappings()
        loaded += [PlanOrder(**{**row, "polled": bool(row["polled"])}) for row in rows]
    return sorted(loaded, key=lambda o: (o.ordered_at, o.channel_id, o.external_id))


_ORDER_COLUMNS = (
    "id",
    "channel_id",
    "external_id",
    "ordered_at",
    "ordered_on",
    "created_at",
    "life",
    "payment",
    "payment_kind",
    "fulfilment",
    "paid_at",
    "shipped_at",
    "delivered_at",
    "delivery_date",
    "replaces",
    "counting",
    "customer_id",
)


def active_table(session: Session) -> dict[tuple[int, MailKind], datetime]:
    """From when each (channel, kind) plans; what is not in it plans nothing (P8)."""
    rows = session.execute(
        select(ChannelKind.channel_id, ChannelKind.kind, ChannelKind.active_from)
    )
    return {(row.channel_id, row.kind): row.active_from for row in rows}


def occasions_of(
    session: Session, subjects: Collection[str]
) -> dict[tuple[MailKind, str, str], Occasion]:
    """Stored occasions by kind, step and subject."""
    found: dict[tuple[MailKind, str, str], Occasion] = {}
    for part in chunks(sorted(subjects)):
        for row in session.scalars(select(Occasion).where(Occasion.subject.in_(part))):
            found[row.kind, row.step, row.subject] = row
    return found


def messages_by_id(session: Session, ids: Collection[str]) -> dict[str, Message]:
    """Messages as they stand now, locked: dispatch may be taking one of them."""
    found: dict[str, Message] = {}
    for part in chunks(sorted(ids)):
        rows = session.scalars(
            select(Message)
            .where(Message.id.in_(part))
            .order_by(Message.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found.update((row.id, row) for row in rows)
    return found


def messages_by_group(session: Session, groups: Collection[str]) -> dict[str, list[Message]]:
    """Messages that share a group, the oldest first."""
    found: dict[str, list[Message]] = {}
    for part in chunks(sorted(groups)):
        rows = session.scalars(
            select(Message)
            .where(Message.group_key.in_(part))
            .order_by(Message.id)
            .with_for_update()
        )
        for row in rows:
            found.setdefault(row.group_key, []).append(row)
    return found


def carried_by(session: Session, message_ids: Collection[str]) -> dict[str, list[Occasion]]:
    """Occasions that messages carry now."""
    found: dict[str, list[Occasion]] = {}
    for part in chunks(sorted(message_ids)):
        rows = session.scalars(
            select(Occasion)
            .where(
                Occasion.message_id.in_(part),
                Occasion.outcome.in_((Outcome.MESSAGE, Outcome.HANDOFF)),
            )
            .order_by(Occasion.id)
        )
        for row in rows:
            found.setdefault(row.message_id or "", []).append(row)
    return found


def waiting_messages_of(
    session: Session, order_ids: Collection[int], customer_ids: Collection[int]
) -> set[str]:
    """Rendered messages not yet out that rest on these orders or people (P11)."""
    found: set[str] = set()
    rendered = WAITING - {MessageState.SCHEDULED}
    for part in chunks(order_ids):
        found.update(
            session.scalars(
                select(Message.id)
                .join(Occasion, Occasion.message_id == Message.id)
                .where(Occasion.order_id.in_(part), Message.state.in_(rendered))
            )
        )
    for part in chunks(customer_ids):
        found.update(
            session.scalars(
                select(Message.id).where(Message.customer_id.in_(part), Message.state.in_(rendered))
            )
        )
    return found


def thanked_replacements(
    session: Session, replaced: Collection[tuple[int, str]]
) -> set[tuple[int, str]]:
    """(channel, external id) of replaced orders whose thank-you left or may have left."""
    found: set[tuple[int, str]] = set()
    old = aliased(OrderRow)
    for part in chunks(sorted({external for _channel, external in replaced})):
        rows = session.execute(
            select(old.channel_id, old.external_id)
            .join(Occasion, and_(Occasion.order_id == old.id))
            .join(Message, Message.id == Occasion.message_id)
            .where(
                old.external_id.in_(part),
                Occasion.kind == MailKind.ORDER_THANKS,
                Message.state.in_(MAYBE_OUT),
            )
        )
        found.update((row.channel_id, row.external_id) for row in rows)
    return found & set(replaced)


def orders_since(
    session: Session, channel_id: int, start: datetime, after: tuple[datetime, int] | None
) -> list[tuple[datetime, int]]:
    """(time, id) of the channel's orders from ``start`` on, a chunk after ``after``."""
    place = (
        or_(
            OrderRow.ordered_at > after[0],
            and_(OrderRow.ordered_at == after[0], OrderRow.id > after[1]),
        )
        if after
        else OrderRow.ordered_at >= start
    )
    rows = session.execute(
        select(OrderRow.ordered_at, OrderRow.id)
        .where(OrderRow.channel_id == channel_id, place)
        .order_by(OrderRow.ordered_at, OrderRow.id)
        .limit(CHUNK)
    )
    return [(row.ordered_at, row.id) for row in rows]
