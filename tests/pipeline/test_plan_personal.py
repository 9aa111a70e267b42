"""Mails that a clerk writes to one customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from tests.pipeline import planning as p
from worker.pipeline import plan as planning
from worker.pipeline.render import recheck
from worker.rules.states import MessageState
from worker.store.customers import Customer
from worker.store.messages import Message

NOON = p.MONDAY + timedelta(hours=2)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


def a_letter(session: Session, person: Customer, channel_id: int, text: str) -> Message:
    message_id = planning.write_personal(
        session, p.ctx(), person.id, channel_id, "お尋ねの件", text, by="mori", now=NOON
    )
    return session.get_one(Message, message_id)


def test_a_clerk_writes_to_one_customer(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    p.a_visit(session, shop, person)
    message = a_letter(
        session, person, shop.id, "{{ customer_family_honorific }}、本日発送します。"
    )
    body = p.body_of(session, message)
    assert message.state is MessageState.IN_REVIEW
    assert "山田様、本日発送します。" in body.text or "山田 花子 様、本日発送します。" in body.text
    assert "お尋ねの件" in body.subject
    assert recheck(session, p.ctx(), message.id, NOON).changed == []


def test_a_marketplace_is_written_to_about_an_order_only(session: Session) -> None:
    shop, person = p.a_shop(session, "yahoo:main", title="みどり茶舗 ヤフー店"), p.a_person(session)
    with pytest.raises(planning.PersonalRefused) as refused:
        a_letter(session, person, shop.id, "こんにちは。")
    assert refused.value.code == "no_order"


def test_one_form_makes_one_mail_and_another_form_another(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    p.a_visit(session, shop, person)

    def made(key: str, text: str = "本日発送します。") -> str:
        words = ("お尋ねの件", text)
        return planning.write_personal(
            session, p.ctx(), person.id, shop.id, *words, by="mori", now=NOON, key=key
        )

    first = made("k" * 24)
    assert made("k" * 24, "あとから変えた言葉") == first
    assert made("j" * 24) != first


@pytest.mark.parametrize(
    ("subject", "text", "code"),
    [
        ("件名", "{{ だれか }}", "unknown_placeholder"),
        ("{{ letter_subject }}", "本文", "unknown_placeholder"),
        ("件名", "{{ お客様名 ", "not_a_letter"),
        ("件名", "{% for x in y %}{% endfor %}", "not_a_letter"),
        ("件\n名", "本文", "subject_lines"),
        ("", "本文", "empty"),
    ],
)
def test_words_that_are_no_letter_are_refused_before_anything_is_stored(
    session: Session, subject: str, text: str, code: str
) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    p.a_visit(session, shop, person)
    with pytest.raises(planning.PersonalRefused) as refused:
        planning.write_personal(
            session, p.ctx(), person.id, shop.id, subject, text, by="mori", now=NOON
        )
    assert refused.value.code == code
    assert "{" not in refused.value.words("ja").replace(text, "")
    assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_an_order_of_somebody_else_is_not_written_about(session: Session) -> None:
    shop, person, other = p.a_shop(session), p.a_person(session), p.a_person(session)
    p.a_visit(session, shop, person)
    theirs = p.a_visit(session, shop, other)
    with pytest.raises(planning.PersonalRefused) as refused:
        planning.write_personal(
            session, p.ctx(), person.id, shop.id, "件名", "本文", "mori", NOON, theirs.id
        )
    assert refused.value.code == "order_of_another"
