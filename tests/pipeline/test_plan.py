"""What becomes of due orders: one mail, a shared mail, or a reason in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests.factories import make_order_row, tokyo
from tests.pipeline import planning as p
from worker.rules.outcome_words import WORDS, outcome_words
from worker.rules.shop import Senders
from worker.rules.states import MailKind, MessageState, Outcome, Sender
from worker.store.customers import OrderStanding, Suppression
from worker.store.messages import Handoff, Message, MessageEvent, Occasion

M = MailKind


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


def test_an_order_gets_a_thank_you_half_an_hour_later(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    result = p.planned(session)
    message = p.message_of(session, order)
    assert message.state is MessageState.SCHEDULED
    assert message.due_at == p.MONDAY + timedelta(minutes=33)  # 10:30 is avoided
    assert message.expires_at == message.due_at + timedelta(hours=48)
    assert (result.orders, result.made) == (1, 1)
    session.refresh(order)
    assert order.plan_due is False
    events = session.scalars(select(MessageEvent.move)).all()
    assert "plan" in events


def test_planning_twice_makes_nothing_new(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    p.due_again(session, order)
    assert p.planned(session).made == 0
    assert len(session.scalars(select(Message)).all()) == 1


def test_history_before_the_start_never_mails(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    near = p.a_visit(session, shop, person, ordered_at=tokyo("2026-10-31 12:00"))
    far = p.a_visit(session, shop, person, ordered_at=tokyo("2026-08-01 12:00"))
    p.planned(session)
    assert p.said(session, near) == ("not_active", "before_active_from")
    assert session.scalars(select(Occasion).where(Occasion.order_id == far.id)).all() == []
    assert session.scalars(select(Message)).all() == []


def test_a_channel_without_a_start_plans_nothing(session: Session) -> None:
    shop = p.a_shop(session, active_from=None)
    p.a_visit(session, shop, p.a_person(session))
    p.planned(session)
    assert session.scalars(select(Occasion)).all() == []


def test_the_thank_you_waits_for_the_next_poll(session: Session) -> None:
    shop = p.a_shop(session, last_success_at=p.MONDAY)
    order = p.a_visit(session, shop, p.a_person(session))
    p.planned(session)
    assert p.said(session, order) == ("waiting", "first_poll")
    shop.last_success_at = p.MONDAY + timedelta(minutes=10)
    session.flush()
    p.planned(session, now=p.MONDAY + timedelta(minutes=11))
    assert p.said(session, order) == ("message", "planned")


def test_later_deliveries_of_a_subscription_are_not_thanked_for(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    paid, unpaid = (
        p.a_visit(
            session,
            shop,
            person,
            subscription_number="T-1",
            visit_counting=False,
            counting=counting,
        )
        for counting in (True, False)
    )
    first = p.a_visit(session, shop, person, subscription_number="T-1", visit_counting=True)
    p.planned(session)
    assert p.said(session, first) == ("message", "planned")
    assert p.said(session, paid) == ("not_wanted", "subscription_repeat")
    assert p.said(session, unpaid) == ("not_wanted", "subscription_repeat")


def test_a_bank_transfer_is_thanked_for_when_it_is_paid(session: Session) -> None:
    shop = p.a_shop(session)
    order = p.a_visit(
        session, shop, p.a_person(session), payment="unpaid", payment_kind="prepayment"
    )
    p.planned(session)
    assert p.said(session, order) == ("waiting", "unpaid")
    order.payment, order.paid_at = "paid", p.MONDAY + timedelta(days=2)
    p.due_again(session, order)
    p.planned(session, now=p.MONDAY + timedelta(days=2))
    assert p.message_of(session, order).due_at == p.MONDAY + timedelta(days=2, minutes=33)


def test_a_parcel_that_has_gone_is_not_thanked_for_any_more(session: Session) -> None:
    order = p.a_visit(
        session,
        p.a_shop(session),
        p.a_person(session),
        fulfilment="shipped",
        shipped_at=p.MONDAY + timedelta(hours=1),
    )
    p.planned(session)
    assert p.said(session, order) == ("too_late", "already_shipped")
    assert p.said(session, order, M.FOLLOW_UP) == ("message", "planned")


def test_the_follow_up_comes_three_days_after_delivery_on_a_business_day(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    assert p.said(session, order, M.FOLLOW_UP) == ("waiting", "not_shipped")
    order.fulfilment, order.shipped_at = "shipped", tokyo("2026-11-17 15:00")
    p.due_again(session, order)
    p.planned(session, now=tokyo("2026-11-17 16:00"))
    message = p.message_of(session, order, M.FOLLOW_UP)
    # Delivered on Thursday 19; Sunday 22 is closed, Monday 23 a holiday.
    local = message.due_at.astimezone(p.ctx().zone)
    assert local.date().isoformat() == "2026-11-24"
    assert (10, 10) <= (local.hour, local.minute) <= (10, 33)
    assert message.review_at == message.due_at - timedelta(days=1)


def test_other_senders_are_left_to_their_work(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session, "rakuten:main"), p.a_person(session))
    p.planned(session)
    assert p.said(session, order) == ("other_sender", "sender_hub")


def test_amazon_is_forbidden_and_makes_no_message(session: Session) -> None:
    shop = p.a_shop(session, "amazon:jp")
    order = make_order_row(session, shop, None, p.MONDAY, plan_due=True)
    p.planned(session)
    assert p.said(session, order) == ("forbidden", "policy_forbids")
    assert session.scalars(select(Message)).all() == []


def test_amazons_review_request_makes_no_campaign(session: Session) -> None:
    shop = p.a_shop(session, "amazon:jp")
    delivered: dict[str, Any] = {
        "fulfilment": "delivered",
        "shipped_at": p.MONDAY,
        "delivered_at": p.MONDAY,
    }
    make_order_row(session, shop, None, p.MONDAY, plan_due=True, **delivered)
    rules = tuple(
        replace(rule, enabled=True, families=(*rule.families, "amazon"))
        if rule.kind is M.REVIEW_REQUEST
        else rule
        for rule in p.shipped().mails.rules
    )
    families = {**p.shipped().senders.families, "amazon": {M.REVIEW_REQUEST: Sender.OKAERI}}
    p.planned(
        session,
        p.ctx(
            mails=replace(p.shipped().mails, rules=rules),
            senders=replace(Senders(families={}), families=families),
        ),
        p.MONDAY + timedelta(days=9),
    )
    assert session.scalars(select(Message)).all() == []


def test_somebody_suppressed_is_not_mailed(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person)
    session.add(
        Suppression(address_hash="", customer_id=person.id, reason="staff", by="mori", at=p.MONDAY)
    )
    p.planned(session)
    assert p.said(session, order) == ("suppressed", "suppressed")


def test_an_order_without_an_address_says_so(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session), contact={"email": None})
    p.planned(session)
    assert p.said(session, order) == ("no_address", "no_address")


# --- sharing --------------------------------------------------------------------------------


def test_two_orders_of_a_day_share_one_thank_you(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    second = p.a_visit(session, shop, person, ordered_at=p.MONDAY + timedelta(minutes=20))
    p.planned(session)
    message = p.message_of(session, first)
    assert p.message_of(session, second) is message
    assert message.due_at == p.MONDAY + timedelta(minutes=50)
    assert p.said(session, second) == ("message", "shared")


def test_a_new_order_joins_a_waiting_mail(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    p.planned(session)
    second = p.a_visit(session, shop, person, ordered_at=p.MONDAY + timedelta(minutes=20))
    p.planned(session)
    assert p.message_of(session, second) is p.message_of(session, first)


def test_an_order_after_the_thank_you_has_gone_gets_a_short_one(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    p.planned(session)
    p.send(session, p.message_of(session, first))
    second = p.a_visit(session, shop, person, ordered_at=p.MONDAY + timedelta(hours=3))
    p.planned(session, now=p.MONDAY + timedelta(hours=3))
    assert p.message_of(session, second) is not p.message_of(session, first)
    assert p.said(session, second) == ("message", "added")


def test_a_cancelled_order_takes_its_waiting_mail_with_it(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    message = p.message_of(session, order)
    order.life = "cancelled"
    p.due_again(session, order)
    p.planned(session)
    assert message.state is MessageState.CANCELLED
    assert p.said(session, order) == ("cancelled", "order_cancelled")


def test_a_shared_mail_stays_for_the_orders_that_remain(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    first = p.a_visit(session, shop, person)
    second = p.a_visit(session, shop, person, ordered_at=p.MONDAY + timedelta(minutes=5))
    p.planned(session)
    message = p.message_of(session, first)
    first.life = "cancelled"
    p.due_again(session, first)
    p.planned(session)
    assert message.state is MessageState.SCHEDULED
    assert p.said(session, first) == ("cancelled", "order_cancelled")
    assert p.message_of(session, second) is message


def test_a_mail_that_has_gone_keeps_its_occasion(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    p.send(session, p.message_of(session, order))
    order.life = "cancelled"
    p.due_again(session, order)
    p.planned(session)
    assert p.said(session, order) == ("message", "planned")
    assert p.message_of(session, order).state is MessageState.SENT


def test_what_staff_cancelled_is_not_planned_again(session: Session) -> None:
    order = p.a_visit(session, p.a_shop(session), p.a_person(session))
    p.planned(session)
    p.message_of(session, order).state = MessageState.CANCELLED
    p.due_again(session, order)
    assert p.planned(session).made == 0


def test_a_waiting_mail_follows_the_rank_and_the_cause(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person)
    p.planned(session)
    standing = session.get_one(OrderStanding, order.id)
    standing.visit_number, standing.rank = 2, "repeat"
    order.ordered_at = p.MONDAY + timedelta(hours=2)
    p.due_again(session, order)
    p.planned(session)
    message = p.message_of(session, order)
    assert (message.rank, message.visit_number) == ("repeat", 2)
    assert message.due_at == p.MONDAY + timedelta(hours=2, minutes=33)


def test_an_order_of_another_person_leaves_the_mail(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person)
    p.planned(session)
    old, other = p.message_of(session, order), p.a_person(session)
    order.customer_id = other.id
    session.get_one(OrderStanding, order.id).customer_id = other.id
    p.due_again(session, order)
    p.planned(session)
    assert old.state is MessageState.CANCELLED
    assert p.message_of(session, order).customer_id == other.id


# --- handoffs -------------------------------------------------------------------------------


def test_a_milestone_on_a_mall_becomes_a_campaign_for_staff(session: Session) -> None:
    shop = p.a_shop(session, "rakuten:main", title="みどり茶舗 楽天市場店")
    for _ in range(2):
        person = p.a_person(session)
        p.a_visit(session, shop, person, 5)
    p.planned(session)
    handoff = session.scalars(select(Handoff)).one()
    message = session.get_one(Message, handoff.message_id)
    assert handoff.expected == 2
    assert handoff.conditions == {"scope": "rakuten:main", "orders": 5, "month": "2026-11"}
    assert (message.state, message.customer_id) == (MessageState.HANDOFF, None)
    assert p.body_of(session, message).subject.startswith("いつも当店をご利用くださる皆さまへ")
    outcomes = session.scalars(select(Occasion.outcome).where(Occasion.kind == M.MILESTONE)).all()
    assert outcomes == [Outcome.HANDOFF, Outcome.HANDOFF]


def test_a_cancelled_order_lowers_what_a_campaign_expects(session: Session) -> None:
    shop = p.a_shop(session, "rakuten:main")
    order = p.a_visit(session, shop, p.a_person(session), 5)
    p.planned(session)
    order.life = "cancelled"
    order.counting = False
    p.due_again(session, order)
    p.planned(session)
    assert session.scalars(select(Handoff.expected)).one() == 0


def test_every_stored_reason_has_words(session: Session) -> None:
    shop, person = p.a_shop(session), p.a_person(session)
    p.a_visit(session, shop, person)
    p.a_visit(session, shop, person, ordered_at=tokyo("2026-10-31 12:00"))
    p.a_visit(session, p.a_shop(session, "rakuten:main"), p.a_person(session), 5)
    p.planned(session)
    for reason in session.scalars(select(Occasion.reason)):
        assert reason["code"] in WORDS
        assert "{" not in outcome_words(reason, "ja") + outcome_words(reason, "en")


def test_a_relay_without_a_transport_still_makes_the_mail(session: Session) -> None:
    shop = p.a_shop(session, "rakuten:main")
    order = p.a_visit(session, shop, p.a_person(session))
    families = {**p.shipped().senders.families, "rakuten": {M.ORDER_THANKS: Sender.OKAERI}}
    p.planned(session, p.ctx(senders=replace(Senders(families={}), families=families)))
    assert p.message_of(session, order).due_at == p.MONDAY + timedelta(minutes=60 + 3)
