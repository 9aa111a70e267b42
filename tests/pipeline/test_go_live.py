"""Beginning a kind of mail: the exact number is repeated, or nothing begins (P8)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import make_channel
from tests.pipeline.planning import MONDAY, a_person, a_visit, ctx, planned, shipped, silent_since
from worker.pipeline.go_live import CannotBegin, begin, count_beginning
from worker.rules.states import MailKind, Sender
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer
from worker.store.messages import Message
from worker.store.running import Audit

THANKS = MailKind.ORDER_THANKS
NOW = MONDAY + timedelta(hours=3)


@pytest.fixture
def shop(session: Session) -> Channel:
    """An own shop on which nothing has begun, with two orders of this morning."""
    made = make_channel(session, "own:main", last_success_at=NOW)
    for minutes in (0, 30):
        a_visit(session, made, a_person(session), 1, MONDAY + timedelta(minutes=minutes))
    return made


def started(session: Session, shop: Channel, **changed: object) -> int:
    values: dict[str, object] = {"typed": 2, "switched_off": True, "start": MONDAY} | changed
    start, kind = values.pop("start"), values.pop("kind", THANKS)
    using = values.pop("using", ctx())
    found = begin(session, using, shop, kind, start, by="管", now=NOW, **values)  # type: ignore[arg-type]
    return found.messages


def nothing_began(session: Session) -> bool:
    rows = session.scalar(select(func.count()).select_from(ChannelKind))
    audits = session.scalar(select(func.count()).select_from(Audit))
    return (rows, audits) == (0, 0)


def test_with_the_exact_number_it_begins_and_is_in_the_audit(
    session: Session, shop: Channel
) -> None:
    assert count_beginning(session, ctx(), shop, THANKS, MONDAY, NOW).messages == 2
    assert started(session, shop) == 2
    row = session.scalars(select(ChannelKind)).one()
    assert (row.kind, row.active_from, row.by) == (THANKS, MONDAY, "管")
    audit = session.scalars(select(Audit)).one()
    assert (audit.action, audit.subject, audit.by) == ("go_live", "channel:own:main", "管")
    assert audit.detail["messages"] == 2
    planned(session, now=NOW)
    assert session.scalar(select(func.count()).select_from(Message)) == 2


@pytest.mark.parametrize("typed", [0, 1, 3])
def test_another_number_begins_nothing(session: Session, shop: Channel, typed: int) -> None:
    with pytest.raises(CannotBegin) as refused:
        started(session, shop, typed=typed)
    assert (refused.value.code, refused.value.count) == ("number", 2)
    assert nothing_began(session)


def test_an_order_that_came_in_between_makes_the_number_another(
    session: Session, shop: Channel
) -> None:
    a_visit(session, shop, a_person(session), 1, MONDAY + timedelta(hours=1))
    with pytest.raises(CannotBegin) as refused:
        started(session, shop)
    assert (refused.value.code, refused.value.count) == ("number", 3)
    assert nothing_began(session)


def test_nothing_begins_before_the_other_system_is_off(session: Session, shop: Channel) -> None:
    with pytest.raises(CannotBegin, match="switched_off"):
        started(session, shop, switched_off=False)
    assert nothing_began(session)


def test_what_another_sends_is_not_begun(session: Session, shop: Channel) -> None:
    with pytest.raises(CannotBegin, match="sender"):
        started(session, shop, kind=MailKind.SHIPPING_NOTICE, typed=0)
    assert nothing_began(session)


def test_what_the_marketplace_forbids_is_not_begun(session: Session) -> None:
    amazon = make_channel(session, "amazon:jp")
    families = {**shipped().senders.families, "amazon": {THANKS: Sender.OKAERI}}
    using = ctx(senders=replace(shipped().senders, families=families))
    with pytest.raises(CannotBegin, match="policy"):
        started(session, amazon, typed=0, using=using)
    assert nothing_began(session)


@pytest.mark.parametrize("start", [NOW - timedelta(days=61), NOW + timedelta(days=61)])
def test_a_beginning_far_away_is_refused(session: Session, shop: Channel, start: datetime) -> None:
    with pytest.raises(CannotBegin, match="too_far"):
        started(session, shop, start=start)
    assert nothing_began(session)


def test_what_has_begun_is_not_moved_later(session: Session, shop: Channel) -> None:
    started(session, shop)
    with pytest.raises(CannotBegin, match="later"):
        started(session, shop, start=NOW, typed=0)
    assert session.scalars(select(ChannelKind.active_from)).one() == MONDAY


def test_from_now_on_nothing_of_the_past_is_mailed(session: Session, shop: Channel) -> None:
    assert started(session, shop, start=NOW, typed=0) == 0
    planned(session, now=NOW)
    assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_beginning_a_kind_about_people_puts_the_silent_on_the_work_list(
    session: Session,
) -> None:
    shop = make_channel(session, "own:main", last_success_at=NOW)
    person = a_person(session)
    last = a_visit(session, shop, person, 1, MONDAY - timedelta(days=95))
    silent_since(session, person, last)
    person.plan_due = False
    session.flush()
    count = count_beginning(session, ctx(), shop, MailKind.WIN_BACK, MONDAY, NOW).messages
    started(session, shop, kind=MailKind.WIN_BACK, typed=count)
    session.expire_all()
    assert session.get_one(Customer, person.id).plan_due is True
