"""The rehearsal: what Okaeri would have sent beside what another system sent, order by order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import make_channel, tokyo
from tests.pipeline.planning import MONDAY, a_person, a_shop, a_visit, ctx, planned, shipped
from worker.pipeline.context import Context
from worker.pipeline.rehearsal import Comparison, compare
from worker.pipeline.rehearsal_hub import (
    ListWrong,
    Told,
    decode,
    forget_hub_mails,
    numbers_in,
    tell_hub_mails,
)
from worker.rules.states import MailKind, Outcome
from worker.store.channels import Channel
from worker.store.messages import Message, Occasion
from worker.store.rehearsals import HubMail
from worker.store.running import Audit

THANKS = MailKind.ORDER_THANKS
LATER = MONDAY + timedelta(days=7)


@pytest.fixture
def channel(session: Session) -> Channel:
    """A marketplace that the order hub mails today; nothing has begun on it."""
    return make_channel(session, "rakuten:main", last_success_at=LATER)


def tell(session: Session, channel: Channel, *numbers: str) -> Told:
    return tell_hub_mails(session, channel, THANKS, numbers, by="森本", now=LATER)


def compared(session: Session, channel: Channel, using: Context | None = None) -> Comparison:
    days = (MONDAY.date(), MONDAY.date() + timedelta(days=6))
    return compare(session, using or ctx(), channel, THANKS, *days, LATER)


def ordered(session: Session, channel: Channel, number: str, **fields: Any) -> int:
    at = fields.pop("ordered_at", MONDAY)
    return a_visit(session, channel, a_person(session), 1, at, external_id=number, **fields).id


def test_orders_are_matched_by_their_number(session: Session, channel: Channel) -> None:
    ordered(session, channel, "R-1")
    ordered(session, channel, "R-2", ordered_at=MONDAY + timedelta(days=1))
    ordered(session, channel, "R-3", life="cancelled")
    ordered(session, channel, "R-4", life="cancelled")
    tell(session, channel, "R-1", "R-3", "R-99")
    found = compared(session, channel)
    figures = (found.orders, found.both, found.ours_only, found.theirs_only, found.neither)
    assert figures == (4, 1, 1, 1, 1)
    assert (found.mails, found.made) == (2, 0)
    told = [(one.number, one.ours, one.reason["code"]) for one in found.differing]
    assert told == [("R-3", False, "order_cancelled"), ("R-2", True, "planned")]
    assert found.unknown == ["R-99"]


def test_the_rehearsal_stores_nothing(session: Session, channel: Channel) -> None:
    ordered(session, channel, "R-1")
    compared(session, channel)
    session.flush()
    assert session.scalar(select(func.count()).select_from(Message)) == 0
    assert session.scalar(select(func.count()).select_from(Occasion)) == 0


def test_a_parcel_that_has_left_since_was_still_to_be_thanked_for(
    session: Session, channel: Channel
) -> None:
    ordered(session, channel, "R-1", fulfilment="shipped", shipped_at=LATER)
    assert compared(session, channel).ours_only == 1


def test_two_orders_of_a_day_share_one_mail(session: Session, channel: Channel) -> None:
    person = a_person(session)
    a_visit(session, channel, person, 1, MONDAY, external_id="R-1")
    a_visit(session, channel, person, 1, MONDAY + timedelta(hours=1), external_id="R-2")
    found = compared(session, channel)
    assert (found.ours_only, found.mails) == (2, 1)


def test_days_outside_are_left_out(session: Session, channel: Channel) -> None:
    ordered(session, channel, "R-1", ordered_at=MONDAY - timedelta(days=1))
    ordered(session, channel, "R-2", ordered_at=MONDAY + timedelta(days=7))
    assert compared(session, channel).orders == 0


def test_a_mail_that_was_really_made_is_the_one_shown(session: Session) -> None:
    shop = a_shop(session)
    order = a_visit(session, shop, a_person(session), external_id="A-1")
    planned(session)
    found = compared(session, shop)
    message_id = session.scalars(select(Message.id)).one()
    assert (found.ours_only, found.made) == (1, 1)
    assert [(one.order_id, one.message_id) for one in found.differing] == [(order.id, message_id)]


def test_a_kind_without_a_rule_is_ours_for_no_order(session: Session, channel: Channel) -> None:
    ordered(session, channel, "R-1")
    tell(session, channel, "R-1")
    silent = ctx(mails=replace(shipped().mails, rules=()))
    found = compared(session, channel, silent)
    assert (found.theirs_only, found.differing[0].reason) == (1, {"code": "kind_off"})


def test_what_was_stored_before_the_beginning_says_nothing(session: Session) -> None:
    shop = a_shop(session, active_from=tokyo("2026-11-20"))
    order = a_visit(session, shop, a_person(session))
    planned(session)
    row = session.scalars(select(Occasion).where(Occasion.order_id == order.id)).first()
    assert row is not None
    assert row.outcome is Outcome.NOT_ACTIVE
    assert compared(session, shop).ours_only == 1


def test_a_list_told_twice_is_told_once(session: Session, channel: Channel) -> None:
    assert tell(session, channel, "R-1", "R-2") == Told(new=2, known=0)
    assert tell(session, channel, "R-2", "R-3", "R-3") == Told(new=1, known=1)
    assert session.scalar(select(func.count()).select_from(HubMail)) == 3
    details = session.scalars(select(Audit.detail).order_by(Audit.id)).all()
    assert details[1] == {"kind": "order_thanks", "new": 1, "known": 1}


def test_a_list_can_be_taken_back(session: Session, channel: Channel) -> None:
    tell(session, channel, "R-1", "R-2")
    assert forget_hub_mails(session, channel, THANKS, by="森本", now=LATER) == 2
    assert session.scalar(select(func.count()).select_from(HubMail)) == 0
    actions = session.scalars(select(Audit.action).order_by(Audit.id)).all()
    assert actions == ["rehearsal_told", "rehearsal_forgotten"]


def test_only_kinds_of_one_order_can_be_told(session: Session, channel: Channel) -> None:
    with pytest.raises(ListWrong, match="kind"):
        tell_hub_mails(session, channel, MailKind.WIN_BACK, ["R-1"], by="森本", now=LATER)
    assert session.scalar(select(func.count()).select_from(HubMail)) == 0


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("R-1\nR-2\n\nR-1\n", ["R-1", "R-2"]),
        ("送信日,受注番号,宛先\n2026/11/16,R-1,x\n2026/11/16,R-2,y\n", ["R-1", "R-2"]),
        ("Order number\tSent\nR-1\t1\n", ["R-1"]),
        ('"Ｒ－１",a\n', ["R-1"]),
    ],
)
def test_the_column_of_order_numbers_is_found(text: str, numbers: list[str]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty"), ("受注番号\n", "empty"), ("x" * 81, "too_long")],
)
def test_a_list_without_use_is_refused(text: str, code: str) -> None:
    with pytest.raises(ListWrong, match=code):
        numbers_in(text)


def test_files_of_order_systems_are_read() -> None:
    assert decode("受注番号\nR-1".encode("cp932")) == "受注番号\nR-1"
    assert decode("受注番号".encode("utf-8-sig")) == "受注番号"
    with pytest.raises(ListWrong, match="unreadable"):
        decode(b"\x81\xff\xff")


def test_the_days_are_calendar_days() -> None:
    assert MONDAY.astimezone(ctx().zone).date() == date(2026, 11, 16)
