"""Reading and writing people in sets: due orders, identities, links, customers, doubts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.identity import WEAK
from worker.rules.shop import Shop
from worker.rules.states import CandidateState, IdentityKind
from worker.store.channels import Channel
from worker.store.customers import (
    Candidate,
    Customer,
    CustomerProfile,
    Identity,
    IdentityLink,
    Merge,
    OrderIdentity,
)
from worker.store.order_queries import CONTACTS, ORDERS, among, chunks, insert_rows, update_few
from worker.store.schema import Base

CUSTOMERS = Base.metadata.tables[Customer.__tablename__]
PROFILES = Base.metadata.tables[CustomerProfile.__tablename__]
IDENTITIES = Base.metadata.tables[Identity.__tablename__]
LINKS = Base.metadata.tables[IdentityLink.__tablename__]
ORDER_IDENTITIES = Base.metadata.tables[OrderIdentity.__tablename__]
CANDIDATES = Base.metadata.tables[Candidate.__tablename__]
MERGES = Base.metadata.tables[Merge.__tablename__]
_CHANNELS = Base.metadata.tables[Channel.__tablename__]

# Written as the partial indexes say it: SQLite takes an index only for the same words.
_IDENTIFY_DUE = sa.text("orders.identify_due")
_PEOPLE_LOCK = 0x0CAE21

WITHOUT_CUSTOMERS = ("amazon",)
"""Families whose orders make no customer (design, section 5)."""


class KnownIdentity(NamedTuple):
    """A key that was seen before, and whose it is."""

    id: int
    channel_id: int
    kind: IdentityKind
    key_hash: str
    customer_id: int | None


def lock_people(session: Session) -> None:
    """Let one identification run at a time (PostgreSQL; SQLite has one writer anyway)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_PEOPLE_LOCK)))


def due_orders(session: Session, limit: int) -> Sequence[sa.RowMapping]:
    """Orders waiting to be identified, oldest row first, with contact and channel."""
    query = (
        sa.select(
            ORDERS.c.id,
            ORDERS.c.channel_id,
            ORDERS.c.external_id,
            ORDERS.c.ordered_at,
            ORDERS.c.customer_id,
            ORDERS.c.marketing_consent,
            ORDERS.c.consent_at,
            ORDERS.c.platform_order_count,
            *(column for column in CONTACTS.columns if column.name != "order_id"),
            _CHANNELS.c.name.label("channel"),
            _CHANNELS.c.family,
        )
        .select_from(ORDERS)
        .join(_CHANNELS, _CHANNELS.c.id == ORDERS.c.channel_id)
        .outerjoin(CONTACTS, CONTACTS.c.order_id == ORDERS.c.id)
        .where(_IDENTIFY_DUE)
        .order_by(ORDERS.c.id)
        .limit(limit)
    )
    return session.execute(query).mappings().all()


def identities_of(
    session: Session, wanted: Mapping[IdentityKind, Collection[str]]
) -> list[KnownIdentity]:
    """Find identities in any channel by hash."""
    found: list[KnownIdentity] = []
    for kind, hashes in wanted.items():
        query = sa.select(
            IDENTITIES.c.id,
            IDENTITIES.c.channel_id,
            IDENTITIES.c.kind,
            IDENTITIES.c.key_hash,
            IDENTITIES.c.customer_id,
        ).where(IDENTITIES.c.kind == kind, among(session, IDENTITIES.c.key_hash, sorted(hashes)))
        found += [KnownIdentity(*row) for row in session.execute(query)]
    return found


def members_of(session: Session, customer_ids: Iterable[int]) -> dict[int, dict[int, str]]:
    """Each customer's member id (hash) by channel id; of several the first known."""
    found: dict[int, dict[int, str]] = {}
    query = (
        sa.select(IDENTITIES.c.customer_id, IDENTITIES.c.channel_id, IDENTITIES.c.key_hash)
        .where(
            among(session, IDENTITIES.c.customer_id, customer_ids),
            IDENTITIES.c.kind == IdentityKind.MEMBER,
        )
        .order_by(IDENTITIES.c.id)
    )
    for customer, channel, member in session.execute(query):
        found.setdefault(customer, {}).setdefault(channel, member)
    return found


def told_apart(session: Session, customer_ids: Collection[int]) -> list[tuple[int, int]]:
    """Pairs among which staff said: not the same person."""
    query = sa.select(CANDIDATES.c.customer_a, CANDIDATES.c.customer_b).where(
        CANDIDATES.c.state == CandidateState.REJECTED
    )
    known = set(customer_ids)
    rows = session.execute(query)
    return [(row[0], row[1]) for row in rows if row[0] in known or row[1] in known]


def make_customers(session: Session, number: int, now: datetime) -> list[int]:
    """Make empty customers; gives their ids."""
    if not number:
        return []
    row = {"identity_unsure": False, "rank_due": True, "plan_due": True, "created_at": now}
    statement = sa.insert(CUSTOMERS).returning(CUSTOMERS.c.id)
    return list(session.scalars(statement, [row] * number))


def make_identities(
    session: Session, rows: Sequence[Mapping[str, Any]], now: datetime
) -> dict[tuple[int, IdentityKind, str], int]:
    """Insert identities that are tied already, with a link each; gives ids by their key."""
    if not rows:
        return {}
    columns = (
        IDENTITIES.c.id,
        IDENTITIES.c.channel_id,
        IDENTITIES.c.kind,
        IDENTITIES.c.key_hash,
    )
    statement = sa.insert(IDENTITIES).returning(*columns)
    made = {(row[1], row[2], row[3]): row[0] for row in session.execute(statement, list(rows))}
    ids = made.values()
    # Within the lock nobody else makes identities, so the span holds these and no others.
    link(session, IDENTITIES.c.id.between(min(ids), max(ids)), None, now=now)
    return made


def link(
    session: Session,
    which: sa.ColumnElement[bool],
    reason: str | None,
    *,
    now: datetime,
    merge_id: int | None = None,
    by: str = "system",
) -> None:
    """Write a link for each identity of ``which`` to its present customer.

    Without ``reason`` it is the kind of key that the order carried.
    """
    words = sa.literal("by_").concat(sa.cast(IDENTITIES.c.kind, sa.String))
    source = sa.select(
        IDENTITIES.c.id,
        IDENTITIES.c.customer_id,
        words if reason is None else sa.literal(reason),
        sa.literal(merge_id, sa.BigInteger),
        sa.literal(by),
        sa.literal(now, LINKS.c.at.type),
    ).where(which, IDENTITIES.c.customer_id.is_not(None))
    names = ["identity_id", "customer_id", "reason", "merge_id", "by", "at"]
    session.execute(sa.insert(LINKS).from_select(names, source))


def end_links(session: Session, identity_ids: Collection[int], now: datetime) -> None:
    """End the present links of identities."""
    for part in chunks(identity_ids):
        session.execute(
            sa.update(LINKS)
            .where(LINKS.c.identity_id.in_(part), LINKS.c.ended_at.is_(None))
            .values(ended_at=now)
        )


def repoint(session: Session, identity_ids: Collection[int], customer_id: int | None) -> None:
    """Tie identities to a customer and give him the orders they name."""
    for part in chunks(identity_ids):
        session.execute(
            sa.update(IDENTITIES).where(IDENTITIES.c.id.in_(part)).values(customer_id=customer_id)
        )
        named = sa.select(ORDER_IDENTITIES.c.order_id).where(
            ORDER_IDENTITIES.c.identity_id.in_(part), ORDER_IDENTITIES.c.strength == 0
        )
        session.execute(
            sa.update(ORDERS)
            .where(ORDERS.c.id.in_(named))
            .values(customer_id=customer_id, plan_due=True)
        )


def key_orders(session: Session, rows: Sequence[Mapping[str, Any]], again: Collection[int]) -> None:
    """Write the keys of orders; those in ``again`` had keys before, which are replaced."""
    for part in chunks(again):
        session.execute(sa.delete(ORDER_IDENTITIES).where(ORDER_IDENTITIES.c.order_id.in_(part)))
    insert_rows(session, ORDER_IDENTITIES, rows)


def name_orders(session: Session, persons: Mapping[int, int]) -> None:
    """Give orders their customers; they are no longer due."""
    rows = [{"id": o, "customer_id": c, "identify_due": False} for o, c in persons.items()]
    update_few(session, ORDERS, ("customer_id", "identify_due"), rows)


def orders_done(session: Session, order_ids: Iterable[int]) -> None:
    """Take orders off the list without naming anybody."""
    for part in chunks(order_ids):
        session.execute(sa.update(ORDERS).where(ORDERS.c.id.in_(part)).values(identify_due=False))


def add_candidates(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Note possibly same persons; a pair that was ever noted stays as it is. Gives how many."""
    if not rows:
        return 0
    pairs = {(row["customer_a"], row["customer_b"]): row for row in rows}
    known: set[tuple[int, int]] = set()
    for part in chunks(sorted({pair[0] for pair in pairs})):
        query = sa.select(CANDIDATES.c.customer_a, CANDIDATES.c.customer_b).where(
            CANDIDATES.c.customer_a.in_(part)
        )
        known |= {(row[0], row[1]) for row in session.execute(query)}
    fresh = [dict(row) for pair, row in pairs.items() if pair not in known]
    insert_rows(session, CANDIDATES, fresh)
    return len(fresh)


def settle_unsure(session: Session, customer_ids: Iterable[int]) -> None:
    """Set ``identity_unsure``: an open blocking candidate, or an order known by weak keys only.

    A weak key that a person has confirmed is as good as a strong one.
    """
    doubted = sa.exists().where(
        sa.or_(
            CANDIDATES.c.customer_a == CUSTOMERS.c.id, CANDIDATES.c.customer_b == CUSTOMERS.c.id
        ),
        CANDIDATES.c.state == CandidateState.OPEN,
        CANDIDATES.c.blocking,
    )
    confirmed = sa.exists().where(
        LINKS.c.identity_id == IDENTITIES.c.id,
        LINKS.c.ended_at.is_(None),
        LINKS.c.by != "system",
    )
    weakly_known = sa.exists().where(
        IDENTITIES.c.customer_id == CUSTOMERS.c.id,
        IDENTITIES.c.kind.in_([*sorted(WEAK), IdentityKind.ORDER]),
        ORDER_IDENTITIES.c.identity_id == IDENTITIES.c.id,
        ORDER_IDENTITIES.c.strength == 0,
        ~confirmed,
    )
    for part in chunks(sorted(set(customer_ids))):
        session.execute(
            sa.update(CUSTOMERS)
            .where(CUSTOMERS.c.id.in_(part))
            .values(identity_unsure=sa.or_(doubted, weakly_known), rank_due=True, plan_due=True)
        )


def identity_ids_of(session: Session, customer_id: int) -> list[int]:
    """All keys tied to a customer now."""
    query = sa.select(IDENTITIES.c.id).where(IDENTITIES.c.customer_id == customer_id)
    return list(session.scalars(query))


def link_one(session: Session, identity_id: int, *, now: datetime) -> None:
    """Write the link of one identity that was just tied."""
    link(session, IDENTITIES.c.id == identity_id, None, now=now)


def channel_names(session: Session) -> dict[int, tuple[str, str]]:
    """Name and family of every channel, by id."""
    query = sa.select(_CHANNELS.c.id, _CHANNELS.c.name, _CHANNELS.c.family)
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}


def scopes(session: Session, shop: Shop) -> dict[int, str]:
    """Scope of every channel, by id."""
    names = channel_names(session)
    return {number: shop.scope_of(name, family) for number, (name, family) in names.items()}
