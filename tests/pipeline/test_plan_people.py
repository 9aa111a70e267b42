"""Milestones reached and long silences: once, with consent, through the own shop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests.factories import tokyo
from tests.pipeline import planning as p
from worker.pipeline.context import Context
from worker.pipeline.coupons import take_coupon
from worker.pipeline.plan import count_if_active_from
from worker.pipeline.render import render_due
from worker.pipeline.vault import seal
from worker.rules.shop import MilestonePlan, Milestones, Reward
from worker.rules.states import CouponState, GrantState, MailKind, MessageState, NoteState
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import ContactNote, Customer, OrderStanding
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow
from worker.store.rewards import CouponCode, CouponPool, Grant

M = MailKind
SHIPPED: dict[str, Any] = {"fulfilment": "shipped", "shipped_at": p.MONDAY}


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


def rewarding() -> Context:
    """A shop whose fifth order earns a coupon."""
    plan = MilestonePlan(rewards={"5": Reward(coupon_pool="five")})
    return p.ctx(milestones=Milestones(default=plan))


def a_grant(session: Session, person: Customer, order: OrderRow, number: int = 5) -> Grant:
    grant = Grant(
        customer_id=person.id,
        scope="own",
        milestone=number,
        state=GrantState.EARNED,
        order_id=order.id,
        changed_at=p.MONDAY,
    )
    session.add(grant)
    session.flush()
    return grant


def a_pool(session: Session, using: Context, codes: int = 1) -> None:
    pool = CouponPool(
        name="five",
        value=500,
        minimum=3000,
        expires_at=tokyo("2027-02-01"),
        created_at=p.MONDAY,
    )
    session.add(pool)
    session.flush()
    for n in range(codes):
        session.add(
            CouponCode(
                pool_id=pool.id,
                code_hash=f"hash{n}",
                cipher=seal(using, f"7K3M-Q9XT-4WBD-{n}"),
                last4="WBD2",
                state=CouponState.AVAILABLE,
                changed_at=p.MONDAY,
            )
        )
    session.flush()


def of_kind(session: Session, kind: MailKind) -> list[tuple[str, str, str]]:
    rows = session.scalars(select(Occasion).where(Occasion.kind == kind).order_by(Occasion.id))
    return [(row.step, row.outcome.value, row.reason["code"]) for row in rows]


def a_fifth(session: Session, *, consent: bool = True) -> tuple[Channel, Customer, OrderRow]:
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person, 5, **SHIPPED)
    if consent:
        p.agree(session, shop, f"person{person.id}@mail.example")
    return shop, person, order


# --- milestones -----------------------------------------------------------------------------


def test_without_a_reward_entered_there_is_no_milestone_mail(session: Session) -> None:
    _shop, _person, order = a_fifth(session)
    p.planned(session)
    assert of_kind(session, M.MILESTONE) == [("", "not_wanted", "no_reward_entered")]
    assert p.said(session, order, M.FOLLOW_UP) == ("message", "planned")


def test_no_consent_no_milestone_mail(session: Session) -> None:
    a_fifth(session, consent=False)
    p.planned(session, rewarding())
    assert of_kind(session, M.MILESTONE) == [("", "no_consent", "no_consent")]


def test_consent_of_another_channel_is_none(session: Session) -> None:
    _shop, person, _order = a_fifth(session, consent=False)
    mall = p.a_shop(session, "yahoo:main")
    p.agree(session, mall, f"person{person.id}@mail.example")
    p.planned(session, rewarding())
    assert of_kind(session, M.MILESTONE) == [("", "no_consent", "no_consent")]


def test_the_milestone_mail_waits_for_its_reward_and_replaces_the_follow_up(
    session: Session,
) -> None:
    _shop, person, order = a_fifth(session)
    using = rewarding()
    p.planned(session, using)
    assert of_kind(session, M.MILESTONE) == [("", "waiting", "grant_pending")]
    a_grant(session, person, order)
    p.due_again(session, order)
    p.planned(session, using)
    assert of_kind(session, M.MILESTONE)[0][1] == "message"
    assert p.said(session, order, M.FOLLOW_UP) == ("not_wanted", "milestone_instead")


def test_a_milestone_mail_carries_its_grants_code(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    using = rewarding()
    a_pool(session, using)
    grant = a_grant(session, person, order)
    card = take_coupon(session, using, "five", grant_id=grant.id, now=p.MONDAY)
    p.planned(session, using)
    message = p.message_of(session, order, M.MILESTONE)
    render_due(session, using, message.due_at)
    body = p.body_of(session, message)
    assert card is not None
    assert message.state is MessageState.IN_REVIEW, message.flags
    assert "7K3M-Q9XT-4WBD-0" in body.text
    assert "500円引き" in body.subject
    assert message.advertising is True
    assert message.announced == 5


def test_an_empty_pool_holds_the_mail(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    using = rewarding()
    a_pool(session, using, codes=0)
    a_grant(session, person, order)
    p.planned(session, using)
    message = p.message_of(session, order, M.MILESTONE)
    render_due(session, using, message.due_at)
    assert (message.state, message.hold_reason) == (MessageState.ON_HOLD, "pool_empty")


def test_an_open_note_keeps_advertising_waiting(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    note = ContactNote(customer_id=person.id, state=NoteState.OPEN, by="mori", at=p.MONDAY)
    session.add(note)
    p.planned(session, rewarding())
    assert of_kind(session, M.MILESTONE) == [("", "waiting", "open_note")]
    note.state = NoteState.DONE
    p.planned(session, rewarding(), p.MONDAY + timedelta(days=1))
    assert of_kind(session, M.MILESTONE)[0][1] == "message"


def test_a_renumbered_order_ends_its_milestone_mail(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    p.planned(session, rewarding())
    message = p.message_of(session, order, M.MILESTONE)
    session.get_one(OrderStanding, order.id).visit_number = 4
    p.due_again(session, order)
    p.planned(session, rewarding())
    assert message.state is MessageState.CANCELLED
    assert of_kind(session, M.MILESTONE) == [("", "cancelled", "number_changed")]


def test_a_milestone_told_before_a_merge_is_not_told_again(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    p.planned(session, rewarding())
    p.send(session, p.message_of(session, order, M.MILESTONE))
    keeper = p.a_person(session)
    person.merged_into = keeper.id
    order.customer_id = keeper.id
    session.get_one(OrderStanding, order.id).customer_id = keeper.id
    p.due_again(session, order)
    p.planned(session, rewarding())
    outcomes = [found[1:] for found in of_kind(session, M.MILESTONE)]
    assert outcomes == [("message", "planned"), ("already", "already_said")]


# --- silences -------------------------------------------------------------------------------

SILENT = tokyo("2026-11-20 09:00")


def a_silent(
    session: Session, days: int = 91, *, consent: bool = True, start: str = "2026-11-01"
) -> tuple[Channel, Customer, OrderRow]:
    shop = p.a_shop(session, active_from=tokyo(start))
    person = p.a_person(session)
    last = p.a_visit(
        session,
        shop,
        person,
        2,
        ordered_at=SILENT - timedelta(days=days),
        plan_due=False,
        fulfilment="shipped",
        shipped_at=SILENT - timedelta(days=days - 1),
    )
    p.silent_since(session, person, last)
    if consent:
        p.agree(session, shop, f"person{person.id}@mail.example")
    return shop, person, last


def test_somebody_silent_for_ninety_days_is_written_to(session: Session) -> None:
    _shop, _person, last = a_silent(session)
    p.planned(session, now=SILENT)
    assert of_kind(session, M.WIN_BACK) == [("1", "message", "planned")]
    message = p.message_of(session, last, M.WIN_BACK)
    local = message.due_at.astimezone(p.ctx().zone)
    assert local.weekday() in (1, 2, 3)
    assert "11:40" <= local.strftime("%H:%M") <= "12:03"
    render_due(session, p.ctx(), message.due_at)
    assert "お役に立ちましたでしょうか" in p.body_of(session, message).text
    assert message.state is MessageState.IN_REVIEW, message.flags


def test_eighty_nine_days_are_no_silence(session: Session) -> None:
    a_silent(session, 89)
    p.planned(session, now=SILENT)
    assert of_kind(session, M.WIN_BACK) == []


def test_who_was_silent_long_before_the_start_is_left_alone(session: Session) -> None:
    a_silent(session, 200)
    p.planned(session, now=SILENT)
    assert of_kind(session, M.WIN_BACK) == []


def test_silence_is_looked_up_once_a_day(session: Session) -> None:
    a_silent(session, 200, start="2026-01-01")
    p.planned(session, now=SILENT)
    a_count = len(of_kind(session, M.WIN_BACK))
    p.planned(session, now=SILENT + timedelta(minutes=5))
    assert len(of_kind(session, M.WIN_BACK)) == a_count == 1


def test_no_consent_no_win_back(session: Session) -> None:
    a_silent(session, consent=False)
    p.planned(session, now=SILENT)
    assert of_kind(session, M.WIN_BACK) == [("1", "no_consent", "no_consent")]


def test_a_new_order_ends_the_win_back(session: Session) -> None:
    shop, person, last = a_silent(session)
    p.planned(session, now=SILENT)
    message = p.message_of(session, last, M.WIN_BACK)
    p.a_visit(session, shop, person, 3, ordered_at=SILENT)
    p.planned(session, now=SILENT + timedelta(hours=1))
    assert message.state is MessageState.CANCELLED
    assert of_kind(session, M.WIN_BACK) == [("1", "cancelled", "ordered_again")]


def test_the_second_step_follows_sixty_days_after_the_first(session: Session) -> None:
    _shop, _person, last = a_silent(session)
    p.planned(session, now=SILENT)
    first = p.message_of(session, last, M.WIN_BACK)
    p.send(session, first, first.due_at)
    p.planned(session, now=first.due_at + timedelta(days=1))
    steps = of_kind(session, M.WIN_BACK)
    assert [found[:2] for found in steps] == [("1", "message"), ("2", "message")]
    second = session.scalars(select(Message).where(Message.step == "2")).one()
    assert second.due_at >= first.due_at + timedelta(days=59)


# --- windows --------------------------------------------------------------------------------


def test_the_exact_count_is_told_before_a_window_opens(session: Session) -> None:
    shop = p.a_shop(session, active_from=p.MONDAY)
    for n in range(3):
        p.a_visit(
            session,
            shop,
            p.a_person(session),
            ordered_at=p.MONDAY - timedelta(hours=20 + n),
        )
    pair = p.a_person(session)
    for n in range(2):
        p.a_visit(session, shop, pair, ordered_at=p.MONDAY - timedelta(hours=5, minutes=n))
    p.planned(session)
    assert session.scalars(select(Message)).all() == []
    start = p.MONDAY - timedelta(days=30)
    found = count_if_active_from(session, p.ctx(), shop, M.ORDER_THANKS, start, p.MONDAY)
    assert (found.messages, found.waiting, found.old) == (4, 0, 0)
    row = session.get_one(ChannelKind, (shop.id, M.ORDER_THANKS))
    row.active_from = start
    orders = list(session.scalars(select(OrderRow)))
    p.due_again(session, *orders)
    p.planned(session)
    thanks = select(Message).where(Message.kind == M.ORDER_THANKS)
    assert len(session.scalars(thanks).all()) == found.messages
    again = count_if_active_from(session, p.ctx(), shop, M.ORDER_THANKS, start, p.MONDAY)
    assert again.messages == 0


def test_the_count_of_win_back_judges_every_silent_person(session: Session) -> None:
    shop, _person, _last = a_silent(session, 100, start="2026-11-19")
    start = SILENT - timedelta(days=30)
    assert count_if_active_from(session, p.ctx(), shop, M.WIN_BACK, start, SILENT).messages == 1
    later = SILENT - timedelta(days=1)
    assert count_if_active_from(session, p.ctx(), shop, M.WIN_BACK, later, SILENT).messages == 0


def test_two_own_shops_need_a_named_one_for_customer_mails(session: Session) -> None:
    shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    p.a_shop(session, "own:second")
    p.planned(session, rewarding())
    assert of_kind(session, M.MILESTONE) == [("", "no_channel", "no_channel")]
    named = rewarding().documents.milestones
    using = p.ctx(milestones=replace(named, customer_channel=shop.name))
    p.due_again(session, order)
    p.planned(session, using)
    assert of_kind(session, M.MILESTONE)[0][1] == "message"
