"""Contact notes read: whether one is open, which have come due, and all of one person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.states import NoteState
from worker.store.customers import ContactNote, CustomerProfile

_OPEN = ContactNote.state == NoteState.OPEN


def has_open_note(session: Session, customer_ids: Collection[int]) -> bool:
    """Whether any of these still has a note that wants something."""
    found = sa.exists().where(ContactNote.customer_id.in_(customer_ids), _OPEN)
    return bool(session.scalar(sa.select(found)))


def notes_of(session: Session, customer_ids: Collection[int]) -> Sequence[ContactNote]:
    """Every note of these customers: the open ones by their date, then the newest."""
    return session.scalars(
        sa.select(ContactNote)
        .where(ContactNote.customer_id.in_(customer_ids))
        .order_by(
            sa.case((_OPEN, 0), else_=1),
            sa.case((_OPEN & ContactNote.ask_by.is_not(None), 0), else_=1),
            sa.case((_OPEN, ContactNote.ask_by)),
            ContactNote.at.desc(),
            ContactNote.id.desc(),
        )
    ).all()


@dataclass(frozen=True, slots=True)
class DueNote:
    """An open note and whose it is."""

    note: ContactNote
    name: str


def open_notes(session: Session, until: date | None, limit: int) -> list[DueNote]:
    """Open notes, the earliest date first; with ``until`` only those whose date has come."""
    wanted = sa.select(ContactNote, CustomerProfile.name).outerjoin(
        CustomerProfile, CustomerProfile.customer_id == ContactNote.customer_id
    )
    # Literal words, as the partial index says them: SQLite takes it only so.
    wanted = wanted.where(sa.text("contact_notes.state = 'open'"))
    if until is not None:
        wanted = wanted.where(ContactNote.ask_by <= until)
    ordered = wanted.order_by(
        ContactNote.ask_by.is_(None), ContactNote.ask_by, ContactNote.id
    ).limit(limit)
    return [DueNote(note, name or "") for note, name in session.execute(ordered)]


def count_due(session: Session, until: date) -> int:
    """How many open notes have come due."""
    due = sa.select(sa.func.count()).where(
        sa.text("contact_notes.state = 'open'"), ContactNote.ask_by <= until
    )
    return session.scalar(due.select_from(ContactNote)) or 0
