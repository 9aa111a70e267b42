"""A milestone's mail goes to a person once, through merging and taking apart (P7)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests.pipeline import planning as p
from tests.pipeline.test_plan_people import a_fifth, a_grant, of_kind, rewarding
from worker.rules.states import GrantState, MailKind
from worker.store.customers import Customer, OrderStanding
from worker.store.messages import Message
from worker.store.orders import OrderRow


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


def _move(session: Session, order: OrderRow, to: Customer) -> None:
    """What merging, unmerging and ranking do to an order."""
    order.customer_id = to.id
    session.get_one(OrderStanding, order.id).customer_id = to.id
    p.due_again(session, order)


def _milestone_mails(session: Session) -> list[tuple[int, str]]:
    rows = session.scalars(select(Message).where(Message.kind == MailKind.MILESTONE))
    return sorted((row.customer_id or 0, row.state.value) for row in rows)


def _waiting(session: Session) -> list[int]:
    return [who for who, state in _milestone_mails(session) if state != "cancelled"]


def test_a_reward_is_found_however_far_its_customer_was_merged(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    middle, keeper = p.a_person(session), p.a_person(session)
    person.merged_into, middle.merged_into = middle.id, keeper.id
    _move(session, order, keeper)
    p.planned(session, rewarding())
    assert _waiting(session) == [keeper.id]


def test_a_reward_taken_back_does_not_hide_the_one_in_force(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    double = p.a_person(session)
    a_grant(session, double, order).state = GrantState.RELEASED
    double.merged_into = person.id
    session.flush()
    p.planned(session, rewarding())
    assert _waiting(session) == [person.id]


def test_a_milestone_mail_that_waits_moves_with_a_merge_and_back(session: Session) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    using = rewarding()
    p.planned(session, using)
    keeper = p.a_person(session)
    person.merged_into = keeper.id
    _move(session, order, keeper)
    p.planned(session, using)
    assert _waiting(session) == [keeper.id]
    person.merged_into = None
    _move(session, order, person)
    p.planned(session, using)
    assert _waiting(session) == [person.id]


def test_a_milestone_told_while_merged_is_not_told_again_after_unmerging(
    session: Session,
) -> None:
    _shop, person, order = a_fifth(session)
    a_grant(session, person, order)
    keeper = p.a_person(session)
    person.merged_into = keeper.id
    _move(session, order, keeper)
    p.planned(session, rewarding())
    p.send(session, p.message_of(session, order, MailKind.MILESTONE))
    person.merged_into = None
    _move(session, order, person)
    p.planned(session, rewarding())
    assert _milestone_mails(session) == [(keeper.id, "sent")]
    assert [found[1:] for found in of_kind(session, MailKind.MILESTONE)] == [
        ("message", "planned"),
        ("already", "already_said"),
    ]
