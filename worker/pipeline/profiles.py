"""The personal side of a customer: contact data of the newest order, field by field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.finding import KEYS, keys_of_profile
from worker.store.customer_queries import PROFILES
from worker.store.entry_queries import Entry, entries_of
from worker.store.order_queries import CONTACTS, ORDERS, among, chunks, insert_rows

FIELDS = (
    *("name", "family_name", "given_name", "kana", "email", "phone"),
    *("postal_code", "address", "birthday", "locale"),
)
"""What a profile takes from an order; what the newest does not tell an older one may."""

Told = tuple[datetime, int, dict[str, Any]]
"""Order time, order id, contact fields and the member id."""

Entries = Mapping[str, Entry]
"""What clerks entered for one customer, by field."""


def write_profiles(session: Session, told: Mapping[int, list[Told]]) -> None:
    """Bring profiles up to date with orders just identified, by customer id."""
    stored = _stored(session, told)
    entered = entries_of(session, list(told))
    fresh: list[dict[str, Any]] = []
    renewed: list[dict[str, Any]] = []
    for customer_id, orders in told.items():
        old = stored.get(customer_id)
        row = _composed(orders + ([old[0]] if old else []), entered.get(customer_id, {}))
        if old is None:
            blank = {"customer_id": customer_id, "personal_line": None, "question_line": None}
            fresh.append(blank | row)
        elif row != old[1]:
            renewed.append({"customer_id": customer_id} | row)
    insert_rows(session, PROFILES, fresh)
    _update(session, renewed)


def _composed(orders: list[Told], entered: Entries) -> dict[str, Any]:
    newest_first = sorted(orders, key=lambda told: (told[0], told[1]), reverse=True)
    row: dict[str, Any] = dict.fromkeys(FIELDS)
    told_at: dict[str, datetime] = {}
    for at, _, contact in newest_first:
        for name in FIELDS:
            if row[name] is None and contact[name] is not None:
                row[name], told_at[name] = contact[name], at
    for name, entry in entered.items():
        if entry.stands(row[name], told_at.get(name)):
            row[name] = entry.value
    member = any(contact.get("member_id") for _, _, contact in orders)
    row |= keys_of_profile(row, member=member)
    row["order_id"] = newest_first[0][1]
    return row


def renew_found(profile: Any) -> None:
    """Bring the keys by which a profile row is found in line with what it says."""
    row = {name: getattr(profile, name) for name in FIELDS}
    for name, value in keys_of_profile(row, member=profile.is_member).items():
        setattr(profile, name, value)


def _stored(
    session: Session, customer_ids: Iterable[int]
) -> dict[int, tuple[Told, dict[str, Any]]]:
    """Profiles as if they were an order of the time they were taken from."""
    found: dict[int, tuple[Told, dict[str, Any]]] = {}
    long_ago = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
    query = (
        sa.select(PROFILES, ORDERS.c.ordered_at)
        .outerjoin(ORDERS, ORDERS.c.id == PROFILES.c.order_id)
        .where(among(session, PROFILES.c.customer_id, sorted(customer_ids)))
    )
    for row in session.execute(query).mappings():
        fields = {name: row[name] for name in FIELDS}
        contact = fields | {"member_id": row["is_member"]}
        told = (row["ordered_at"] or long_ago, row["order_id"] or 0, contact)
        kept = {name: row[name] for name in (*KEYS, "order_id")}
        found[row["customer_id"]] = (told, fields | kept)
    return found


def _update(session: Session, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    names = (*FIELDS, *KEYS, "order_id")
    statement = (
        sa.update(PROFILES)
        .where(PROFILES.c.customer_id == sa.bindparam("old_id"))
        .values({name: sa.bindparam(f"new_{name}") for name in names})
    )
    session.connection().execute(
        statement,
        [{"old_id": row["customer_id"]} | {f"new_{n}": row[n] for n in names} for row in rows],
    )


def renew_profiles(session: Session, customer_ids: Iterable[int]) -> None:
    """Take contact data anew from all orders the customers have now.

    A customer left without orders keeps his profile: what staff entered is still true of him.
    """
    told: dict[int, list[Told]] = {}
    names = (*FIELDS, "member_id")
    columns = [CONTACTS.c[name] for name in names]
    for part in chunks(customer_ids):
        query = (
            sa.select(ORDERS.c.customer_id, ORDERS.c.ordered_at, ORDERS.c.id, *columns)
            .join(CONTACTS, CONTACTS.c.order_id == ORDERS.c.id)
            .where(ORDERS.c.customer_id.in_(part))
        )
        for customer_id, ordered_at, order_id, *values in session.execute(query):
            fields = dict(zip(names, values, strict=True))
            told.setdefault(customer_id, []).append((ordered_at, order_id, fields))
    stored = _stored(session, told)
    entered = entries_of(session, list(told))
    rows = {
        customer: _composed(orders, entered.get(customer, {})) for customer, orders in told.items()
    }
    fresh = [c for c in rows if c not in stored]
    blank = {"personal_line": None, "question_line": None}
    insert_rows(session, PROFILES, [{"customer_id": c} | blank | rows[c] for c in fresh])
    _update(session, [{"customer_id": c} | rows[c] for c in rows if c in stored])
