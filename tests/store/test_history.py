"""The history of all messages: newest first, by index, bounded where no index knows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.factories import NOW, make_channel, make_customer
from worker.rules.finding import keys_of_profile
from worker.rules.keys import address_hash
from worker.rules.states import MailKind, MessageState
from worker.store import history_queries as history
from worker.store.channels import Channel
from worker.store.customers import Customer
from worker.store.history_queries import UnknownPlace, Wanted
from worker.store.messages import Message, MessageBody
from worker.store.ulids import new_ulid

KEY = b"k" * 32


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


@pytest.fixture
def channel(session: Session) -> Channel:
    return make_channel(session)


def put(session: Session, channel: Channel, hours: float, **more: Any) -> Message:
    due = NOW - timedelta(hours=hours)
    text = more.pop("text", "ありがとうございます。")
    message = Message(
        id=new_ulid(due),
        kind=more.pop("kind", MailKind.ORDER_THANKS),
        channel_id=channel.id,
        family="own",
        state=more.pop("state", MessageState.SENT),
        due_at=due,
        created_at=due,
        **more,
    )
    session.add(message)
    session.flush()
    session.add(MessageBody(message_id=message.id, subject="お礼", text=text))
    session.flush()
    return message


def ids(session: Session, **wanted: Any) -> list[str]:
    return list(history.page(session, KEY, Wanted(**wanted)).ids)


def test_pages_go_on_where_the_last_one_ended_over_every_state(
    session: Session, channel: Channel
) -> None:
    states = [MessageState.SENT, MessageState.IN_REVIEW, MessageState.FAILED]
    made = [put(session, channel, n // 2, state=states[n % 3]).id for n in range(11)]
    found: list[str] = []
    after = ""
    for _ in range(10):
        page = history.page(session, KEY, Wanted(), after=after, limit=3)
        found += page.ids
        after = page.after
        if not after:
            break
    due = {message_id: n // 2 for n, message_id in enumerate(made)}
    assert sorted(found) == sorted(made)
    assert [due[one] for one in found] == sorted(due.values())


def test_filters_hold_together(session: Session, channel: Channel) -> None:
    other = make_channel(session, "rakuten:main")
    wanted = put(session, channel, 5, kind=MailKind.FOLLOW_UP)
    put(session, other, 5, kind=MailKind.FOLLOW_UP)
    put(session, channel, 5)
    put(session, channel, 30, kind=MailKind.FOLLOW_UP)
    put(session, channel, 5, kind=MailKind.FOLLOW_UP, state=MessageState.FAILED)
    found = ids(
        session,
        state=MessageState.SENT,
        kind=MailKind.FOLLOW_UP,
        channel_id=channel.id,
        since=NOW - timedelta(hours=24),
        before=NOW,
    )
    assert found == [wanted.id]


def test_words_of_the_mail_are_found_and_signs_mean_themselves(
    session: Session, channel: Channel
) -> None:
    one = put(session, channel, 1, text="新茶 100% の香り")
    put(session, channel, 2, text="新茶 100g の香り")
    assert ids(session, words="100%", among="words") == [one.id]
    assert ids(session, words="お礼", among="words")[0] == one.id


def test_a_long_search_stops_and_says_how_far_it_came(
    session: Session, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_STEP", 5)
    monkeypatch.setattr(history, "LOOKED_AT", 10)
    for n in range(12):
        put(session, channel, n)
    old = put(session, channel, 40, text="めったにない言葉")
    first = history.page(session, KEY, Wanted(words="めったに", among="words"))
    assert first.ids == ()
    assert first.looked_to == NOW - timedelta(hours=9)
    rest = history.page(session, KEY, Wanted(words="めったに", among="words"), after=first.after)
    assert (rest.ids, rest.after, rest.looked_to) == ((old.id,), "", None)


def a_person(session: Session, name: str, kana: str) -> Customer:
    row = {"name": name, "kana": kana, "phone": None}
    return make_customer(session, name=name, kana=kana, **keys_of_profile(row, member=False))


def test_people_are_found_by_name_reading_and_address(session: Session, channel: Channel) -> None:
    hana = a_person(session, "高橋 美咲", "タカハシ ミサキ")
    mine = put(session, channel, 1, customer_id=hana.id)
    address = address_hash(KEY, "misaki@example.jp")
    alone = put(session, channel, 2, recipient_hash=address)
    put(session, channel, 3)
    assert ids(session, words="高橋") == [mine.id]
    assert ids(session, words="たかはし") == [mine.id]
    assert ids(session, words="Misaki@example.jp") == [alone.id]
    assert ids(session, words="だれもいない") == []


@pytest.mark.parametrize("after", ["x", "2026-01-01~", "2026-01-01T00:00:00~1", "~"])
def test_a_place_that_no_page_gave_is_refused(session: Session, after: str) -> None:
    with pytest.raises(UnknownPlace):
        history.page(session, KEY, Wanted(), after=after)
