"""Finding a customer by what a caller says: number, reading, name, address or order number."""

from __future__ import annotations

import unicodedata
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.finding import digits_of, is_kana, kana_key
from worker.rules.identity import email_key, name_key
from worker.rules.keys import address_hash
from worker.rules.states import IdentityKind
from worker.store.customers import Customer, CustomerProfile, Identity
from worker.store.orders import OrderRow

LIMIT = 100
_LEAST_DIGITS = 4
_P = CustomerProfile
_LAST = "\U0010ffff"


def find_customers(session: Session, key: bytes, words: str, limit: int = LIMIT) -> list[int]:
    """Ids of the kept customers that fit, the surest first; every look is into an index.

    A mail address is found whole, by its keyed hash under ``key``; a phone number whole, from
    the front or by its last four digits and more; a reading or a name from its beginning; an
    order by its whole number.
    """
    words = unicodedata.normalize("NFKC", words).strip()
    if not words:
        return []
    found: list[int] = []
    for query in _looks(words, key):
        if len(found) < limit:
            found += session.scalars(query.limit(limit)).all()
    return _kept(session, list(dict.fromkeys(found)))[:limit]


def _looks(words: str, key: bytes) -> list[sa.Select[Any]]:
    looks = [
        sa.select(OrderRow.customer_id)
        .where(OrderRow.number == words, OrderRow.customer_id.is_not(None))
        .order_by(OrderRow.id)
    ]
    if "@" in words:
        return [*looks, _by_email(words, key)]
    digits = "".join(letter for letter in words if letter in "0123456789")
    plain = set(words) <= set("0123456789-+() ")
    if plain and len(digits) >= _LEAST_DIGITS:
        looks += _by_phone(digits_of(words) or digits)
    reading = kana_key(words)
    if is_kana(reading):
        looks.append(_from(_P.kana_key, reading))
    name = name_key(words) or words.casefold()
    return [*looks, _from(_P.name_key, name)]


def _by_email(words: str, key: bytes) -> sa.Select[Any]:
    hashed = address_hash(key, email_key(words))
    return (
        sa.select(Identity.customer_id)
        .where(
            Identity.kind == IdentityKind.EMAIL,
            Identity.key_hash == hashed,
            Identity.customer_id.is_not(None),
        )
        .order_by(Identity.id)
    )


def _by_phone(digits: str) -> list[sa.Select[Any]]:
    return [_from(_P.phone_key, digits), _from(_P.phone_tail, digits[::-1])]


def _from(column: Any, beginning: str) -> sa.Select[Any]:
    """Keys that begin so: a span of the index."""
    return (
        sa.select(_P.customer_id)
        .where(column >= beginning, column < beginning + _LAST)
        .order_by(column, _P.customer_id)
    )


def _kept(session: Session, ids: list[int]) -> list[int]:
    """Whoever they were merged into, in the same order, each once."""
    kept: dict[int, int] = {}
    layer = ids
    into: dict[int, int | None] = {}
    while layer:
        rows = session.execute(
            sa.select(Customer.id, Customer.merged_into).where(Customer.id.in_(layer))
        ).all()
        into |= {row.id: row.merged_into for row in rows}
        layer = [row.merged_into for row in rows if row.merged_into and row.merged_into not in into]
    for each in ids:
        last = each
        while (following := into.get(last)) is not None:
            last = following
        kept[last] = each
    return list(kept)
