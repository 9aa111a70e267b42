"""What staff enter about people: it stands against older orders, and reaches a mail once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import NOW, an_order, make_channel
from tests.pipeline import planning as p
from tests.pipeline.test_identify import HANA, take
from worker.pipeline.customer_edits import clear_said_lines, edit_profile, write_lines
from worker.pipeline.merging import merge, unmerge
from worker.pipeline.render import render_message
from worker.pipeline.review_words import Refused
from worker.rules.finding import NO_KANA
from worker.rules.states import MailKind, MessageState
from worker.store.channels import Channel
from worker.store.customers import Customer, CustomerProfile, ProfileEntry
from worker.store.messages import Message
from worker.store.person_queries import addresses_in

LATER = NOW + timedelta(hours=1)


def profile(session: Session) -> CustomerProfile:
    session.expire_all()
    return session.scalars(sa.select(CustomerProfile)).one()


def hana(session: Session, channel: Channel, number: str, at: int = 0, **more: str) -> None:
    buyer = HANA | {"email": "hana@example.jp"} | more
    order = an_order(number, ordered_at=NOW + timedelta(days=at), buyer=buyer)
    take(session, channel, order)


def enter(session: Session, **fields: str | date | None) -> tuple[str, ...]:
    who = profile(session).customer_id
    return edit_profile(session, who, fields, by="mori", now=LATER)


def test_a_profile_is_found_by_what_its_order_tells(session: Session, channel: Channel) -> None:
    hana(session, channel, "1", member_id="m1", kana="ヤマダ ハナコ")
    found = profile(session)
    assert (found.kana_key, found.name_key) == ("ヤマタハナコ", "山田花子")
    assert (found.phone_key, found.phone_tail) == ("09011112222", "22221111090")
    assert found.is_member


def test_a_guest_without_a_reading_stands_behind_the_others(
    session: Session, channel: Channel
) -> None:
    hana(session, channel, "1")
    assert (profile(session).kana_key, profile(session).is_member) == (NO_KANA, False)


def test_an_entry_stands_against_an_order_that_tells_the_same_as_before(
    session: Session, channel: Channel
) -> None:
    hana(session, channel, "1")
    assert enter(session, phone="080-9999-8888", birthday=date(1958, 4, 17)) == (
        "phone",
        "birthday",
    )
    assert profile(session).phone_key == "08099998888"
    hana(session, channel, "2", at=5)
    assert profile(session).phone == "080-9999-8888"
    assert profile(session).birthday == date(1958, 4, 17)


def test_a_later_order_that_tells_something_else_wins(session: Session, channel: Channel) -> None:
    hana(session, channel, "1")
    enter(session, postal_code="231-0862")
    hana(session, channel, "2", at=5, postal_code="100-0001")
    assert profile(session).postal_code == "100-0001"
    hana(session, channel, "3", at=6)
    assert profile(session).postal_code == "100-0001"


def test_an_older_order_that_comes_late_does_not_win(session: Session, channel: Channel) -> None:
    hana(session, channel, "1")
    enter(session, postal_code="231-0862")
    hana(session, channel, "0", at=-5, postal_code="100-0001")
    assert profile(session).postal_code == "231-0862"


def test_entries_live_through_merge_and_its_undoing(session: Session, channel: Channel) -> None:
    other = make_channel(session, "rakuten:main")
    hana(session, channel, "1")
    one = profile(session).customer_id
    edit_profile(session, one, {"birthday": date(1958, 4, 17)}, by="mori", now=LATER)
    take(session, other, an_order("9", buyer=HANA | {"email": "h@example.com"}))
    (two,) = session.scalars(
        sa.select(CustomerProfile.customer_id).where(CustomerProfile.customer_id != one)
    )
    made = merge(session, p.ctx(), two, one, "test", "mori", LATER)
    assert session.get_one(CustomerProfile, two).birthday == date(1958, 4, 17)
    unmerge(session, p.ctx(), made, "mori", LATER)
    assert session.get_one(CustomerProfile, one).birthday == date(1958, 4, 17)


def test_what_cannot_be_is_refused_and_nothing_is_written(
    session: Session, channel: Channel
) -> None:
    hana(session, channel, "1")
    with pytest.raises(Refused, match="誕生日"):
        enter(session, birthday=date(2990, 1, 1))
    with pytest.raises(Refused, match="メールアドレス"):
        enter(session, email="not an address")
    assert session.scalar(sa.select(sa.func.count()).select_from(ProfileEntry)) == 0


def test_a_new_address_takes_the_place_of_the_one_it_was_told_for(
    session: Session, channel: Channel
) -> None:
    hana(session, channel, "1", member_id="m")
    who = profile(session).customer_id
    enter(session, email="new@example.jp")
    assert addresses_in(session, channel.id, [who]) == {who: "new@example.jp"}
    hana(session, channel, "2", at=5, email="third@example.jp", member_id="m")
    assert addresses_in(session, channel.id, [who]) == {who: "third@example.jp"}


# --- words for the next mail ----------------------------------------------------------------


def a_mail(session: Session) -> tuple[int, str]:
    shop = p.a_shop(session)
    person = p.a_person(session, name="山田 花子")
    order = p.a_visit(session, shop, person, 12, rank="vip")
    p.planned(session)
    message = p.message_of(session, order)
    render_message(session, p.ctx(), message.id, p.MONDAY)
    return person.id, message.id


def test_words_for_the_next_mail_reach_one_that_waits_to_be_read(session: Session) -> None:
    person, message_id = a_mail(session)
    write_lines(session, p.ctx(), person, "お写真をありがとうございました。", "", now=p.MONDAY)
    message = session.get_one(Message, message_id)
    assert "お写真をありがとうございました。" in p.body_of(session, message).text


def test_words_that_a_mail_has_said_are_not_said_again(session: Session) -> None:
    person, message_id = a_mail(session)
    write_lines(session, p.ctx(), person, "お写真をありがとうございました。", "", now=p.MONDAY)
    sent = session.get_one(Message, message_id)
    p.send(session, sent)
    second = p.a_visit(
        session,
        session.get_one(Channel, sent.channel_id),
        session.get_one(Customer, person),
        13,
        p.MONDAY + timedelta(days=3),
        rank="vip",
    )
    p.planned(session)
    following = p.message_of(session, second, MailKind.ORDER_THANKS)
    render_message(session, p.ctx(), following.id, p.MONDAY)
    assert following.state is not MessageState.SCHEDULED
    assert "お写真" not in p.body_of(session, following).text
    assert clear_said_lines(session) == 1
    assert session.get_one(CustomerProfile, person).personal_line is None
    assert clear_said_lines(session) == 0
