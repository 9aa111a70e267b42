"""What clerks entered into profiles: it stands until an order tells something else later."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.store.bulk import among
from worker.store.customers import ProfileEntry
from worker.store.standing_queries import groups


class Entry(NamedTuple):
    """One field as a clerk entered it, what stood there before, and when."""

    value: Any
    was: Any
    at: datetime

    def stands(self, told: Any, told_at: datetime | None) -> bool:
        """Whether the entry wins over what orders tell: only later and other words beat it."""
        if told is None or told_at is None or told == self.was:
            return True
        return told_at <= self.at


def entries_of(session: Session, customer_ids: Sequence[int]) -> dict[int, dict[str, Entry]]:
    """Entries of these customers and of those merged into them, the newest of each field."""
    if session.scalar(sa.select(sa.exists(sa.select(ProfileEntry.customer_id)))) is not True:
        return {}
    root = groups(session, customer_ids)
    rows = session.scalars(
        sa.select(ProfileEntry)
        .where(among(session, ProfileEntry.customer_id, list(root)))
        .order_by(ProfileEntry.at)
    )
    found: dict[int, dict[str, Entry]] = {}
    for row in rows:
        entry = Entry(_value(row.field, row.value), _value(row.field, row.was), row.at)
        found.setdefault(root[row.customer_id], {})[row.field] = entry
    return found


def _value(field: str, text: str | None) -> Any:
    return date.fromisoformat(text) if field == "birthday" and text else text
