"""Codes taken back: asked about first, ended at the shop, or handed to a person in words."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from connectors.contract import TryLater
from tests.service.till import Crash, House, bare_house, house
from worker.advance import advance
from worker.minting import ask_used, mint_due
from worker.pipeline.packing import packing_list
from worker.rules.states import CouponState
from worker.store.customers import OrderStanding
from worker.store.rewards import CouponCode

__all__ = ["bare_house", "house"]
CANCELLED = {"life": "cancelled", "counting": False}


def on_a_card(house: House) -> tuple[int, int]:
    """A confirmed code in the parcel of a fifth order: (customer, order)."""
    customer, order = house.visit()
    house.settle(customer)
    mint_due(house.runtime, house.now)
    assert house.codes() == ["reserved"]
    return customer, order


def given(house: House) -> tuple[int, int]:
    """The same after the parcel has left."""
    customer, order = on_a_card(house)
    house.change(order, fulfilment="shipped")
    house.settle(customer)
    assert (house.grant(), house.codes()) == (("earned", "dispatched"), ["issued"])
    return customer, order


def come_back(house: House, customer: int, order: int) -> None:
    house.change(order, fulfilment="returned", counting=False)
    house.settle(customer)


def test_a_code_no_shop_has_heard_of_is_dropped_without_a_word(house: House) -> None:
    customer, order = house.visit()
    house.settle(customer)
    house.change(order, **CANCELLED)
    house.settle(customer)
    mint_due(house.runtime, house.later(minutes=1))
    assert (house.codes(), house.grant()[0]) == (["void"], "released")
    assert (house.till.calls, house.tasks()) == ([], [])


def test_a_cancelled_order_takes_its_unused_code_with_it(house: House) -> None:
    customer, order = on_a_card(house)
    house.change(order, **CANCELLED)
    house.settle(customer)
    assert (house.codes(), house.grant()[0]) == (["void"], "released")

    mint_due(house.runtime, house.later(minutes=1))

    assert house.till.calls == ["make 1", "used", "void"]
    assert [kept.ended for kept in house.till.coupons.values()] == [True]
    assert house.tasks() == []
    mint_due(house.runtime, house.later(days=1))
    assert len(house.till.calls) == 3


def test_where_a_code_cannot_be_ended_staff_are_told_what_to_do(house: House) -> None:
    house.till.can_void = False
    customer, order = on_a_card(house)
    house.change(order, **CANCELLED)
    house.settle(customer)
    mint_due(house.runtime, house.later(minutes=1))
    (task,) = house.tasks()
    (code,) = house.till.coupons
    assert (task.kind, task.detail["last4"]) == ("void_coupon", code[-4:])
    assert f"id-{code[:4]}" in task.detail["words_ja"]
    assert "Delete it in the shop's own screen." in task.detail["words_en"]
    assert code not in str(task.detail), "the code itself is told to nobody"


def test_a_withdrawn_code_that_was_used_before_is_told_to_staff(house: House) -> None:
    customer, order = on_a_card(house)
    for kept in house.till.coupons.values():
        kept.used = True
    house.change(order, **CANCELLED)
    house.settle(customer)
    mint_due(house.runtime, house.later(minutes=1))
    assert house.till.calls == ["make 1", "used"]
    assert (house.codes(), [task.kind for task in house.tasks()]) == (
        ["used"],
        ["voided_coupon_used"],
    )


def test_after_a_return_the_reward_waits_for_the_shops_answer(house: House) -> None:
    customer, order = given(house)
    come_back(house, customer, order)
    assert (house.grant(), house.codes()) == (("earned", "coupon_ending"), ["ending"])

    mint_due(house.runtime, house.later(minutes=1))
    advance(house.runtime, house.now)

    assert (house.grant(), house.codes()) == (("voided", "order_returned"), ["void"])
    assert house.till.calls == ["make 1", "used", "void"]
    assert house.tasks() == []


def test_a_used_code_stays_the_customers_after_a_return(house: House) -> None:
    customer, order = given(house)
    for kept in house.till.coupons.values():
        kept.used = True
    come_back(house, customer, order)
    mint_due(house.runtime, house.later(minutes=1))
    advance(house.runtime, house.now)
    assert (house.grant(), house.codes()) == (("earned", "kept_after_return"), ["used"])
    assert [task.kind for task in house.tasks()] == ["reward_used_order_returned"]


def test_a_shop_that_is_down_leaves_the_reward_undecided(house: House) -> None:
    customer, order = given(house)
    come_back(house, customer, order)
    house.till.raises = [TryLater("down")]
    mint_due(house.runtime, house.later(minutes=1))
    house.settle(customer)
    assert (house.grant(), house.codes()) == (("earned", "coupon_ending"), ["ending"])
    mint_due(house.runtime, house.later(minutes=5))
    advance(house.runtime, house.now)
    assert house.grant()[0] == "voided"


def test_a_code_asked_for_and_not_answered_is_ended_once_it_exists(house: House) -> None:
    customer, order = house.visit()
    house.settle(customer)
    house.till.dies = True
    with pytest.raises(Crash):
        mint_due(house.runtime, house.now)
    house.free_leases()
    house.change(order, **CANCELLED)
    house.settle(customer)
    assert house.codes() == ["void"]

    mint_due(house.runtime, house.later(minutes=1))

    assert [kept.ended for kept in house.till.coupons.values()] == [True]
    assert (house.codes(), house.tasks()) == (["void"], [])


def test_a_reward_reached_anew_gets_a_code_of_its_own(house: House) -> None:
    customer, order = on_a_card(house)
    house.change(order, **CANCELLED)
    with house.session() as session:
        session.get_one(OrderStanding, order).visit_number = None  # as ranking leaves it
    house.settle(customer)
    _customer, again = house.visit(person=customer)
    house.settle(customer)
    mint_due(house.runtime, house.later(minutes=1))
    assert house.codes() == ["void", "reserved"]
    with house.session() as session:
        (row,) = packing_list(session, house.ctx, house.now.date())
    _dead, alive = house.till.coupons
    assert (row.order_id, row.coupon) == (again, alive)
    assert [kept.ended for kept in house.till.coupons.values()] == [True, False]


def test_a_use_read_in_an_order_is_never_ended(house: House) -> None:
    customer, order = given(house)
    (code,) = house.till.coupons
    house.visit(6, person=customer, coupon_code=f"welcome,{code.lower()}")
    house.settle(customer)
    assert (house.codes(), house.grant()) == (["used"], ("used", "coupon_used"))
    come_back(house, customer, order)
    mint_due(house.runtime, house.later(minutes=1))
    assert house.till.calls == ["make 1"]


def test_a_use_read_before_the_shop_was_asked_ends_the_ending(house: House) -> None:
    customer, order = on_a_card(house)
    house.change(order, **CANCELLED)
    house.settle(customer)
    (code,) = house.till.coupons
    house.visit(6, person=customer, coupon_code=code)
    house.settle(customer)
    mint_due(house.runtime, house.later(minutes=1))
    assert (house.till.calls, house.codes()) == (["make 1"], ["used"])
    assert [task.kind for task in house.tasks()] == ["voided_coupon_used"]


def test_once_a_day_the_shop_is_asked_what_orders_do_not_tell(house: House) -> None:
    given(house)
    assert ask_used(house.runtime, house.later(hours=1)) == 0
    assert house.till.calls == ["make 1"], "it was made an hour ago"
    assert ask_used(house.runtime, house.later(hours=23)) == 0
    assert ask_used(house.runtime, house.later(hours=1)) == 0
    assert house.till.calls == ["make 1", "used"]
    for kept in house.till.coupons.values():
        kept.used = True
    assert ask_used(house.runtime, house.later(days=1)) == 1
    assert (house.codes(), house.grant()) == (["used"], ("used", "coupon_used"))
    assert ask_used(house.runtime, house.later(days=1)) == 0


def test_an_expired_code_is_not_asked_about_and_a_shop_that_is_down_can_wait(house: House) -> None:
    given(house)
    assert ask_used(house.runtime, house.later(days=40)) == 0
    assert house.till.calls == ["make 1"]
    house.till.raises = [TryLater("down")]
    with house.session() as session:
        code = session.scalars(select(CouponCode)).one()
        code.expires_at = None
    assert ask_used(house.runtime, house.later(days=1)) == 0
    assert house.codes() == [CouponState.ISSUED]
