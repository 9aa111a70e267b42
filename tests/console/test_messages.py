"""送信履歴: found by person, order and words; filtered, paged, and taken along as a file."""

from __future__ import annotations

import csv
import io
import re

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter
from tests.console.sample import NOW, PEOPLE, message_id
from worker.rules.finding import keys_of_profile
from worker.rules.states import MailKind, MessageState, Role
from worker.store.customers import CustomerProfile
from worker.store.engine import writing
from worker.store.messages import Message, MessageBody
from worker.store.running import Audit


def shown(html: str) -> list[str]:
    """Ids of the messages on the page."""
    return re.findall(r'href="/messages/(\w+)\?view=mail#mail"', html)


@pytest.fixture(autouse=True)
def _found_by_name(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        for profile in session.query(CustomerProfile):
            row = {"name": profile.name, "kana": profile.kana, "phone": profile.phone}
            for name, value in keys_of_profile(row, member=False).items():
                setattr(profile, name, value)


def test_every_message_is_listed_with_its_state(enter: Enter) -> None:
    html = enter().get("/messages").text
    assert len(shown(html)) == len(PEOPLE) + 1
    assert "モールで配信" in html
    assert f'href="/messages/{message_id(17)}?view=life#mail">送信失敗</a>' in html


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("q=高橋", 3),
        ("q=たかはし", 3),
        ("q=customer3@mail.example", 3),
        ("q=N-20261124-003", 3),
        ("q=N-20261124-003&among=words", 3),
        ("state=failed", 17),
        ("kind=follow_up", 13),
    ],
)
def test_a_message_is_found_by_what_staff_know(enter: Enter, asked: str, place: int) -> None:
    assert shown(enter().get(f"/messages?{asked}").text) == [message_id(place)]


def test_days_and_shops_narrow_the_list(enter: Enter) -> None:
    visitor = enter()
    assert shown(visitor.get("/messages?since=2026-11-25").text) == []
    assert len(shown(visitor.get("/messages?since=2026-11-24&until=2026-11-24").text)) == 19
    yahoo = shown(visitor.get("/messages?channel=3").text)
    assert sorted(yahoo) == [message_id(5), message_id(7)]


def test_what_people_do_not_find_is_offered_among_the_words(enter: Enter) -> None:
    html = enter().get("/messages?q=ほうじ茶").text
    assert shown(html) == []
    assert "メールの言葉から「ほうじ茶」を探す" in html
    found = re.search(r'href="(/messages\?[^"]*among=words[^"]*)"', html)
    assert found is not None
    assert len(shown(enter().get(found.group(1).replace("&amp;", "&")).text)) == len(PEOPLE)


def test_pages_go_on_without_a_gap(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        for n in range(70):
            one = f"01KBPAGES{n:017d}"
            session.add(
                Message(
                    id=one,
                    kind=MailKind.ORDER_THANKS,
                    channel_id=1,
                    family="own",
                    state=MessageState.SENT,
                    due_at=NOW,
                    created_at=NOW,
                )
            )
    visitor = enter()
    html = visitor.get("/messages?state=sent").text
    first = shown(html)
    more = re.search(r'href="(/messages\?[^"]*after=[^"]*)"', html)
    assert more is not None
    rest = shown(visitor.get(more.group(1).replace("&amp;", "&")).text)
    assert (len(first), len(rest), len({*first, *rest})) == (50, 21, 71)


def test_an_empty_history_says_what_comes(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(language="en")
    assert "No mail fits" in visitor.get("/messages?q=nobody").text
    with writing(desk_engine) as session:
        for table in ("handoffs", "occasions", "message_bodies", "message_events", "readings"):
            session.execute(sa.text(f"DELETE FROM {table}"))
        session.execute(sa.text("DELETE FROM messages"))
    html = visitor.get("/messages").text
    assert "No mails yet" in html
    assert "/messages/file" not in html


def test_odd_addresses_ask_for_nothing(enter: Enter) -> None:
    visitor = enter()
    odd = "/messages?state=x&kind=y&channel=-1&since=0001-01-01&until=soon&among=z"
    assert len(shown(visitor.get(odd).text)) == 19
    assert visitor.get("/messages?after=nowhere").status_code == 422


def test_the_file_holds_the_same_list_defused_and_is_told(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        session.get_one(MessageBody, message_id(3)).subject = "=HYPERLINK(1)"
    visitor = enter(Role.EDITOR)
    visitor.get("/messages")
    answer = visitor.send("/messages/file", q="高橋", among="people")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["番号", "状態", "メール", "店舗"]
    (row,) = rows[1:]
    assert row[0] == message_id(3)
    assert row[4:8] == ["高橋 美咲", "customer3@mail.example", "N-20261124-003", "'=HYPERLINK(1)"]
    with desk_engine.connect() as connection:
        told = connection.execute(sa.select(Audit.by, Audit.action, Audit.detail)).one()
    assert (told.by, told.action) == ("中村", "export_messages")
    assert "高橋" not in str(told.detail)


def test_a_viewer_takes_nothing_along(enter: Enter) -> None:
    visitor = enter(Role.VIEWER)
    assert "/messages/file" not in visitor.get("/messages").text
    assert visitor.send("/messages/file").status_code == 403
