"""Mails that came back, blocks and consents told to staff, and the errands of it all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.documents import KEY
from tests.pipeline import planning as p
from tests.pipeline.test_notes import a_message
from worker.pipeline.bounces import ASK_ADDRESS, ask_for_addresses, note_bounce
from worker.pipeline.review_words import Refused
from worker.pipeline.staff_tasks import close_task, done_tasks, open_tasks
from worker.pipeline.suppressions import lift_suppression, record_consent, suppress_customer
from worker.rules.bounces import is_dead
from worker.rules.keys import address_hash
from worker.rules.states import ConsentAction, MailKind, MessageState, MoveRefused
from worker.store.channels import Channel
from worker.store.customers import Consent, Customer, Suppression
from worker.store.messages import Message, MessageBody

M, S = MailKind, MessageState


@pytest.fixture(autouse=True)
def _shop(session: Session) -> None:
    p.a_shop(session)


def sent(session: Session, person: int, state: MessageState = S.SENT, reply: str = "") -> Message:
    made = a_message(session, person, M.ORDER_THANKS, state)
    address = f"person{person}@mail.example"
    made.recipient_hash, made.last_reply = address_hash(KEY, address), reply
    session.add(MessageBody(message_id=made.id, subject="s", text="t", recipient=address))
    session.flush()
    return made


def blocks(session: Session) -> list[tuple[str, int | None]]:
    rows = session.execute(
        sa.select(Suppression.reason, Suppression.customer_id).where(
            Suppression.lifted_at.is_(None)
        )
    )
    return [(row.reason, row.customer_id) for row in rows]


def test_a_mail_that_came_back_ends_its_address_and_asks_for_a_new_one(session: Session) -> None:
    person = p.a_person(session)
    one, other = sent(session, person.id), sent(session, person.id)
    for message in (one, other):
        note_bounce(session, p.ctx(), message.id, evidence="5.1.1", by="mori", now=p.MONDAY)
    assert (one.state, other.state) == (S.BOUNCED, S.BOUNCED)
    assert blocks(session) == [("bounce", None)]
    (task,) = open_tasks(session)
    assert (task.kind, task.detail["customer"]) == (ASK_ADDRESS, person.id)


def test_only_what_was_sent_can_come_back_and_only_with_a_word(session: Session) -> None:
    person = p.a_person(session)
    waiting, out = (
        a_message(session, person.id, M.ORDER_THANKS, S.APPROVED),
        sent(session, person.id),
    )
    with pytest.raises(MoveRefused):
        note_bounce(session, p.ctx(), waiting.id, evidence="x", by="mori", now=p.MONDAY)
    with pytest.raises(Refused, match="理由"):
        note_bounce(session, p.ctx(), out.id, evidence=" ", by="mori", now=p.MONDAY)
    assert out.state is S.SENT
    assert (blocks(session), list(open_tasks(session))) == ([], [])


def test_refused_addresses_are_found_each_day_once(session: Session) -> None:
    person = p.a_person(session)
    sent(session, person.id, S.FAILED, "550 5.1.1 <x>: no such user")
    sent(session, p.a_person(session).id, S.FAILED, "550 5.7.1 blocked by policy")
    assert ask_for_addresses(session, p.ctx(), p.MONDAY) == 1
    (block,) = session.scalars(sa.select(Suppression)).all()
    lift_suppression(session, block.id, note="確認済み", by="mori", now=p.MONDAY)
    assert ask_for_addresses(session, p.ctx(), p.MONDAY) == 0
    assert blocks(session) == []
    assert ask_for_addresses(session, p.ctx(), p.MONDAY + timedelta(days=30)) == 0


@pytest.mark.parametrize(
    ("reply", "dead"),
    [
        ("550 5.1.1 unknown", True),
        ("550-5.2.1 disabled", True),
        ("553 sorry", True),
        ("550 no", False),
        ("552 5.2.2 full", False),
        ("421 4.1.1 later", False),
        ("", False),
    ],
)
def test_a_reply_tells_a_dead_address_from_other_trouble(reply: str, dead: bool) -> None:
    assert is_dead(reply) is dead


def test_an_errand_is_closed_with_a_word_and_opened_by_a_new_bounce(session: Session) -> None:
    person = p.a_person(session)
    note_bounce(
        session, p.ctx(), sent(session, person.id).id, evidence="x", by="mori", now=p.MONDAY
    )
    (task,) = open_tasks(session)
    with pytest.raises(Refused, match="ひとこと"):
        close_task(session, task.id, word=" ", by="mori", now=p.MONDAY)
    close_task(session, task.id, word="伺った", by="mori", now=p.MONDAY)
    with pytest.raises(Refused, match="もう済んで"):
        close_task(session, task.id, word="二度", by="naka", now=p.MONDAY)
    assert [(t.done_by, t.done_word) for t in done_tasks(session)] == [("mori", "伺った")]
    note_bounce(
        session, p.ctx(), sent(session, person.id).id, evidence="x", by="mori", now=p.MONDAY
    )
    assert [t.id for t in open_tasks(session)] == [task.id]


# --- blocks and consent ---------------------------------------------------------------------


def test_a_block_is_noted_once_and_lifted_with_a_word(session: Session) -> None:
    person = p.a_person(session)
    person.plan_due = False
    for _ in range(2):
        suppress_customer(
            session, p.ctx(), person.id, ads_only=True, note="電話で", by="mori", now=p.MONDAY
        )
    assert blocks(session) == [("asked", person.id)]
    session.refresh(person)
    assert person.plan_due
    (block,) = session.scalars(sa.select(Suppression)).all()
    with pytest.raises(Refused, match="理由"):
        lift_suppression(session, block.id, note="", by="mori", now=p.MONDAY)
    lift_suppression(session, block.id, note="お客様の希望", by="mori", now=p.MONDAY)
    assert blocks(session) == []
    with pytest.raises(Refused, match="もう解除"):
        lift_suppression(session, block.id, note="x", by="mori", now=p.MONDAY)


def test_people_without_an_address_are_blocked_each_by_themselves(session: Session) -> None:
    one, other = p.a_person(session), p.a_person(session)
    for person in (one, other):
        suppress_customer(
            session, p.ctx(), person.id, ads_only=False, note="", by="mori", now=p.MONDAY
        )
    hashes = session.scalars(sa.select(Suppression.address_hash)).all()
    assert len(set(hashes)) == 2
    assert "" not in hashes


def test_consent_needs_evidence_and_an_address_of_that_shop(session: Session) -> None:
    shop = session.scalars(sa.select(Channel)).one()
    person = p.a_person(session)
    ask: dict[str, Any] = {"by": "mori", "now": p.MONDAY, "agreed": True}
    with pytest.raises(Refused, match="いつ"):
        record_consent(session, p.ctx(), person.id, shop.id, evidence=" ", **ask)
    with pytest.raises(Refused, match="メールアドレスがありません"):
        record_consent(session, p.ctx(), person.id, shop.id, evidence="電話", **ask)
    p.a_visit(session, shop, person)
    row = record_consent(session, p.ctx(), person.id, shop.id, evidence="11/16 電話", **ask)
    assert (row.action, row.method) == (ConsentAction.GRANTED, "staff")
    assert row.address_hash == address_hash(KEY, f"person{person.id}@mail.example")
    assert session.scalar(sa.select(sa.func.count()).select_from(Consent)) == 1
    assert session.get_one(Customer, person.id).plan_due
