"""Texts are frozen when it is time, follow their facts, and hold where anything is unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.factories import tokyo
from tests.pipeline import planning as p
from worker.pipeline.context import Context
from worker.pipeline.render import preview, recheck, render_due, render_message
from worker.pipeline.review_approval import bind_approval
from worker.rules.shop import Review, ReviewRule
from worker.rules.states import (
    Certainty,
    Flag,
    MailKind,
    MessageState,
    NoteState,
    ReviewMode,
    Sender,
    Verdict,
)
from worker.store.customers import ContactNote, Suppression
from worker.store.messages import Message
from worker.store.orders import OrderRow

NOON = p.MONDAY + timedelta(hours=2)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


def trusting(mode: ReviewMode = ReviewMode.AUTO) -> Context:
    """A shop that lets mails go by themselves, new texts too."""
    return p.ctx(review=Review(rules=(ReviewRule(mode=mode),), canary=0))


def rendered(session: Session, order: OrderRow, using: Context | None = None) -> Message:
    """Plan and freeze the thank-you of an order."""
    using = using or p.ctx()
    p.planned(session, using)
    render_due(session, using, NOON)
    return p.message_of(session, order)


def flags(message: Message) -> list[str]:
    return [flag["flag"] for flag in message.flags]


def approve(session: Session, message: Message) -> None:
    """What the desk does."""
    bind_approval(message, p.body_of(session, message), by="mori", now=NOON, undo_seconds=0)
    message.state = MessageState.APPROVED
    session.flush()


def test_a_first_order_is_thanked_without_a_number(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order)
    body = p.body_of(session, message)
    assert message.state is MessageState.IN_REVIEW
    assert message.text_key == "ja/order_thanks/own/first"
    assert body.subject == f"【みどり茶舗】ご注文ありがとうございます({order.number})"
    assert "たくさんのお店がある中から" in body.text
    assert "山田 花子 様" in body.text
    assert (body.sender, body.recipient) == (
        '"みどり茶舗" <order@midori-chaho.example>',
        f"person{order.customer_id}@mail.example",
    )
    assert message.announced is None
    assert flags(message) == [Flag.NEW_TEMPLATE]
    assert message.facts_hash
    assert body.plain["text"] == body.text


def test_nothing_is_frozen_before_its_time(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    assert render_due(session, p.ctx(), p.MONDAY - timedelta(days=2)).rendered == 0
    assert p.message_of(session, order).state is MessageState.SCHEDULED


def test_a_third_order_says_its_number(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session), 3)
    message = rendered(session, order)
    assert "3回目のご注文" in p.body_of(session, message).text
    assert message.announced == 3


def test_an_uncertain_number_is_not_said(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person, 3, certainty=Certainty.UNCERTAIN)
    message = rendered(session, order)
    assert message.text_key == "ja/order_thanks/own/repeat.uncertain"
    assert "回目" not in p.body_of(session, message).text
    assert message.announced is None
    assert Flag.NUMBER_UNCERTAIN in flags(message)


def test_first_words_need_a_proved_lifetime_count_of_one(session: Session) -> None:
    shop = p.a_shop(session)
    unsure = p.a_visit(session, shop, p.a_person(session), certainty=Certainty.UNCERTAIN)
    elsewhere = p.a_visit(session, shop, p.a_person(session), overall=4)
    for order in (unsure, elsewhere):
        message = rendered(session, order)
        assert message.text_key == "ja/order_thanks/own/any"


def test_a_number_once_announced_is_not_announced_again(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    before = p.a_visit(session, shop, person, 4, ordered_at=tokyo("2026-11-05 10:00"))
    p.planned(session, now=tokyo("2026-11-05 10:05"))
    earlier = p.message_of(session, before)
    earlier.announced = 4
    p.send(session, earlier, tokyo("2026-11-05 11:00"))
    order = p.a_visit(session, shop, person, 4)
    message = rendered(session, order)
    assert "回目" not in p.body_of(session, message).text
    assert {Flag.NUMBER_UNCERTAIN, Flag.DIFFERS_FROM_LAST} <= set(flags(message))


def test_a_shop_may_leave_numbers_out(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session), 5)
    using = p.ctx(shop=replace(p.shipped().shop, say_number=False))
    assert "回目" not in p.body_of(session, rendered(session, order, using)).text


def test_several_orders_are_told_together(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    second = p.a_visit(session, shop, person, ordered_at=p.MONDAY + timedelta(minutes=5))
    text = p.body_of(session, rendered(session, first)).text
    assert "2件のご注文" in text
    assert first.number in text
    assert second.number in text


def test_an_added_order_gets_the_short_words(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    p.send(session, rendered(session, first), NOON)
    second = p.a_visit(session, shop, person, ordered_at=NOON)
    later = NOON + timedelta(hours=1)
    p.planned(session, now=NOON)
    render_due(session, p.ctx(), later)
    message = p.message_of(session, second)
    assert message.text_key == "ja/order_thanks/own/any.added"


def test_a_missing_value_holds_the_mail(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person, total=None)
    message = rendered(session, order, trusting())
    assert message.hold_reason == "missing_value"
    assert message.flags[0] == {"flag": "missing_value", "fact": "order_lines_block"}
    order.total = 2160
    p.due_again(session, order)
    p.planned(session, trusting(), NOON)
    assert message.state is MessageState.IN_REVIEW
    assert "2,160円" in p.body_of(session, message).text


def test_a_payment_method_nobody_told_takes_its_line_with_it(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session), payment_method=None)
    message = rendered(session, order)
    assert message.state is MessageState.IN_REVIEW
    assert "お支払い方法" not in p.body_of(session, message).text


def test_a_mall_never_borrows_the_own_shops_name(session: Session) -> None:
    shop = p.a_shop(session, "yahoo:main")
    order = p.a_visit(session, shop, p.a_person(session))
    families = {**p.shipped().senders.families}
    families["yahoo"] = {**families["yahoo"], MailKind.ORDER_THANKS: Sender.OKAERI}
    message = rendered(
        session, order, p.ctx(senders=replace(p.shipped().senders, families=families))
    )
    assert message.state is MessageState.ON_HOLD
    assert message.flags[0] == {"flag": "missing_value", "fact": "shop_name"}


def test_a_relay_that_is_not_set_up_holds_the_finished_mail(session: Session) -> None:
    shop = p.a_shop(session, "rakuten:main", title="みどり茶舗 楽天市場店")
    order = p.a_visit(session, shop, p.a_person(session))
    families = {**p.shipped().senders.families}
    families["rakuten"] = {**families["rakuten"], MailKind.ORDER_THANKS: Sender.OKAERI}
    message = rendered(
        session, order, p.ctx(senders=replace(p.shipped().senders, families=families))
    )
    assert (message.state, message.hold_reason) == (MessageState.ON_HOLD, "relay_missing")
    assert "楽天市場のたくさんのショップの中から" in p.body_of(session, message).text


@pytest.mark.parametrize(
    ("fields", "contact", "flag"),
    [
        ({}, {"buyer_comment": "のしをお願いします"}, Flag.BUYER_COMMENT),
        ({"hub_hold": True}, {}, Flag.HUB_HOLD),
        ({"gift": True}, {"recipient_name": "佐々木 恵子"}, Flag.GIFT),
        ({}, {"recipient_name": "佐々木 恵子"}, Flag.GIFT),
        ({"delivery_date": tokyo("2026-12-20").date()}, {}, Flag.LATE_DELIVERY),
        ({"warnings": ["unknown_status"]}, {}, Flag.UNKNOWN_STATUS),
        ({}, {"name": "株式会社みほん"}, Flag.ORGANISATION),
        ({}, {"name": None}, Flag.FALLBACK_VALUE),
    ],
)
def test_what_is_remarkable_stops_for_a_person(
    session: Session, fields: dict[str, Any], contact: dict[str, Any], flag: Flag
) -> None:
    shop, person = p.a_shop(session), p.a_person(session, name=None)
    order = p.a_visit(session, shop, person, contact=contact, **fields)
    message = rendered(session, order, trusting())
    assert flags(message) == [flag]
    assert message.state is MessageState.IN_REVIEW


def test_an_open_note_stops_for_a_person(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person)
    note = ContactNote(
        customer_id=person.id,
        said="電話",
        inquiry=True,
        state=NoteState.OPEN,
        by="mori",
        at=p.MONDAY,
    )
    session.add(note)
    assert flags(rendered(session, order, trusting())) == [Flag.OPEN_INQUIRY]


def test_a_mail_without_flags_goes_by_itself_where_the_shop_trusts(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order, trusting())
    assert (message.state, message.approved_by) == (MessageState.APPROVED, "auto")
    assert message.approved_hash


# --- following ------------------------------------------------------------------------------


def test_changed_values_take_the_approval_back(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order)
    approve(session, message)
    assert recheck(session, p.ctx(), message.id, NOON).changed == []
    order.total = 5400
    assert recheck(session, p.ctx(), message.id, NOON).changed == ["order_lines_block"]
    p.due_again(session, order)
    p.planned(session, now=NOON)
    assert message.state is MessageState.IN_REVIEW
    assert message.approved_hash == ""
    assert Flag.FACTS_CHANGED in flags(message)
    assert "5,400円" in p.body_of(session, message).text
    assert "5,400円" not in p.body_of(session, message).approved["text"]
    assert recheck(session, p.ctx(), message.id, NOON).changed == []


def test_what_the_text_does_not_say_changes_nothing(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order)
    approve(session, message)
    order.tracking_number = "1234"
    p.due_again(session, order)
    p.planned(session, now=NOON)
    assert message.state is MessageState.APPROVED


def test_a_day_later_the_same_facts_are_the_same(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session), 3)
    message = rendered(session, order)
    later = NOON + timedelta(days=40)
    assert recheck(session, p.ctx(), message.id, later).changed == []


def test_a_cancelled_order_is_seen_inside_the_claim(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    second = p.a_visit(session, shop, person, ordered_at=p.MONDAY + timedelta(minutes=5))
    message = rendered(session, first)
    approve(session, message)
    second.life = "cancelled"
    p.due_again(session, second)
    p.planned(session, now=NOON)
    assert message.state is MessageState.IN_REVIEW
    assert second.number not in p.body_of(session, message).text


def test_a_suppression_is_seen_inside_the_claim(session: Session) -> None:
    person = p.a_person(session)
    order = p.a_visit(session, p.a_shop(session), person)
    message = rendered(session, order)
    approve(session, message)
    session.add(
        Suppression(address_hash="", customer_id=person.id, reason="staff", by="m", at=NOON)
    )
    session.flush()
    found = recheck(session, p.ctx(), message.id, NOON)
    assert found.code == "suppressed"
    assert found.verdict is Verdict.ALLOW
    assert found.changed == ["refused"]


def test_a_hold_in_the_hub_takes_the_approval_back(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order, trusting())
    order.hub_hold = True
    p.due_again(session, order)
    p.planned(session, trusting(), NOON)
    assert message.state is MessageState.IN_REVIEW
    assert {Flag.HUB_HOLD, Flag.FACTS_CHANGED} == set(flags(message))


def test_an_inquiry_after_the_approval_is_seen_inside_the_claim(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    message = rendered(session, p.a_visit(session, shop, person), trusting())
    note = ContactNote(
        customer_id=person.id, inquiry=True, state=NoteState.OPEN, by="mori", at=NOON
    )
    session.add(note)
    session.flush()
    assert recheck(session, trusting(), message.id, NOON).changed == [Flag.OPEN_INQUIRY]


def test_what_lapsed_in_the_claim_is_written_anew(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order)
    assert message.review_at is None
    order.total = 6543
    message.review_at = NOON
    session.flush()
    render_due(session, p.ctx(), NOON)
    assert message.state is MessageState.IN_REVIEW
    assert "6,543円" in p.body_of(session, message).text
    assert message.review_at is None
    assert recheck(session, p.ctx(), message.id, NOON).changed == []


def test_a_timed_mail_goes_unread_after_its_business_hours(session: Session) -> None:
    shop = p.a_shop(session)
    order = p.a_visit(session, shop, p.a_person(session), 6, rank="vip")
    using = p.ctx(review=replace(p.shipped().review, canary=0))
    message = rendered(session, order, using)
    assert (message.state, message.mode) == (MessageState.IN_REVIEW, ReviewMode.TIMED)
    render_due(session, using, NOON + timedelta(hours=3))
    assert message.approved_by == ""
    result = render_due(session, using, NOON + timedelta(hours=4))
    assert result.timed == [message.id]
    assert message.approved_by == "timed"


def test_a_timed_mail_with_a_flag_waits_for_a_person(session: Session) -> None:
    shop = p.a_shop(session)
    order = p.a_visit(session, shop, p.a_person(session), 6, rank="vip", gift=True)
    using = p.ctx(review=replace(p.shipped().review, canary=0))
    message = rendered(session, order, using)
    assert render_due(session, using, NOON + timedelta(days=1)).timed == []
    assert message.state is MessageState.IN_REVIEW


def test_a_clerks_words_stay_when_facts_change(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order)
    body = p.body_of(session, message)
    body.text, message.edited = "店長より。", True
    session.flush()
    order.total = 9999
    p.due_again(session, order)
    p.planned(session, now=NOON)
    assert body.text == "店長より。"
    assert "9,999円" in body.plain["text"]
    assert Flag.FACTS_CHANGED in flags(message)


def test_a_preview_stores_nothing(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    message = p.message_of(session, order)
    shown = preview(session, p.ctx(), message.id, NOON)
    assert shown.subject.startswith("【みどり茶舗】")
    assert message.state is MessageState.SCHEDULED


def test_a_message_can_be_written_anew_on_demand(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    message = rendered(session, order)
    order.total = 7777
    session.flush()
    render_message(session, p.ctx(), message.id, NOON)
    assert "7,777円" in p.body_of(session, message).text
