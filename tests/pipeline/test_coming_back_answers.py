"""Answers to our mails: a person's opens an inquiry that holds mails, a machine's does not."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import make_order_row
from tests.pipeline.returning import back, blocks, followed, out, take, tasks
from worker.pipeline.coming_back_answers import MOST_OPEN, WANTS_OUT
from worker.pipeline.context import Context
from worker.rules.states import MailKind, MessageState, NoteState, Outcome, Via
from worker.store.channels import Channel
from worker.store.customers import ContactNote, Customer
from worker.store.messages import Message, Occasion

S = MessageState
ELSEWHERE = "shop@hinata.example"


def notes(session: Session) -> list[ContactNote]:
    return list(session.scalars(sa.select(ContactNote).order_by(ContactNote.id)))


def test_a_person_s_reply_is_an_open_inquiry_that_holds_later_mails(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    customer = session.get_one(Customer, message.customer_id)
    later = out(session, channel, customer=customer, kind=MailKind.FOLLOW_UP, state=S.APPROVED)
    taken = take(session, ctx, back(session, "human-reply", message, path=ELSEWHERE))
    assert (taken.outcome, taken.matched) == ("inquiry", "mail_id")
    (note,) = notes(session)
    assert (note.inquiry, note.state, note.via) == (True, NoteState.OPEN, Via.MAIL)
    assert note.said.endswith("届け先を変えたいのですが、まだ間に合いますか。")
    session.refresh(later)
    assert (later.state, later.hold_reason) == (S.ON_HOLD, "note_open")
    assert (message.state, blocks(session)) == (S.SENT, [])


def test_the_inquiry_names_the_order_that_the_mail_was_about(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    customer = session.get_one(Customer, message.customer_id)
    order = make_order_row(session, channel, customer, message.due_at)
    session.add(
        Occasion(
            kind=message.kind,
            subject="order:own:main:1",
            channel_id=channel.id,
            order_id=order.id,
            customer_id=customer.id,
            outcome=Outcome.MESSAGE,
            message_id=message.id,
            created_at=message.due_at,
            changed_at=message.due_at,
        )
    )
    session.flush()
    take(session, ctx, back(session, "human-reply", message))
    assert [note.order_id for note in notes(session)] == [order.id]


def test_the_sender_s_address_is_enough_for_an_inquiry(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    raw = back(session, "human-reply", message, path=ELSEWHERE, mail_id="<fresh@mail.example>")
    assert take(session, ctx, raw).matched == "address"
    assert [note.customer_id for note in notes(session)] == [message.customer_id]


def test_a_reply_to_somebody_merged_away_is_the_kept_person_s(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message, other = out(session, channel), out(session, channel)
    session.get_one(Customer, message.customer_id).merged_into = other.customer_id
    session.flush()
    take(session, ctx, back(session, "human-reply", message))
    assert [note.customer_id for note in notes(session)] == [other.customer_id]


def test_strangers_open_nothing(session: Session, channel: Channel, ctx: Context) -> None:
    message = out(session, channel)
    before = followed(session)
    raw = back(session, "human-reply", message, to="who@mail.example", mail_id="<fresh@m.example>")
    assert take(session, ctx, raw.replace(b"shop@hinata", b"x@hinata")).known is False
    assert followed(session) == before


@pytest.mark.parametrize(
    "name", ["vacation-rfc3834", "vacation-japanese", "vacation-outlook", "vacation-null-path"]
)
def test_automatic_answers_are_left_alone(
    session: Session, channel: Channel, ctx: Context, name: str
) -> None:
    message = out(session, channel)
    before = followed(session)
    assert take(session, ctx, back(session, name, message)).outcome == "left"
    assert followed(session) == before


def test_words_of_leaving_go_to_a_person_and_stop_nothing_by_themselves(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = out(session, channel)
    assert take(session, ctx, back(session, "auto-with-words", message)).outcome == "asked"
    assert (tasks(session), blocks(session), notes(session)) == ([WANTS_OUT], [], [])


def test_a_flood_of_replies_opens_a_few_inquiries(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message: Message = out(session, channel)
    raw = back(session, "human-reply", message)
    told = [take(session, ctx, raw + b"\r\n%d" % n).outcome for n in range(MOST_OPEN + 2)]
    assert told == ["inquiry"] * MOST_OPEN + ["enough"] * 2
    assert len(notes(session)) == MOST_OPEN
