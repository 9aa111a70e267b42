"""Milestone rewards: reserved, earned, taken back, and never given twice (P6, P7, P8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.pipeline.ledger import NOW, Ledger, with_shop
from worker.pipeline.coupons import PoolRefused
from worker.pipeline.packing import ItemGone, packing_csv, packing_list, tick, untick
from worker.pipeline.rewards import (
    GrantRefused,
    decide_grant,
    load_pool,
    pool_levels,
    reveal,
    settle_rewards,
    take_coupon,
    waiting_grants,
)
from worker.rules.shop import MilestonePlan, Milestones, Reward
from worker.rules.states import MailKind
from worker.store.customers import Customer
from worker.store.engine import open_engine, writing
from worker.store.orders import OrderContact, OrderRow
from worker.store.rewards import CouponCode, Grant, PackingItem, StaffTask

START = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def _with_rewards(ledger: Ledger, **rewards: Reward) -> None:
    plan = MilestonePlan(rewards={name.removeprefix("n"): each for name, each in rewards.items()})
    documents = replace(ledger.ctx.documents, milestones=Milestones(default=plan))
    ledger.ctx = replace(ledger.ctx, documents=documents)


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with writing(engine) as session:
        made = Ledger(session)
        made.channel("own:main")
        made.active("own:main", MailKind.MILESTONE, START)
        _with_rewards(made, n5=Reward(card=True))
        yield made


@pytest.fixture
def pool(ledger: Ledger, tmp_path: Path) -> str:
    codes = tmp_path / "codes.txt"
    codes.write_text("AAAA-1111\nBBBB-2222\nCCCC-3333\n")
    load_pool(ledger.session, ledger.ctx, "five", codes, value=500, now=NOW)
    _with_rewards(ledger, n5=Reward(card=True, coupon_pool="five"))
    return "five"


def _settle(ledger: Ledger, *customers: int) -> None:
    ledger.rank(*customers)
    settle_rewards(ledger.session, ledger.ctx, NOW, customer_ids=customers)
    ledger.session.expire_all()


def _visits(ledger: Ledger, customer: int, count: int, **values: Any) -> list[int]:
    """So many orders on the first of the months from February on."""
    return [ledger.order(customer, f"2026-{n + 1:02d}-01", **values) for n in range(1, count + 1)]


def _grants(ledger: Ledger) -> list[tuple[int, int, str]]:
    rows = ledger.session.scalars(sa.select(Grant).order_by(Grant.id))
    return [(row.customer_id, row.milestone, row.state.value) for row in rows]


def test_the_fifth_visit_is_reserved_when_ready_to_pack_and_earned_at_dispatch(
    ledger: Ledger,
) -> None:
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5)
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "reserved")]
    (row,) = packing_list(ledger.session, ledger.ctx, TODAY)
    assert (row.order_id, row.item, row.label) == (fifth, "card", "5回目のカード")
    ledger.change(fifth, fulfilment="shipped")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "earned")]


def test_nothing_is_reserved_before_the_money_is_there(ledger: Ledger) -> None:
    anna = ledger.customer()
    _visits(ledger, anna, 4)
    fifth = ledger.order(anna, "2026-07-01", payment="unpaid", payment_kind="prepayment")
    _settle(ledger, anna)
    assert _grants(ledger) == []
    ledger.change(fifth, payment="paid")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "reserved")]


def test_a_cancel_before_dispatch_releases_and_the_next_fifth_uses_the_same_row(
    ledger: Ledger, pool: str
) -> None:
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5)
    _settle(ledger, anna)
    (row,) = packing_list(ledger.session, ledger.ctx, TODAY)
    tick(ledger.session, row.item_id, "mori", NOW)
    ledger.change(fifth, life="cancelled")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "released")]
    tasks = ledger.session.scalars(sa.select(StaffTask.kind).order_by(StaffTask.kind)).all()
    assert tasks == ["take_out", "void_coupon"]
    assert packing_list(ledger.session, ledger.ctx, TODAY) == []
    with pytest.raises(ItemGone):
        untick(ledger.session, row.item_id)
    again = ledger.order(anna, "2026-08-01")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "reserved")]
    (row,) = packing_list(ledger.session, ledger.ctx, TODAY)
    assert (row.order_id, row.coupon) == (again, "BBBB-2222"), "a code attempted never comes back"


def test_a_return_after_dispatch_voids_an_unused_code(ledger: Ledger, pool: str) -> None:
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5)
    _settle(ledger, anna)
    ledger.change(fifth, fulfilment="shipped")
    _settle(ledger, anna)
    ledger.change(fifth, fulfilment="returned")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "voided")]
    assert ledger.session.scalar(sa.select(CouponCode.state).order_by(CouponCode.id)) == "void"


def test_a_used_code_is_seen_in_the_order_and_flagged_after_a_return(
    ledger: Ledger, pool: str
) -> None:
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5)
    _settle(ledger, anna)
    ledger.change(fifth, fulfilment="shipped")
    ledger.order(anna, "2026-08-01", coupon_code="aaaa-1111")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "used")]
    ledger.change(fifth, fulfilment="returned")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "used")]


def test_a_card_that_lies_with_the_customer_is_not_given_again(ledger: Ledger) -> None:
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5)
    _settle(ledger, anna)
    ledger.change(fifth, fulfilment="shipped")
    _settle(ledger, anna)
    ledger.change(fifth, fulfilment="returned")
    ledger.order(anna, "2026-08-01")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "earned")]


def test_who_was_past_it_before_the_start_gets_nothing_then_or_later(ledger: Ledger) -> None:
    anna = ledger.customer()
    for month in range(1, 7):
        ledger.order(anna, f"2025-{month:02d}-01", fulfilment="shipped")
    ledger.order(anna, "2026-02-01")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "before_start")]


def test_without_a_start_nothing_happens_at_all(ledger: Ledger) -> None:
    ledger.channel("rakuten:main")
    anna = ledger.customer()
    _visits(ledger, anna, 5, channel="rakuten:main")
    _settle(ledger, anna)
    assert _grants(ledger) == []


def test_a_milestone_that_left_unseen_waits_for_a_person(ledger: Ledger) -> None:
    anna = ledger.customer()
    _visits(ledger, anna, 5, fulfilment="shipped")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "to_decide")]
    sixth = ledger.order(anna, "2026-08-01")
    _settle(ledger, anna)
    grant = ledger.session.scalars(sa.select(Grant)).one()
    decide_grant(ledger.session, ledger.ctx, grant.id, give=True, by="mori", now=NOW)
    assert (grant.state, grant.order_id) == ("reserved", sixth)
    with pytest.raises(GrantRefused):
        decide_grant(ledger.session, ledger.ctx, grant.id, give=False, by="mori", now=NOW)


def test_an_uncertain_number_waits_for_a_person(ledger: Ledger) -> None:
    anna = ledger.customer(identity_unsure=True)
    _visits(ledger, anna, 5)
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "to_decide")]
    grant = ledger.session.scalars(sa.select(Grant)).one()
    decide_grant(ledger.session, ledger.ctx, grant.id, give=False, by="mori", now=NOW)
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "declined")]


def test_a_gift_above_a_fifth_of_the_order_waits_for_a_person(ledger: Ledger) -> None:
    _with_rewards(ledger, n5=Reward(card=True, sample="煎茶", sample_value=201))
    anna, bert, cleo = ledger.customer(), ledger.customer(), ledger.customer()
    for person, total in ((anna, 1004), (bert, 1005), (cleo, 999)):
        _visits(ledger, person, 4)
        ledger.order(person, "2026-07-01", total)
    _settle(ledger, anna, bert, cleo)
    assert _grants(ledger) == [
        (anna, 5, "to_decide"),
        (bert, 5, "reserved"),
        (cleo, 5, "to_decide"),
    ]
    waiting = waiting_grants(ledger.session)
    assert [(each.customer_id, each.reason["code"]) for each in waiting] == [
        (anna, "gift_limit"),
        (cleo, "gift_limit"),
    ]
    assert [row.item for row in packing_list(ledger.session, ledger.ctx, TODAY)] == [
        "card",
        "sample",
    ]


def test_an_empty_pool_keeps_the_card_back_until_codes_come(ledger: Ledger, tmp_path: Path) -> None:
    _with_rewards(ledger, n5=Reward(card=True, coupon_pool="five"))
    anna = ledger.customer()
    _visits(ledger, anna, 5)
    _settle(ledger, anna)
    grant = ledger.session.scalars(sa.select(Grant)).one()
    assert (grant.state, grant.reason["code"]) == ("reserved", "pool_empty")
    assert packing_list(ledger.session, ledger.ctx, TODAY) == []
    codes = tmp_path / "codes.txt"
    codes.write_text("AAAA-1111\n")
    load_pool(ledger.session, ledger.ctx, "five", codes, value=500, now=NOW)
    _settle(ledger, anna)
    assert [row.coupon for row in packing_list(ledger.session, ledger.ctx, TODAY)] == ["AAAA-1111"]


def test_a_late_order_that_renumbers_keeps_the_reward_where_it_lies(ledger: Ledger) -> None:
    anna = ledger.customer()
    _visits(ledger, anna, 5)
    _settle(ledger, anna)
    ledger.order(anna, "2026-01-15", fulfilment="shipped")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "reserved")]


def test_an_earlier_cancel_takes_the_fifth_back(ledger: Ledger) -> None:
    anna = ledger.customer()
    first, *_ = _visits(ledger, anna, 5)
    _settle(ledger, anna)
    ledger.change(first, life="cancelled")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "released")]


def test_merged_and_unmerged_people_are_rewarded_once(ledger: Ledger) -> None:
    anna, double = ledger.customer(), ledger.customer()
    _visits(ledger, anna, 5)
    _visits(ledger, double, 5)
    _settle(ledger, anna, double)
    assert _grants(ledger) == [(anna, 5, "reserved"), (double, 5, "reserved")]
    ledger.session.get_one(Customer, double).merged_into = anna
    ledger.session.execute(sa.update(OrderRow).values(customer_id=anna))
    _settle(ledger, anna, double)
    assert _grants(ledger) == [(anna, 5, "reserved"), (double, 5, "released")]


def test_a_redrawn_scope_that_shares_a_channel_gives_nothing_new(ledger: Ledger) -> None:
    ledger.channel("rakuten:main")
    ledger.active("rakuten:main", MailKind.MILESTONE, START)
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5, channel="own:main")
    _settle(ledger, anna)
    ledger.change(fifth, fulfilment="shipped")
    _settle(ledger, anna)
    ledger.ctx = with_shop(ledger.ctx, scopes={"all": ("own:main", "rakuten:main")})
    ledger.order(anna, "2026-01-15", channel="rakuten:main", fulfilment="shipped")
    _settle(ledger, anna)
    assert _grants(ledger) == [(anna, 5, "earned")]


# --- coupons ----------------------------------------------------------------------------------


def test_a_pool_takes_each_code_once_and_keeps_it_secret(ledger: Ledger, tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    codes.write_text("code,expires\nAAAA-1111,2027-01-31\nBBBB-2222,2026-11-21\n")
    session, ctx = ledger.session, ledger.ctx
    assert load_pool(session, ctx, "five", codes, value=500, now=NOW).added == 2
    assert load_pool(session, ctx, "five", codes, value=500, now=NOW).known == 2
    first = session.scalars(sa.select(CouponCode).order_by(CouponCode.id)).first()
    assert first is not None
    assert "AAAA-1111" not in first.cipher
    assert reveal(ctx, first) == "AAAA-1111"
    (level,) = pool_levels(session, NOW)
    assert (level.left, level.low) == (1, True), "the other one expired yesterday"


def test_a_pool_file_with_one_bad_line_adds_nothing(ledger: Ledger, tmp_path: Path) -> None:
    codes = tmp_path / "codes.txt"
    codes.write_text("AAAA-1111\nnot a code\n")
    report = load_pool(ledger.session, ledger.ctx, "five", codes, value=500, now=NOW)
    assert (report.added, report.wrong) == (0, 1)
    codes.write_text("AAAA-1111\n")
    with pytest.raises(PoolRefused, match="no channel"):
        load_pool(ledger.session, ledger.ctx, "x", codes, value=1, channel="own:none", now=NOW)


def test_one_grant_gets_one_code_however_often_it_asks(ledger: Ledger, pool: str) -> None:
    session, ctx = ledger.session, ledger.ctx
    codes = [take_coupon(session, ctx, pool, grant_id=7, now=NOW) for _ in range(2)]
    other = take_coupon(session, ctx, pool, message_id="m", now=NOW)
    assert codes[0] is not None
    assert other is not None
    assert codes[0] is codes[1]
    assert other.id != codes[0].id


def test_two_workers_never_take_one_code(postgres_url: str, tmp_path: Path) -> None:
    engine = open_engine(postgres_url)
    ctx = Ledger(Session(engine)).ctx
    path = tmp_path / "codes.txt"
    path.write_text("AAAA-1111\nBBBB-2222\n")
    with writing(engine) as session:
        load_pool(session, ctx, "five", path, value=500, now=NOW)
    with writing(engine) as one, writing(engine) as two:
        taken = [take_coupon(s, ctx, "five", message_id=str(id(s)), now=NOW) for s in (one, two)]
        third = take_coupon(two, ctx, "five", message_id="third", now=NOW)
    assert len({code.id for code in taken if code is not None}) == 2
    assert third is None
    engine.dispose()


# --- the list ---------------------------------------------------------------------------------


def test_the_list_for_the_hub_has_one_line_per_order_and_no_formula(ledger: Ledger) -> None:
    anna = ledger.customer()
    *_, fifth = _visits(ledger, anna, 5)
    ledger.session.add(OrderContact(order_id=fifth, name="=HYPERLINK(1)"))
    _settle(ledger, anna)
    rows = packing_list(ledger.session, ledger.ctx, TODAY)
    text = packing_csv(rows).decode("utf-8-sig").splitlines()
    number = ledger.session.get_one(OrderRow, fifth).number
    remark = "カード保留: このモールのカードの文面がありません"
    assert text == [
        "注文番号,店舗,氏名,同梱物,備考,カードの文面",
        f"{number},みどり茶舗,'=HYPERLINK(1),5回目のカード,{remark},",
    ]


def test_a_ticked_thing_stays_on_that_days_list_only(ledger: Ledger) -> None:
    anna = ledger.customer()
    _visits(ledger, anna, 5)
    _settle(ledger, anna)
    (row,) = packing_list(ledger.session, ledger.ctx, TODAY)
    tick(ledger.session, row.item_id, "mori", NOW)
    tick(ledger.session, row.item_id, "sato", NOW + timedelta(hours=1))
    (row,) = packing_list(ledger.session, ledger.ctx, TODAY)
    assert (row.packed_at, row.packed_by) == (NOW, "mori")
    assert packing_list(ledger.session, ledger.ctx, TODAY + timedelta(days=1)) == []
    untick(ledger.session, row.item_id)
    assert ledger.session.get_one(PackingItem, row.item_id).packed_at is None
