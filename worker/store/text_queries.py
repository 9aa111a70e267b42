"""Everything a text and its flags may speak of, read for a set of messages at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from worker.rules.states import MAYBE_OUT, CouponState, GrantState, MessageState, NoteState, Outcome
from worker.store.channels import Channel
from worker.store.customers import ContactNote, Customer, CustomerProfile, OrderStanding
from worker.store.line_queries import LINES, lines_said
from worker.store.messages import CleanApproval, Message, MessageBody, Occasion
from worker.store.orders import OrderContact, OrderLine, OrderRow
from worker.store.reach_queries import chunks
from worker.store.rewards import CouponCode, CouponPool, Grant, PackingItem
from worker.store.standing_queries import groups

TELLABLE = frozenset({CouponState.RESERVED, CouponState.ISSUED, CouponState.USED})
"""Codes that a mail or card may tell."""


@dataclass
class Material:
    """What is known of one message; lists are in the order of time."""

    message: Message
    channel: Channel
    body: MessageBody | None = None
    occasions: list[Occasion] = field(default_factory=list)
    orders: list[OrderRow] = field(default_factory=list)
    contacts: dict[int, OrderContact] = field(default_factory=dict)
    lines: dict[int, list[OrderLine]] = field(default_factory=dict)
    standings: dict[int, OrderStanding] = field(default_factory=dict)
    customer: Customer | None = None
    profile: CustomerProfile | None = None
    notes: list[ContactNote] = field(default_factory=list)
    past: list[OrderRow] = field(default_factory=list)
    """All counting orders of the person in the scope."""
    said: list[Message] = field(default_factory=list)
    """Mails of the person that left or may have left, in any scope."""
    grants: list[Grant] = field(default_factory=list)
    lines_said: set[tuple[str, str | None]] = field(default_factory=set)
    """Words of a clerk that another mail has carried."""

    def line(self, name: str) -> str | None:
        """The clerk's words for this mail, unless another has said them."""
        found: str | None = getattr(self.profile, name) if self.profile else None
        return None if (name, found) in self.lines_said else found


def load_material(session: Session, messages: Sequence[Message]) -> list[Material]:
    """Read all that belongs to these messages, in as many statements for one as for many."""
    wanted = {m.channel_id for m in messages}
    channels = {c.id: c for c in session.scalars(select(Channel).where(Channel.id.in_(wanted)))}
    found = {m.id: Material(m, channels[m.channel_id]) for m in messages}
    _bodies(session, found)
    _orders(session, found)
    _people(session, found)
    return [found[m.id] for m in messages]


def material_of(session: Session, message: Message, orders: Sequence[OrderRow]) -> Material:
    """Read what a message about these orders would speak of; it need not be in the store."""
    material = Material(message, session.get_one(Channel, message.channel_id))
    material.orders = sorted(orders, key=lambda order: (order.ordered_at, order.id))
    found = {message.id: material}
    _order_parts(session, found, {order.id for order in orders})
    _people(session, found)
    return material


def _bodies(session: Session, found: dict[str, Material]) -> None:
    for part in chunks(found):
        rows = session.scalars(select(MessageBody).where(MessageBody.message_id.in_(part)))
        for body in rows:
            found[body.message_id].body = body


def _orders(session: Session, found: dict[str, Material]) -> None:
    """A mail that is sent again speaks of the orders of the first."""
    source: dict[str, list[Material]] = {}
    for material in found.values():
        source.setdefault(_root(session, material.message), []).append(material)
    for part in chunks(source):
        rows = session.scalars(
            select(Occasion)
            .where(Occasion.message_id.in_(part), Occasion.outcome == Outcome.MESSAGE)
            .order_by(Occasion.id)
        )
        for row in rows:
            for material in source[row.message_id or ""]:
                material.occasions.append(row)
    wanted = {o.order_id for m in found.values() for o in m.occasions if o.order_id}
    rows_by = _order_rows(session, wanted)
    for material in found.values():
        ids = {o.order_id for o in material.occasions if o.order_id}
        material.orders = sorted(
            (rows_by[i] for i in ids if i in rows_by), key=lambda o: (o.ordered_at, o.id)
        )
    _order_parts(session, found, wanted)


def _root(session: Session, message: Message) -> str:
    """The message that the occasions name, through every sending again."""
    root = message
    while root.again_of is not None and (older := session.get(Message, root.again_of)) is not None:
        root = older
    return root.id


def _order_rows(session: Session, ids: Iterable[int]) -> dict[int, OrderRow]:
    found: dict[int, OrderRow] = {}
    for part in chunks(ids):
        rows = session.scalars(select(OrderRow).where(OrderRow.id.in_(part)))
        found.update((row.id, row) for row in rows)
    return found


def _order_parts(session: Session, found: dict[str, Material], ids: Collection[int]) -> None:
    contacts: dict[int, OrderContact] = {}
    standings: dict[int, OrderStanding] = {}
    lines: dict[int, list[OrderLine]] = {}
    for part in chunks(ids):
        for contact in session.scalars(select(OrderContact).where(OrderContact.order_id.in_(part))):
            contacts[contact.order_id] = contact
        for standing in session.scalars(
            select(OrderStanding).where(OrderStanding.order_id.in_(part))
        ):
            standings[standing.order_id] = standing
        for line in session.scalars(
            select(OrderLine)
            .where(OrderLine.order_id.in_(part))
            .order_by(OrderLine.order_id, OrderLine.position)
        ):
            lines.setdefault(line.order_id, []).append(line)
    for material in found.values():
        for order in material.orders:
            material.lines[order.id] = lines.get(order.id, [])
            if order.id in contacts:
                material.contacts[order.id] = contacts[order.id]
            if order.id in standings:
                material.standings[order.id] = standings[order.id]


def _people(session: Session, found: dict[str, Material]) -> None:
    by_person: dict[int, list[Material]] = {}
    for material in found.values():
        if material.message.customer_id is not None:
            by_person.setdefault(material.message.customer_id, []).append(material)
    for part in chunks(by_person):
        _profiles(session, by_person, part)
        _lines(session, by_person, part)
        _past(session, by_person, part)
        _said(session, by_person, part)


def _profiles(session: Session, by_person: dict[int, list[Material]], part: Sequence[int]) -> None:
    for customer in session.scalars(select(Customer).where(Customer.id.in_(part))):
        for material in by_person[customer.id]:
            material.customer = customer
    for profile in session.scalars(
        select(CustomerProfile).where(CustomerProfile.customer_id.in_(part))
    ):
        for material in by_person[profile.customer_id]:
            material.profile = profile
    root = groups(session, part)
    for note in session.scalars(
        select(ContactNote).where(
            ContactNote.customer_id.in_(list(root)), ContactNote.state == NoteState.OPEN
        )
    ):
        for material in by_person[root[note.customer_id]]:
            material.notes.append(note)
    for grant in session.scalars(select(Grant).where(Grant.customer_id.in_(part))):
        for material in by_person[grant.customer_id]:
            if material.message.scope == grant.scope:
                material.grants.append(grant)


def _lines(session: Session, by_person: dict[int, list[Material]], part: Sequence[int]) -> None:
    """Only of those for whom a clerk wrote something: nearly nobody."""
    written = [
        person
        for person in part
        for profile in [by_person[person][0].profile]
        if profile is not None and any(getattr(profile, name) for name in LINES)
    ]
    if not written:
        return
    for person, said in lines_said(session, written).items():
        for material in by_person[person]:
            material.lines_said = said


def _past(session: Session, by_person: dict[int, list[Material]], part: Sequence[int]) -> None:
    rows = session.execute(
        select(OrderRow, OrderStanding.scope)
        .join(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .where(OrderStanding.customer_id.in_(part), OrderRow.counting)
        .order_by(OrderRow.ordered_at, OrderRow.id)
    )
    for order, scope in rows:
        for material in by_person.get(order.customer_id or 0, ()):
            if material.message.scope == scope:
                material.past.append(order)


def _said(session: Session, by_person: dict[int, list[Material]], part: Sequence[int]) -> None:
    """Mails of the person, and of whoever was merged into the person (P10)."""
    person = func.coalesce(Customer.merged_into, Customer.id)
    rows = session.execute(
        select(Message, person)
        .join(Customer, Customer.id == Message.customer_id)
        .where(
            or_(Customer.id.in_(part), Customer.merged_into.in_(part)),
            Message.state.in_(MAYBE_OUT),
        )
        .order_by(Message.sent_at, Message.id)
    )
    for message, keeper in rows:
        for material in by_person.get(keeper, ()):
            if material.message.id != message.id:
                material.said.append(message)


# --- one by one -----------------------------------------------------------------------------


def text_seen(session: Session, channel_id: int, text_key: str, version: str) -> int:
    """How many mails of this text version a person has let go on this channel."""
    count = session.scalar(
        select(CleanApproval.count).where(
            CleanApproval.channel_id == channel_id,
            CleanApproval.text_key == text_key,
            CleanApproval.text_version == version,
        )
    )
    return count or 0


def median_total(session: Session, currency: str, since: datetime) -> int | None:
    """The middle total of the shop's counting orders since then; None without any."""
    condition = (
        OrderRow.counting,
        OrderRow.currency == currency,
        OrderRow.total > 0,
        OrderRow.ordered_at >= since,
    )
    count = session.scalar(select(func.count()).select_from(OrderRow).where(*condition)) or 0
    if not count:
        return None
    return session.scalar(
        select(OrderRow.total)
        .where(*condition)
        .order_by(OrderRow.total)
        .offset((count - 1) // 2)
        .limit(1)
    )


def said_since(
    session: Session, message: Message, text_key: str, since: datetime
) -> datetime | None:
    """When the same text last went to the same person."""
    if message.customer_id is None:
        return None
    return session.scalar(
        select(func.max(Message.sent_at)).where(
            Message.customer_id == message.customer_id,
            Message.text_key == text_key,
            Message.state.in_(MAYBE_OUT),
            Message.sent_at >= since,
            Message.id != message.id,
        )
    )


def packed_sample(session: Session, order_ids: Collection[int]) -> str | None:
    """Name of the sample that lies in the parcel; only once it is ticked as packed."""
    return session.scalar(
        select(PackingItem.label)
        .where(
            PackingItem.order_id.in_(order_ids),
            PackingItem.item == "sample",
            PackingItem.packed_at.is_not(None),
            PackingItem.withdrawn_at.is_(None),
        )
        .limit(1)
    )


def reserved_coupon(
    session: Session, message_id: str, grant_id: int | None
) -> tuple[CouponCode, CouponPool] | None:
    """The code already taken for this mail or its grant, where it may be told.

    Not one that its shop has not confirmed, and not one that was taken back.
    """
    mine = CouponCode.message_id == message_id
    if grant_id is not None:
        mine = or_(mine, CouponCode.grant_id == grant_id)
    row = session.execute(
        select(CouponCode, CouponPool)
        .join(CouponPool, CouponPool.id == CouponCode.pool_id)
        .where(mine, CouponCode.state.in_(TELLABLE))
        .order_by(CouponCode.id)
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def pool_named(session: Session, name: str) -> CouponPool | None:
    """The coupon pool of that name."""
    return session.scalar(select(CouponPool).where(CouponPool.name == name))


def grant_for(session: Session, customer_id: int, scope: str, milestone: int) -> Grant | None:
    """The grant of a milestone mail: of this person's order, whoever it was made for (P7)."""
    theirs = select(OrderRow.id).where(OrderRow.customer_id == customer_id)
    members = list(groups(session, [customer_id]))
    return session.scalar(
        select(Grant)
        .where(
            or_(
                Grant.order_id.in_(theirs),
                and_(Grant.order_id.is_(None), Grant.customer_id.in_(members)),
            ),
            Grant.scope == scope,
            Grant.milestone == milestone,
            Grant.state.in_((GrantState.EARNED, GrantState.USED, GrantState.RESERVED)),
        )
        .order_by(Grant.id)
        .limit(1)
    )


def due_to_render(session: Session, now: datetime, limit: int) -> list[Message]:
    """Messages whose text is to be frozen now, or anew; ``review_at`` is None once it is."""
    return list(
        session.scalars(
            select(Message)
            .where(
                Message.state.in_((MessageState.SCHEDULED, MessageState.IN_REVIEW)),
                Message.review_at <= now,
            )
            .order_by(Message.review_at, Message.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def months_ago(now: datetime, months: int) -> datetime:
    """About so many months back; exactness does not matter to a median."""
    return now - timedelta(days=30 * months)
