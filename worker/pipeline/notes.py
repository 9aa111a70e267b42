"""Contact notes: written, finished, opened again; an open one holds all but mails of an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.review_words import Refused, StaleEdit
from worker.rules.states import NOTE_HELD, Actor, MessageState, NoteState, Via
from worker.store.customers import ContactNote, Customer
from worker.store.message_queries import move_many
from worker.store.messages import Message, MessageBody
from worker.store.note_queries import has_open_note
from worker.store.orders import OrderRow
from worker.store.standing_queries import groups

NOTE_OPEN = "note_open"
"""The hold reason of what an open note holds; finishing the last one releases exactly these."""

_TO_HOLD = (
    *(MessageState.SCHEDULED, MessageState.IN_REVIEW),
    *(MessageState.APPROVED, MessageState.RETRY_WAIT),
)


@dataclass(frozen=True, slots=True)
class NoteWords:
    """What a clerk wrote; ``inquiry`` marks a question of the customer's own."""

    said: str = ""
    gift_received: str = ""
    ask_next: str = ""
    ask_by: date | None = None
    via: Via | None = None
    inquiry: bool = False
    order_id: int | None = None

    def cleaned(self) -> dict[str, object]:
        """The columns; raises Refused where nothing was written."""
        row = {
            "said": self.said.strip(),
            "gift_received": self.gift_received.strip(),
            "ask_next": self.ask_next.strip(),
        }
        if not any(row.values()):
            raise Refused("note_empty")
        via = self.via.value if self.via else ""
        return row | {"ask_by": self.ask_by, "via": via, "inquiry": self.inquiry}


def write_note(
    session: Session,
    customer_id: int,
    words: NoteWords,
    *,
    is_open: bool,
    by: str,
    now: datetime,
) -> ContactNote:
    """Add a note; an open one puts follow-ups and advertising of the person on hold.

    Raises Refused for a customer that is not, an order of somebody else, and an empty note.
    """
    row = words.cleaned()
    kept = kept_customer(session, customer_id)
    order_id = words.order_id
    if order_id is not None:
        owner = session.scalar(sa.select(OrderRow.customer_id).where(OrderRow.id == order_id))
        if owner != kept:
            raise Refused("order_unknown")
    note = ContactNote(
        customer_id=kept,
        order_id=order_id,
        state=NoteState.OPEN if is_open else NoteState.DONE,
        by=by,
        at=now,
        **row,
    )
    if not is_open:
        note.done_at, note.done_by = now, by
    session.add(note)
    session.flush()
    _follow(session, kept, by, now)
    return note


def edit_note(
    session: Session, note_id: int, words: NoteWords, *, version: int, by: str, now: datetime
) -> ContactNote:
    """Write the fixed form over a note. Raises StaleEdit where somebody was faster."""
    note = _note(session, note_id, version)
    for name, value in words.cleaned().items():
        setattr(note, name, value)
    session.flush()
    _follow(session, note.customer_id, by, now)
    return note


def finish_note(
    session: Session, note_id: int, *, version: int, by: str, now: datetime
) -> ContactNote:
    """Close a note; the last open one releases what was held for it, to be read."""
    note = _note(session, note_id, version)
    note.state, note.done_at, note.done_by = NoteState.DONE, now, by
    session.flush()
    _follow(session, note.customer_id, by, now)
    return note


def reopen_note(
    session: Session, note_id: int, *, version: int, by: str, now: datetime
) -> ContactNote:
    """Open a finished note again."""
    note = _note(session, note_id, version)
    note.state, note.done_at, note.done_by = NoteState.OPEN, None, ""
    session.flush()
    _follow(session, note.customer_id, by, now)
    return note


def kept_customer(session: Session, customer_id: int) -> int:
    """Whoever this customer was merged into, however far. Raises Refused where there is none."""
    found = session.get(Customer, customer_id)
    while found is not None and found.merged_into is not None:
        found = session.get(Customer, found.merged_into)
    if found is None or found.erased_at is not None:
        raise Refused("customer_unknown")
    return found.id


def _note(session: Session, note_id: int, version: int) -> ContactNote:
    note = session.get(ContactNote, note_id, with_for_update=True)
    if note is None:
        raise Refused("note_unknown")
    if note.version != version:
        raise StaleEdit(f"note {note_id}", note.version)
    return note


def _follow(session: Session, customer_id: int, by: str, now: datetime) -> None:
    """Let the person's mails follow the notes: held while one is open, else released."""
    kept = kept_customer(session, customer_id)
    members = list(groups(session, [kept]))
    theirs = sa.and_(Message.customer_id.in_(members), Message.kind.in_(NOTE_HELD))
    if has_open_note(session, members):
        held = sa.and_(theirs, Message.state.in_(_TO_HOLD))
        move_many(
            session,
            held,
            "hold",
            Actor.SYSTEM,
            by,
            {"code": NOTE_OPEN},
            now,
            hold_reason=NOTE_OPEN,
            approved_hash="",
            undo_until=None,
            lease_owner="",
            lease_until=None,
        )
    else:
        _release(session, theirs, by, now)
    _plan_again(session, members)


def _release(session: Session, theirs: sa.ColumnElement[bool], by: str, now: datetime) -> None:
    held = sa.and_(theirs, Message.state == MessageState.ON_HOLD, Message.hold_reason == NOTE_OPEN)
    """To be read where a person had it before them, else back to where it waits for its time."""
    written = sa.exists().where(MessageBody.message_id == Message.id, MessageBody.text != "")
    early = sa.and_(sa.not_(Message.edited), sa.func.coalesce(Message.review_at, now) > now)
    ready = sa.and_(written, sa.not_(early))
    told = {"code": "note_done"}
    for condition, move in ((ready, "release"), (sa.not_(ready), "reschedule")):
        found = sa.and_(held, condition)
        move_many(session, found, move, Actor.SYSTEM, by, told, now, hold_reason="")


def _plan_again(session: Session, members: list[int]) -> None:
    """What waits for the note, or was planned before it, is judged anew."""
    session.execute(sa.update(Customer).where(Customer.id.in_(members)).values(plan_due=True))
    session.execute(
        sa.update(OrderRow).where(OrderRow.customer_id.in_(members)).values(plan_due=True)
    )
