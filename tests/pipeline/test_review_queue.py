"""The queue: in which order mails are read, in pages, and what a filter shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.factories import NOW, make_channel, make_customer, make_message, make_order_row
from worker.pipeline.review import QueueFilter, counts, queue
from worker.rules.states import Flag, MailKind, MessageState
from worker.store.channels import Channel
from worker.store.messages import Message

FLAGGED: list[Any] = [{"flag": Flag.GIFT.value, "fact": "recipient differs"}]


def waiting(session: Session, channel: Channel, **fields: Any) -> Message:
    values: dict[str, Any] = {"rank": "repeat", "expires_at": NOW + timedelta(days=3)} | fields
    body = {"subject": f"件名 {values.get('step', '')}", "text": "本文"}
    return make_message(session, channel, state=MessageState.IN_REVIEW, body=body, **values)


def test_what_runs_out_comes_first_then_flags_then_newcomers(session: Session) -> None:
    channel = make_channel(session)
    regular = waiting(session, channel)
    newcomer = waiting(session, channel, rank="first")
    flagged = waiting(session, channel, flags=FLAGGED)
    soon = waiting(session, channel, expires_at=NOW + timedelta(hours=20))
    rows = queue(session, QueueFilter(), now=NOW)
    assert [row.id for row in rows] == [soon.id, flagged.id, newcomer.id, regular.id]
    assert [row.soon for row in rows] == [True, False, False, False]


def test_a_mail_without_an_end_comes_after_those_with_one(session: Session) -> None:
    channel = make_channel(session)
    endless = waiting(session, channel, expires_at=None)
    later = waiting(session, channel, expires_at=NOW + timedelta(days=9))
    sooner = waiting(session, channel, expires_at=NOW + timedelta(days=2))
    rows = queue(session, QueueFilter(), now=NOW)
    assert [row.id for row in rows] == [sooner.id, later.id, endless.id]


def test_pages_show_every_mail_once_even_when_the_hour_moves_on(session: Session) -> None:
    channel = make_channel(session)
    made = {
        waiting(
            session,
            channel,
            rank="first" if n % 3 else "repeat",
            flags=FLAGGED if n % 4 == 0 else [],
            expires_at=NOW + timedelta(hours=20 + n) if n % 5 else None,
        ).id
        for n in range(23)
    }
    whole = [row.id for row in queue(session, QueueFilter(), now=NOW, limit=100)]
    paged: list[str] = []
    after, now = None, NOW
    while rows := queue(session, QueueFilter(), now=now, after=after, limit=4):
        paged += [row.id for row in rows]
        after, now = rows[-1].cursor, now + timedelta(hours=1)
    assert paged == whole
    assert set(paged) == made


def test_vip_is_a_group_of_its_own(session: Session) -> None:
    channel = make_channel(session)
    vip = waiting(session, channel, rank="vip")
    other = waiting(session, channel)
    unranked = waiting(session, channel, rank=None)
    assert [r.id for r in queue(session, QueueFilter(vip=True), now=NOW)] == [vip.id]
    others = queue(session, QueueFilter(vip=False), now=NOW)
    assert [r.id for r in others] == [other.id, unranked.id]


def test_a_search_finds_order_number_name_and_subject(session: Session) -> None:
    channel = make_channel(session)
    customer = make_customer(session, name="髙橋 一郎", kana="タカハシ")
    order = make_order_row(session, channel, customer, number="#10_24")
    by_order = make_message(
        session,
        channel,
        customer,
        state=MessageState.IN_REVIEW,
        orders=(order,),
        body={"subject": "お礼", "text": "本文"},
    )
    waiting(session, channel)
    for words in ("10_24", "髙橋", "タカハシ", "お礼"):
        found = queue(session, QueueFilter(search=words), now=NOW)
        assert [row.id for row in found] == [by_order.id], words
    assert queue(session, QueueFilter(search="10%24"), now=NOW) == []
    row = queue(session, QueueFilter(search="お礼"), now=NOW)[0]
    assert (row.customer_name, row.order_numbers) == ("髙橋 一郎", ("#10_24",))


def test_filters_narrow_by_kind_rank_channel_flag_and_state(session: Session) -> None:
    own, mall = make_channel(session), make_channel(session, "rakuten:main")
    thanks = waiting(session, own)
    follow = waiting(session, mall, kind=MailKind.FOLLOW_UP, flags=FLAGGED, rank="first")
    held = waiting(session, own)
    held.state = MessageState.ON_HOLD
    session.flush()

    def shown(**criteria: Any) -> list[str]:
        return [row.id for row in queue(session, QueueFilter(**criteria), now=NOW)]

    assert shown(kinds=frozenset({MailKind.FOLLOW_UP})) == [follow.id]
    assert shown(ranks=frozenset({"repeat"})) == [thanks.id]
    assert shown(channels=frozenset({"rakuten:main"})) == [follow.id]
    assert shown(flag="gift") == [follow.id]
    assert shown(flag="hub_hold") == []
    assert shown(flagged=False) == [thanks.id]
    assert shown(states=frozenset({MessageState.ON_HOLD})) == [held.id]


def test_counts_say_the_same_as_the_pages(session: Session) -> None:
    own, mall = make_channel(session), make_channel(session, "rakuten:main")
    waiting(session, own, rank="vip")
    waiting(session, own, rank="first", expires_at=NOW + timedelta(hours=1))
    waiting(session, mall, flags=FLAGGED, kind=MailKind.FOLLOW_UP)
    found = counts(session, QueueFilter(), now=NOW)
    assert (found.total, found.soon, found.flagged, found.vip, found.first) == (3, 1, 1, 1, 1)
    assert found.by_kind == {MailKind.ORDER_THANKS: 2, MailKind.FOLLOW_UP: 1}
    assert found.by_rank == {"vip": 1, "first": 1, "repeat": 1}
    assert found.by_channel == {"own:shop": 2, "rakuten:main": 1}


def test_nothing_waiting_counts_as_nothing(session: Session) -> None:
    found = counts(session, QueueFilter(), now=NOW)
    assert (found.total, found.soon, found.by_kind) == (0, 0, {})


@pytest.mark.parametrize("cursor", ["", "x", "!!", "e30=", "W10="])
def test_a_broken_cursor_is_refused_not_ignored(session: Session, cursor: str) -> None:
    if not cursor:
        assert queue(session, QueueFilter(), now=NOW, after=cursor) == []
        return
    with pytest.raises(ValueError, match="no place"):
        queue(session, QueueFilter(), now=NOW, after=cursor)
