"""個別メール: written from the card or a mail, once per form, and read like every other."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter, Visitor
from tests.console.sample import message_id
from worker.rules.states import MailKind, MessageState, Role
from worker.store.channels import Channel
from worker.store.engine import reading, writing
from worker.store.messages import Message, MessageBody, Occasion

PERSON = 7
"""大野 由佳, who ordered in the own shop."""
ABROAD = 8
"""渡辺 健一, who ordered at Yahoo!."""


@pytest.fixture(autouse=True)
def _shop_may_write(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        for channel in session.scalars(sa.select(Channel)):
            channel.title = "みどり茶舗"


def letters(engine: Engine) -> list[tuple[MessageState, str]]:
    with reading(engine) as session:
        rows = session.execute(
            sa.select(Message.state, MessageBody.text)
            .join(MessageBody, MessageBody.message_id == Message.id)
            .where(Message.kind == MailKind.PERSONAL)
        )
        return [(row[0], row[1]) for row in rows]


def form(visitor: Visitor, person: int = PERSON, query: str = "") -> dict[str, str]:
    """Key and first choice of the form."""
    html = visitor.get(f"/customers/{person}/write{query}").text
    key = re.search(r'name="key" value="([^"]+)"', html)
    chosen = re.search(r'<option value="([^"]*)" selected', html)
    first = re.search(r'<select[^>]*name="about"><option value="([^"]*)"', html)
    assert key is not None
    assert first is not None
    return {"key": key.group(1), "about": (chosen or first).group(1)}


def test_a_letter_waits_to_be_read_with_its_placeholders_filled(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter(Role.EDITOR)
    words = {"subject": "お尋ねの件", "text": "ご注文 {{ 注文番号 }} の件、承りました。"}
    answer = visitor.send(f"/customers/{PERSON}/write", **form(visitor), **words)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/messages/")
    ((state, text),) = letters(desk_engine)
    assert state is MessageState.IN_REVIEW
    assert "ご注文 N-20261124-006 の件、承りました。" in text


def test_the_same_form_sent_twice_makes_one_mail(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    filled = form(visitor) | {"subject": "お尋ねの件", "text": "承りました。"}
    places = {
        visitor.send(f"/customers/{PERSON}/write", **filled).headers["location"] for _ in "ab"
    }
    assert len(places) == 1
    assert len(letters(desk_engine)) == 1
    visitor.send(f"/customers/{PERSON}/write", **filled | form(visitor))
    assert len(letters(desk_engine)) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ お客さま }} へ", "「お客さま」という差し込みはありません"),
        ("{{ letter_body }}", "「letter_body」という差し込みはありません"),
        ("{{ 注文番号 ", "波かっこの書き方を確かめてください"),
        ("  ", "件名と本文を入力してください"),
    ],
)
def test_a_refused_letter_keeps_the_clerks_words(
    enter: Enter, desk_engine: Engine, text: str, said: str
) -> None:
    visitor = enter(Role.EDITOR)
    filled = form(visitor) | {"subject": "苦心の件名", "text": text}
    answer = visitor.send(f"/customers/{PERSON}/write", **filled)
    assert answer.status_code == 409
    assert said in answer.text
    assert "苦心の件名" in answer.text
    assert filled["key"] in answer.text
    assert letters(desk_engine) == []


def test_a_mail_leads_to_the_letter_about_its_order(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    html = visitor.get(f"/messages/{message_id(PERSON - 1)}").text
    found = re.search(rf'href="(/customers/{PERSON}/write\?order=\d+)"', html)
    assert found is not None
    assert form(visitor, PERSON, "?order=7")["about"] == "1:7"


def test_a_marketplace_is_written_to_about_an_order_only(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    html = visitor.get(f"/customers/{ABROAD}/write").text
    assert "N-20261124-007" in html
    assert "受注とは別のこと" not in html
    filled = form(visitor, ABROAD) | {"subject": "件名", "text": "本文"}
    answer = visitor.send(f"/customers/{ABROAD}/write", **filled | {"about": "3:1"})
    assert "この顧客の、この店舗での受注ではありません" in answer.text


def test_odd_forms_and_viewers_write_nothing(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    filled = form(visitor) | {"subject": "件名", "text": "本文"}
    for odd in ({"about": "x:1"}, {"about": "1:y"}, {"key": "short"}):
        assert visitor.send(f"/customers/{PERSON}/write", **filled | odd).status_code == 422
    viewer = enter(Role.VIEWER)
    assert viewer.send(f"/customers/{PERSON}/write", **filled).status_code == 403
    assert letters(desk_engine) == []


def test_the_form_speaks_english_and_names_placeholders_so(enter: Enter) -> None:
    html = enter(Role.EDITOR, language="en").get(f"/customers/{PERSON}/write").text
    assert "Placeholders" in html
    assert "{{ order_number }}" in html


def test_one_occasion_per_key(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    filled = form(visitor) | {"subject": "お尋ねの件", "text": "承りました。"}
    visitor.send(f"/customers/{PERSON}/write", **filled)
    with reading(desk_engine) as session:
        subject = session.scalar(
            sa.select(Occasion.subject).where(Occasion.kind == MailKind.PERSONAL)
        )
    assert subject == f"personal:{filled['key']}"
