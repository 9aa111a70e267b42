"""Consent as order files tell it: rows of the append-only ledger; an import can withdraw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.states import ConsentAction
from worker.store.customers import Consent
from worker.store.order_queries import chunks, insert_rows
from worker.store.schema import Base

CONSENTS = Base.metadata.tables[Consent.__tablename__]
METHOD = "platform_flag"


@dataclass(frozen=True, slots=True)
class Said:
    """One statement of an order file: this address agreed, or did not, at that time."""

    channel_id: int
    address_hash: str
    customer_id: int
    agreed: bool
    at: datetime
    source_ref: str

    @property
    def action(self) -> ConsentAction:
        """What it is called in the ledger."""
        return ConsentAction.IMPORTED if self.agreed else ConsentAction.WITHDRAWN


def record_consents(session: Session, said: Iterable[Said], now: datetime) -> int:
    """Write what is new, of each address the newest; gives how many rows.

    A consent is not written over a withdrawal of the same time or later: whoever withdrew at
    the desk or by a link is not brought back by an old export.
    """
    newest: dict[tuple[int, str], Said] = {}
    for one in sorted(said, key=lambda one: (one.at, not one.agreed)):
        newest[one.channel_id, one.address_hash] = one
    if not newest:
        return 0
    ledger = _ledger(session, newest)
    rows = [_row(one, now) for key, one in newest.items() if _adds(one, ledger.get(key, []))]
    insert_rows(session, CONSENTS, rows)
    return len(rows)


def _adds(one: Said, ledger: list[tuple[ConsentAction, datetime]]) -> bool:
    if (one.action, one.at) in ledger:
        return False
    withdrawn = [at for action, at in ledger if action is ConsentAction.WITHDRAWN]
    return not (one.agreed and withdrawn and max(withdrawn) >= one.at)


def _ledger(
    session: Session, keys: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], list[tuple[ConsentAction, datetime]]]:
    found: dict[tuple[int, str], list[tuple[ConsentAction, datetime]]] = {}
    wanted = list(keys)
    for part in chunks(sorted({address for _, address in wanted})):
        query = sa.select(
            CONSENTS.c.channel_id,
            CONSENTS.c.address_hash,
            CONSENTS.c.action,
            CONSENTS.c.occurred_at,
        ).where(
            CONSENTS.c.channel_id.in_({channel for channel, _ in wanted}),
            CONSENTS.c.address_hash.in_(part),
        )
        for channel, address, action, at in session.execute(query):
            found.setdefault((channel, address), []).append((action, at))
    return found


def _row(one: Said, now: datetime) -> dict[str, object]:
    return {
        "customer_id": one.customer_id,
        "channel_id": one.channel_id,
        "address_hash": one.address_hash,
        "action": one.action,
        "method": METHOD,
        "source_ref": one.source_ref,
        "occurred_at": one.at,
        "recorded_at": now,
    }
