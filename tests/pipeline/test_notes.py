"""Contact notes: what an open one holds, and what finishing it lets go."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.pipeline import planning as p
from worker.pipeline.merging import merge
from worker.pipeline.notes import (
    NOTE_OPEN,
    NoteWords,
    edit_note,
    finish_note,
    reopen_note,
    write_note,
)
from worker.pipeline.review_words import Refused, StaleEdit
from worker.rules.states import MailKind, MessageState, NoteState, Via
from worker.store.channels import Channel
from worker.store.customers import ContactNote, Customer
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.note_queries import count_due, open_notes
from worker.store.orders import OrderRow
from worker.store.ulids import new_ulid

M, S = MailKind, MessageState
SAID = NoteWords(said="お皿が欠けていたとのこと")


@pytest.fixture(autouse=True)
def _shop(session: Session) -> None:
    p.a_shop(session)


def note(session: Session, person: int, *, is_open: bool = True) -> ContactNote:
    return write_note(session, person, SAID, is_open=is_open, by="mori", now=p.MONDAY)


def a_message(session: Session, person: int, kind: MailKind, state: MessageState) -> Message:
    made = Message(
        id=new_ulid(p.MONDAY),
        kind=kind,
        channel_id=session.scalars(sa.select(Channel.id)).one(),
        family="own",
        scope="own",
        customer_id=person,
        state=state,
        due_at=p.MONDAY,
        created_at=p.MONDAY,
    )
    session.add(made)
    session.flush()
    return made


def state_of(session: Session, message: Message) -> MessageState:
    """As it stands in the store now."""
    session.refresh(message)
    return message.state


def mail(session: Session, person: int, kind: MailKind, state: MessageState) -> Message:
    made = a_message(session, person, kind, state)
    session.add(MessageBody(message_id=made.id, subject="s", text="本文"))
    session.flush()
    return made


@pytest.mark.parametrize("kind", [M.FOLLOW_UP, M.REVIEW_REQUEST, M.WIN_BACK, M.MILESTONE])
@pytest.mark.parametrize("state", [S.IN_REVIEW, S.APPROVED])
def test_an_open_note_holds_what_is_not_about_an_order(
    session: Session, kind: MailKind, state: MessageState
) -> None:
    person = p.a_person(session)
    waiting = mail(session, person.id, kind, state)
    waiting.approved_hash = "x"
    session.flush()
    made = note(session, person.id)
    session.refresh(waiting)
    assert (waiting.state, waiting.hold_reason, waiting.approved_hash) == (S.ON_HOLD, NOTE_OPEN, "")
    finish_note(session, made.id, version=made.version, by="mori", now=p.MONDAY)
    session.refresh(waiting)
    assert (waiting.state, waiting.hold_reason) == (S.IN_REVIEW, "")
    moves = session.scalars(sa.select(MessageEvent.move).order_by(MessageEvent.id)).all()
    assert list(moves)[-2:] == ["hold", "release"]


def test_thanks_and_notices_go_all_the_same(session: Session) -> None:
    person = p.a_person(session)
    waiting = mail(session, person.id, M.ORDER_THANKS, S.APPROVED)
    note(session, person.id)
    assert state_of(session, waiting) is S.APPROVED


def test_a_finished_note_holds_nothing(session: Session) -> None:
    person = p.a_person(session)
    waiting = mail(session, person.id, M.FOLLOW_UP, S.APPROVED)
    made = note(session, person.id, is_open=False)
    assert state_of(session, waiting) is S.APPROVED
    assert (made.state, made.done_by) == (NoteState.DONE, "mori")


def test_only_the_last_open_note_lets_mails_go(session: Session) -> None:
    person = p.a_person(session)
    waiting = mail(session, person.id, M.FOLLOW_UP, S.IN_REVIEW)
    one, other = note(session, person.id), note(session, person.id)
    finish_note(session, one.id, version=one.version, by="mori", now=p.MONDAY)
    assert state_of(session, waiting) is S.ON_HOLD
    finish_note(session, other.id, version=other.version, by="mori", now=p.MONDAY)
    assert state_of(session, waiting) is S.IN_REVIEW
    reopen_note(session, one.id, version=one.version, by="mori", now=p.MONDAY)
    assert state_of(session, waiting) is S.ON_HOLD


def test_what_a_person_held_stays_held(session: Session) -> None:
    person = p.a_person(session)
    waiting = mail(session, person.id, M.FOLLOW_UP, S.ON_HOLD)
    waiting.hold_reason = "あとで"
    session.flush()
    made = note(session, person.id)
    finish_note(session, made.id, version=made.version, by="mori", now=p.MONDAY)
    session.refresh(waiting)
    assert (waiting.state, waiting.hold_reason) == (S.ON_HOLD, "あとで")


def test_a_mail_without_words_yet_is_planned_again(session: Session) -> None:
    person = p.a_person(session)
    waiting = a_message(session, person.id, M.FOLLOW_UP, S.SCHEDULED)
    made = note(session, person.id)
    assert state_of(session, waiting) is S.ON_HOLD
    finish_note(session, made.id, version=made.version, by="mori", now=p.MONDAY)
    assert state_of(session, waiting) is S.SCHEDULED


def test_a_note_about_whoever_was_merged_in_holds_too(session: Session) -> None:
    kept, merged = p.a_person(session), p.a_person(session)
    made = note(session, merged.id)
    waiting = mail(session, kept.id, M.FOLLOW_UP, S.IN_REVIEW)
    merge(session, p.ctx(), kept.id, merged.id, "test", "mori", p.MONDAY)
    again = note(session, merged.id)
    assert again.customer_id == kept.id
    finish_note(session, again.id, version=again.version, by="mori", now=p.MONDAY)
    assert state_of(session, waiting) is S.ON_HOLD
    finish_note(session, made.id, version=made.version, by="mori", now=p.MONDAY)
    assert state_of(session, waiting) is S.IN_REVIEW


def test_the_fixed_form_is_written_over_a_quick_note_unless_it_is_stale(session: Session) -> None:
    made = note(session, p.a_person(session).id)
    full = NoteWords(
        said="米寿のお祝い",
        gift_received="お写真",
        ask_next="お口に合ったか",
        ask_by=date(2026, 11, 24),
        via=Via.PHONE,
        inquiry=True,
    )
    read = made.version
    edit_note(session, made.id, full, version=read, by="naka", now=p.MONDAY)
    assert (made.said, made.gift_received, made.via) == ("米寿のお祝い", "お写真", "phone")
    with pytest.raises(StaleEdit):
        edit_note(session, made.id, SAID, version=read, by="mori", now=p.MONDAY)
    assert made.said == "米寿のお祝い"


def test_an_empty_note_and_an_unknown_customer_are_refused(session: Session) -> None:
    person = p.a_person(session)
    with pytest.raises(Refused, match="何か書いて"):
        write_note(session, person.id, NoteWords(said=" "), is_open=True, by="mori", now=p.MONDAY)
    with pytest.raises(Refused, match="no such customer"):
        write_note(session, 999, SAID, is_open=True, by="mori", now=p.MONDAY)
    assert session.scalar(sa.select(sa.func.count()).select_from(ContactNote)) == 0


def test_notes_come_back_on_their_date(session: Session) -> None:
    person = p.a_person(session)
    today = p.MONDAY.date()
    for days in (-1, 0, 1, None):
        by = None if days is None else today + timedelta(days=days)
        words = NoteWords(said=str(days), ask_by=by)
        write_note(session, person.id, words, is_open=True, by="mori", now=p.MONDAY)
    assert [due.note.said for due in open_notes(session, today, 10)] == ["-1", "0"]
    assert count_due(session, today) == 2
    assert [due.note.said for due in open_notes(session, None, 10)] == ["-1", "0", "1", "None"]


# --- planning -------------------------------------------------------------------------------


def shipped_order(session: Session) -> tuple[OrderRow, int]:
    person = p.a_person(session)
    channel = session.scalars(sa.select(Channel)).one()
    order = p.a_visit(
        session, channel, person, fulfilment="shipped", shipped_at=p.MONDAY, ordered_at=p.MONDAY
    )
    return order, person.id


def test_a_follow_up_is_not_even_planned_while_a_note_is_open(session: Session) -> None:
    order, person = shipped_order(session)
    made = note(session, person)
    p.planned(session)
    assert p.said(session, order, M.FOLLOW_UP) == ("waiting", "open_note")
    finish_note(session, made.id, version=made.version, by="mori", now=p.MONDAY)
    session.refresh(order)
    p.planned(session)
    assert p.said(session, order, M.FOLLOW_UP) == ("message", "planned")


def test_planning_again_keeps_a_follow_up_that_a_note_holds(session: Session) -> None:
    order, person = shipped_order(session)
    p.planned(session)
    planned = p.message_of(session, order, M.FOLLOW_UP)
    made = ContactNote(customer_id=person, said="x", state=NoteState.OPEN, by="mori", at=p.MONDAY)
    session.add(made)
    p.due_again(session, order)
    p.planned(session)
    assert (planned.state, planned.hold_reason) == (S.ON_HOLD, NOTE_OPEN)
    assert p.message_of(session, order, M.FOLLOW_UP).id == planned.id
    finish_note(session, made.id, version=made.version, by="mori", now=p.MONDAY)
    session.refresh(planned)
    session.refresh(order)
    p.planned(session)
    assert planned.state is S.SCHEDULED
    assert p.message_of(session, order, M.FOLLOW_UP).id == planned.id


def test_planning_looks_at_notes_of_whoever_was_merged_in(session: Session) -> None:
    gone = p.a_person(session)
    note(session, gone.id)
    order, person = shipped_order(session)
    merge(session, p.ctx(), person, gone.id, "test", "mori", p.MONDAY)
    session.get_one(Customer, person).rank_due = False
    session.refresh(order)
    p.due_again(session, order)
    p.planned(session)
    assert p.said(session, order, M.FOLLOW_UP) == ("waiting", "open_note")
