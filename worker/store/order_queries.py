"""Reading and writing orders in sets: heads, whole orders, revisions, due flags."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from worker.store.channels import Channel
from worker.store.customers import Customer
from worker.store.orders import OrderContact, OrderLine, OrderRevision, OrderRow
from worker.store.schema import Base

ORDERS = Base.metadata.tables[OrderRow.__tablename__]
CONTACTS = Base.metadata.tables[OrderContact.__tablename__]
LINES = Base.metadata.tables[OrderLine.__tablename__]
REVISIONS = Base.metadata.tables[OrderRevision.__tablename__]
CUSTOMERS = Base.metadata.tables[Customer.__tablename__]

T = TypeVar("T")

CHUNK = 500
"""Values in one IN list: SQLite and PostgreSQL both plan it well."""

_UPDATABLE = tuple(
    column.name
    for column in ORDERS.columns
    if column.name not in {"id", "channel_id", "external_id", "created_at"}
)
_CONTACT_COLUMNS = tuple(c.name for c in CONTACTS.columns if c.name != "order_id")


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """Cut into lists of at most ``size``."""
    whole = list(values)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def among(
    session: Session, column: sa.ColumnElement[Any], values: Iterable[Any]
) -> sa.ColumnElement[bool]:
    """``column IN values`` as one bound list: the statement stays the same at any length."""
    listed = list(values)
    if session.get_bind().dialect.name == "postgresql":
        return column == sa.any_(sa.literal(listed, postgresql.ARRAY(column.type)))
    rows = sa.func.json_each(sa.literal(json.dumps(listed), sa.Text())).table_valued("value")
    return column.in_(sa.select(rows.c.value))


@dataclass(frozen=True, slots=True)
class Head:
    """The little of a stored order that tells whether a record is new to it."""

    id: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A whole stored order: columns of orders and order_contacts, lines as lists."""

    order: dict[str, Any]
    contact: dict[str, Any]
    lines: list[list[Any]]


def lock_channel(session: Session, channel_id: int) -> None:
    """Let one writer at a time into a channel's orders (PostgreSQL; SQLite has one anyway)."""
    session.execute(sa.select(Channel.id).where(Channel.id == channel_id).with_for_update())


def heads(session: Session, channel_id: int, external_ids: Iterable[str]) -> dict[str, Head]:
    """Find stored orders of a channel by external id."""
    query = sa.select(ORDERS.c.external_id, ORDERS.c.id, ORDERS.c.content_hash).where(
        ORDERS.c.channel_id == channel_id, among(session, ORDERS.c.external_id, external_ids)
    )
    return {row[0]: Head(row[1], row[2]) for row in session.execute(query)}


def whole(session: Session, order_ids: Iterable[int]) -> dict[int, Stored]:
    """Read orders with contact and lines."""
    found: dict[int, Stored] = {}
    for part in chunks(order_ids):
        orders = session.execute(sa.select(ORDERS).where(ORDERS.c.id.in_(part))).mappings()
        contacts = session.execute(
            sa.select(CONTACTS).where(CONTACTS.c.order_id.in_(part))
        ).mappings()
        by_order = {row["order_id"]: dict(row) for row in contacts}
        lines = lines_of(session, part)
        for row in orders:
            number = row["id"]
            found[number] = Stored(dict(row), by_order.get(number, {}), lines.get(number, []))
    return found


def lines_of(session: Session, order_ids: Sequence[int]) -> dict[int, list[list[Any]]]:
    """Lines of orders as ``[sku, name, quantity, unit_price, amount]`` in the source's order."""
    query = (
        sa.select(
            LINES.c.order_id,
            LINES.c.sku,
            LINES.c.name,
            LINES.c.quantity,
            LINES.c.unit_price,
            LINES.c.amount,
        )
        .where(LINES.c.order_id.in_(order_ids))
        .order_by(LINES.c.order_id, LINES.c.position)
    )
    found: dict[int, list[list[Any]]] = {}
    for order_id, *line in session.execute(query):
        found.setdefault(order_id, []).append(line)
    return found


def insert_orders(
    session: Session, channel_id: int, rows: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Insert new orders; gives their ids by external id."""
    session.execute(sa.insert(ORDERS), list(rows))
    found = heads(session, channel_id, [row["external_id"] for row in rows])
    return {external_id: head.id for external_id, head in found.items()}


def insert_rows(session: Session, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows of one table, all with the same columns."""
    if rows:
        session.execute(sa.insert(table), list(rows))


def update_orders(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole order rows, found by ``id``; identity and time of arrival stay."""
    if not rows:
        return
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in _UPDATABLE}
    statement = sa.update(ORDERS).where(ORDERS.c.id == sa.bindparam("old_id")).values(values)
    session.connection().execute(
        statement,
        [{"old_id": row["id"]} | {f"new_{n}": row[n] for n in _UPDATABLE} for row in rows],
    )


def update_contacts(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write whole contact rows, found by ``order_id``."""
    if not rows:
        return
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in _CONTACT_COLUMNS}
    statement = (
        sa.update(CONTACTS).where(CONTACTS.c.order_id == sa.bindparam("old_id")).values(values)
    )
    session.connection().execute(
        statement,
        [
            {"old_id": row["order_id"]} | {f"new_{n}": row[n] for n in _CONTACT_COLUMNS}
            for row in rows
        ],
    )


def update_few(
    session: Session, table: sa.Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write some columns of many rows, found by ``id``."""
    if not rows:
        return
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("old_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    session.connection().execute(
        statement,
        [{"old_id": row["id"]} | {f"new_{n}": row[n] for n in names} for row in rows],
    )


def replace_lines(
    session: Session, order_ids: Sequence[int], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Replace all lines of these orders by ``rows``."""
    for part in chunks(order_ids):
        session.execute(sa.delete(LINES).where(LINES.c.order_id.in_(part)))
    insert_rows(session, LINES, rows)


def delete_orders(session: Session, order_ids: Iterable[int]) -> None:
    """Remove orders with all that hangs on them (the database cascades)."""
    for part in chunks(order_ids):
        session.execute(sa.delete(ORDERS).where(ORDERS.c.id.in_(part)))


def customers_due(session: Session, customer_ids: Iterable[int | None]) -> None:
    """Ask rank and plan to look at these customers again."""
    for part in chunks(sorted({number for number in customer_ids if number is not None})):
        session.execute(
            sa.update(CUSTOMERS)
            .where(CUSTOMERS.c.id.in_(part))
            .values(rank_due=True, plan_due=True)
        )
