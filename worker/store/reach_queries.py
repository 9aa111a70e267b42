"""What planning and sending read of a person: suppressions, consent, earlier mails, open notes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from worker.rules.states import (
    MAYBE_OUT,
    WAITING,
    ConsentAction,
    MailKind,
    MessageState,
    NoteState,
)
from worker.store.customers import Consent, ContactNote, Suppression
from worker.store.messages import Message
from worker.store.orders import OrderRow
from worker.store.standing_queries import groups

CHUNK = 500
AGREED = frozenset({ConsentAction.GRANTED, ConsentAction.CONFIRMED, ConsentAction.IMPORTED})

_T = TypeVar("_T")
_K = TypeVar("_K")


@dataclass(frozen=True, slots=True)
class Mailed:
    """One mail of a person that went, may have gone, or waits."""

    message_id: str
    customer_id: int
    kind: MailKind
    advertising: bool
    group_key: str
    state: MessageState
    step: str
    moment: datetime


def chunks(items: Iterable[_T], size: int = CHUNK) -> Iterator[list[_T]]:
    """Cut into lists of at most ``size``, so that no statement outgrows its parameters."""
    found = list(items)
    for start in range(0, len(found), size):
        yield found[start : start + size]


def suppressed(
    session: Session, hashes: Collection[str], customer_ids: Collection[int]
) -> tuple[dict[str, tuple[str, bool]], dict[int, tuple[str, bool]]]:
    """Open suppressions by address and by person, as (reason, advertising only)."""
    by_hash: dict[str, tuple[str, bool]] = {}
    by_person: dict[int, tuple[str, bool]] = {}
    keys = [(Suppression.address_hash, hashes), (Suppression.customer_id, customer_ids)]
    for column, wanted in keys:
        for part in chunks(wanted):
            rows = session.scalars(
                select(Suppression).where(column.in_(part), Suppression.lifted_at.is_(None))
            )
            for row in rows:
                _stricter(by_hash, row.address_hash, row)
                if row.customer_id is not None:
                    _stricter(by_person, row.customer_id, row)
    return by_hash, by_person


def _stricter(table: dict[_K, tuple[str, bool]], key: _K, row: Suppression) -> None:
    if key not in table or (table[key][1] and not row.ads_only):
        table[key] = (row.reason, row.ads_only)


def consented(session: Session, hashes: Collection[str]) -> set[tuple[int, str]]:
    """(channel, address hash) whose newest word is yes."""
    newest: dict[tuple[int, str], ConsentAction] = {}
    for part in chunks(hashes):
        rows = session.execute(
            select(Consent.channel_id, Consent.address_hash, Consent.action)
            .where(Consent.address_hash.in_(part))
            .order_by(Consent.occurred_at, Consent.id)
        )
        for row in rows:
            newest[row.channel_id, row.address_hash] = row.action
    return {key for key, action in newest.items() if action in AGREED}


# Not whole messages: the claim reads them for every mail, and their documents are long.
_MAILED = select(
    *(Message.id, Message.customer_id, Message.kind, Message.advertising, Message.group_key),
    *(Message.state, Message.step, Message.sent_at, Message.due_at),
)


def mailed(session: Session, customer_ids: Collection[int], since: datetime) -> list[Mailed]:
    """Mails of these people since then, gone or waiting."""
    found: list[Mailed] = []
    for part in chunks(customer_ids):
        rows = session.execute(
            _MAILED.where(
                Message.customer_id.in_(part),
                Message.state.in_(MAYBE_OUT | WAITING),
                or_(Message.sent_at >= since, Message.due_at >= since),
            )
        )
        found += [
            Mailed(
                message_id=row.id,
                customer_id=row.customer_id or 0,
                kind=row.kind,
                advertising=row.advertising,
                group_key=row.group_key,
                state=row.state,
                step=row.step,
                moment=row.sent_at or row.due_at,
            )
            for row in rows
        ]
    return found


def people_with_open_notes(session: Session, customer_ids: Collection[int]) -> set[int]:
    """Who of these, with those merged into them, has a note that still wants something."""
    found: set[int] = set()
    for part in chunks(customer_ids):
        root = groups(session, part)
        for members in chunks(root):
            noted = session.scalars(
                select(ContactNote.customer_id).where(
                    ContactNote.customer_id.in_(members), ContactNote.state == NoteState.OPEN
                )
            )
            found.update(root[person] for person in noted)
    return found


def people_with_unpaid_orders(
    session: Session, customer_ids: Collection[int], since: datetime
) -> set[int]:
    """Who of these has a recent open order that is not paid; cash on delivery is paid later."""
    found: set[int | None] = set()
    for part in chunks(customer_ids):
        found.update(
            session.scalars(
                select(OrderRow.customer_id).where(
                    OrderRow.customer_id.in_(part),
                    OrderRow.life == "open",
                    OrderRow.payment == "unpaid",
                    OrderRow.payment_kind.in_(("prepayment", "unknown")),
                    OrderRow.ordered_at >= since,
                )
            )
        )
    return {person for person in found if person is not None}
