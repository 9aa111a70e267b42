"""Codes are made at the shop outside any transaction, once, and told only when confirmed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from connectors.contract import NeedsPerson, TryLater
from tests.pipeline import planning as p
from tests.service.till import SHIPPED, Crash, House, bare_house, house
from worker.minting import mint_due, mint_pool, pools_due
from worker.pipeline.coupons import take_coupon
from worker.pipeline.coupons_declared import resume
from worker.pipeline.coupons_level import pool_levels
from worker.pipeline.export import EXPORTS
from worker.pipeline.packing import packing_list
from worker.pipeline.render import render_due
from worker.pipeline.rewards import decide_grant, waiting_grants
from worker.rules.states import MessageState
from worker.sending import standing
from worker.store.engine import writing
from worker.store.messages import MessageBody
from worker.store.reward_sources import lock_work
from worker.store.rewards import Grant

__all__ = ["bare_house", "house"]


def reserved(house: House) -> tuple[int, int]:
    """A fifth order that is ready to pack: its code is promised."""
    customer, order = house.visit()
    house.settle(customer)
    assert house.codes() == ["pending"]
    return customer, order


def held_mail(house: House) -> None:
    """A milestone mail whose code the shop has not made yet."""
    customer, _order = house.visit(**SHIPPED)
    house.settle(customer)
    with house.session() as session:
        for grant in waiting_grants(session):  # it left unseen: staff give it by mail
            decide_grant(session, house.ctx, grant.id, give=True, by="mori", now=house.now)
        p.planned(session, house.ctx, house.now)
    house.now = house.mail().due_at
    with house.session() as session:
        render_due(session, house.ctx, house.now)


def test_a_card_is_held_until_the_shop_has_confirmed_its_code(house: House) -> None:
    reserved(house)
    with house.runtime.look() as session:
        (row,) = packing_list(session, house.ctx, house.now.date(), "en")
    assert (row.held, row.coupon, row.text) == ("the shop is still making its coupon", "", "")

    assert mint_due(house.runtime, house.now) == 1

    (code,) = house.till.coupons
    assert house.codes() == ["reserved"]
    with house.runtime.look() as session:
        (row,) = packing_list(session, house.ctx, house.now.date(), "en")
    assert (row.held, row.coupon) == ("", code)
    assert code in row.text
    assert "2026年12月16日(水)23:59まで" in row.text


def test_an_export_tells_no_code_before_it_is_confirmed(house: House) -> None:
    reserved(house)

    def exported() -> list[str | None]:
        with house.runtime.look() as session:
            rows = EXPORTS["grants"](session, house.ctx, house.now)
            return [row["coupon_code"] for row in rows]

    assert exported() == [None]
    mint_due(house.runtime, house.now)
    assert exported() == list(house.till.coupons)


def test_a_mail_is_held_in_words_until_its_code_is_confirmed(house: House) -> None:
    held_mail(house)
    mail = house.mail()
    assert (mail.state, mail.hold_reason) == (MessageState.ON_HOLD, "coupon_pending")

    mint_due(house.runtime, house.now)

    assert house.codes() == ["issued"]
    assert house.mail().state is MessageState.IN_REVIEW
    (code,) = house.till.coupons
    with house.runtime.look() as session:
        assert code in session.get_one(MessageBody, mail.id).text


def test_a_mail_whose_release_was_lost_is_found_by_the_next_sweep(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_mail(house)
    (pool,) = pools_due(house.runtime, house.now)
    mint_pool(house.runtime, pool, house.now)
    assert (house.codes(), house.mail().state) == (["issued"], MessageState.ON_HOLD)

    mint_due(house.runtime, house.later(seconds=30))

    assert house.mail().state is MessageState.IN_REVIEW


def test_the_shop_is_asked_outside_any_transaction(house: House) -> None:
    reserved(house)
    writes: list[int] = []

    def somebody_else_writes() -> None:
        with writing(house.runtime.engine) as session:
            if house.runtime.engine.dialect.name == "postgresql":
                session.execute(text("SET LOCAL lock_timeout = '2s'"))
            for table in ("coupon_codes", "coupon_makings", "coupon_sources"):
                session.execute(text(f"UPDATE {table} SET pool_id = pool_id"))
            writes.append(1)

    house.till.during = somebody_else_writes
    mint_due(house.runtime, house.now)
    assert (writes, house.codes()) == ([1], ["reserved"])


def test_a_process_killed_between_call_and_answer_makes_nothing_twice(house: House) -> None:
    reserved(house)
    house.till.dies = True
    with pytest.raises(Crash):
        mint_due(house.runtime, house.now)
    assert (len(house.till.coupons), house.codes()) == (1, ["pending"])
    house.free_leases()

    mint_due(house.runtime, house.later(seconds=30))

    assert (len(house.till.coupons), house.codes()) == (1, ["reserved"])
    assert house.till.calls == ["make 1", "make 1"]
    assert mint_due(house.runtime, house.later(days=1)) == 0
    assert len(house.till.calls) == 2, "what is confirmed is not asked for again"


def test_a_taken_code_is_replaced_and_the_card_carries_the_new_one(house: House) -> None:
    reserved(house)
    house.till.taken = 1
    mint_due(house.runtime, house.now)
    assert house.codes() == ["void", "pending"]
    mint_due(house.runtime, house.later(seconds=30))
    assert house.codes() == ["void", "reserved"]
    with house.runtime.look() as session:
        (row,) = packing_list(session, house.ctx, house.now.date())
    assert [row.coupon] == list(house.till.coupons)
    assert house.tasks() == []


def test_a_shop_where_every_code_is_taken_stops_and_asks_a_person(house: House) -> None:
    reserved(house)
    house.till.taken = 100
    for _ in range(20):
        mint_due(house.runtime, house.later(minutes=1))
    assert house.codes() == ["void"] * 5 + ["pending"]
    assert [task.kind for task in house.tasks()] == ["coupon_refused"]


def test_a_refused_code_pauses_the_pool_and_asks_staff(house: House) -> None:
    reserved(house)
    house.till.refuses = "the code is too long"
    mint_due(house.runtime, house.now)
    (task,) = house.tasks()
    assert (task.kind, task.detail["why"]) == ("coupon_refused", "the code is too long")
    assert "okaeri coupons resume five" in task.detail["words_en"]
    assert house.source().paused

    house.till.refuses = ""
    assert mint_due(house.runtime, house.later(hours=5)) == 0
    with house.session() as session:
        resume(session, "five", house.now)
    assert mint_due(house.runtime, house.now) == 1
    assert house.codes() == ["void", "reserved"]


def test_what_needs_a_person_pauses_with_its_words_until_resumed(house: House) -> None:
    reserved(house)
    house.till.raises = [NeedsPerson("The key may not write.", "Give it Read/Write.")]
    mint_due(house.runtime, house.now)
    assert house.source().problem == "The key may not write. Give it Read/Write."
    with house.runtime.look() as session:
        (level,) = pool_levels(session, house.now)
    assert (level.low, level.stopped, level.waiting) == (True, True, 1)
    assert level.problem == house.source().problem
    assert mint_due(house.runtime, house.later(days=3)) == 0
    with house.session() as session:
        resume(session, "five", house.now)
    assert mint_due(house.runtime, house.now) == 1
    assert house.source().problem == ""


def test_a_busy_shop_is_asked_again_with_longer_and_longer_pauses(house: House) -> None:
    reserved(house)
    house.till.raises = [TryLater("busy") for _ in range(3)]
    waits = []
    for _ in range(3):
        mint_due(house.runtime, house.now)
        again = house.source().next_try_at
        assert again is not None
        waits.append(again - house.now)
        assert mint_due(house.runtime, again - timedelta(seconds=1)) == 0
        house.now = again
    assert waits == [timedelta(minutes=n) for n in (1, 2, 4)]
    with house.runtime.look() as session:
        (level,) = pool_levels(session, house.now)
    assert (level.low, level.stopped, level.problem) == (True, False, "busy")
    assert mint_due(house.runtime, house.now) == 1
    assert (house.source().failures, house.source().problem) == (0, "")


def test_a_shop_that_says_how_long_is_left_alone_for_so_long(house: House) -> None:
    reserved(house)
    house.till.raises = [TryLater("quota", retry_after=7200)]
    mint_due(house.runtime, house.now)
    assert house.source().next_try_at == house.now + timedelta(hours=2)


def test_several_codes_go_in_one_call_and_a_job_is_asked_for_later(house: House) -> None:
    house.milestones(
        '[coupons.five]\nchannel = "own:main"\npercent = 10\nbound = false\ntitle = "Thanks"\n'
    )
    for _ in range(3):
        customer, _order = house.visit()
        house.settle(customer)
    house.till.polls = 1
    mint_due(house.runtime, house.now)
    assert house.till.calls == ["make 3"]
    assert house.codes() == ["pending"] * 3
    assert {making.token for making in house.makings()} == {"job-0"}

    mint_due(house.runtime, house.later(seconds=30))
    assert house.codes() == ["pending"] * 3
    mint_due(house.runtime, house.later(seconds=30))

    assert house.till.calls == ["make 3", "confirm", "confirm"]
    assert house.codes() == ["reserved"] * 3
    terms = {kept.terms for kept in house.till.coupons.values()}
    (told,) = terms
    assert (told.percent, told.amount, told.minimum, told.title) == (10, None, None, "Thanks")
    assert (told.email, told.member_id) == (None, None)


def test_a_code_is_bound_to_its_buyer_where_the_shop_can(house: House) -> None:
    one, _ = reserved(house)
    other, _ = house.visit(contact={"email": None, "member_id": "77"})
    house.settle(other)
    mint_due(house.runtime, house.now)
    bound = sorted(str(kept.terms.email) for kept in house.till.coupons.values())
    assert bound == ["None", f"person{one}@mail.example"]

    house.till.BINDS = "member_id"
    third, _ = house.visit(contact={"email": "c@example.jp", "member_id": "78"})
    house.settle(third)
    mint_due(house.runtime, house.now)
    last = list(house.till.coupons.values())[-1].terms
    assert (last.member_id, last.email) == ("78", None)


def test_the_terms_of_a_code_stay_what_the_shop_was_first_asked_for(house: House) -> None:
    reserved(house)
    house.till.dies = True
    with pytest.raises(Crash):
        mint_due(house.runtime, house.now)
    house.free_leases()
    house.milestones('[coupons.five]\nchannel = "own:main"\nvalue = 9000\nvalid_days = 5\n')
    mint_due(house.runtime, house.later(days=2))
    (kept,) = house.till.coupons.values()
    assert (kept.terms.amount, kept.terms.minimum) == (500, 3000)
    with house.runtime.look() as session:
        (row,) = packing_list(session, house.ctx, house.now.date())
    assert "500円" in row.text
    assert "9,000円" not in row.text


def test_a_mail_tells_what_its_code_is_worth_not_what_the_next_ones_will_be(house: House) -> None:
    customer, order = reserved(house)
    mint_due(house.runtime, house.now)
    house.milestones('[coupons.five]\nchannel = "own:main"\nvalue = 9000\nvalid_days = 5\n')
    house.change(order, plan_due=True, **SHIPPED)
    house.settle(customer)
    with house.session() as session:
        p.planned(session, house.ctx, house.now)
    mail_id, house.now = house.mail().id, house.mail().due_at
    with house.session() as session:
        render_due(session, house.ctx, house.now)
        words = session.get_one(MessageBody, mail_id).text
    assert "500円" in words
    assert "9,000円" not in words


def test_a_restored_database_makes_no_codes(house: House) -> None:
    reserved(house)
    mint_due(house.runtime, house.now)
    customer, _ = house.visit()
    house.settle(customer)
    assert standing(house.runtime, house.now).lock == ""
    file = house.runtime.settings.data / "instance.json"
    file.write_text(file.read_text().replace('"instance_id": "', '"instance_id": "0'))

    assert standing(house.runtime, house.now).lock == "other_instance"
    mint_due(house.runtime, house.later(seconds=30))

    assert house.codes() == ["reserved", "pending"]
    assert house.till.calls == ["make 1"]


def test_a_fault_of_one_pool_is_noted_and_the_others_go_on(house: House) -> None:
    house.milestones(
        '[coupons.five]\nchannel = "own:main"\nvalue = 5\n'
        '[coupons.other]\nchannel = "own:main"\nvalue = 7\n'
    )
    reserved(house)
    with house.session() as session:
        take_coupon(session, house.ctx, "other", message_id="m", now=house.now)
    house.till.raises = [KeyError("hanako@example.jp")]
    assert mint_due(house.runtime, house.now) == 1
    with house.runtime.look() as session:
        levels = {level.name: level.problem for level in pool_levels(session, house.now)}
    assert levels == {"five": "内部エラー / internal error (KeyError)", "other": ""}


def test_a_mail_about_to_hold_keeps_its_code_from_being_confirmed_meanwhile(
    house: House,
) -> None:
    if house.runtime.engine.dialect.name != "postgresql":
        return  # SQLite has one writer at a time
    customer, _ = reserved(house)
    with house.session() as session:
        grant = session.scalars(select(Grant).where(Grant.customer_id == customer)).one()
        code = take_coupon(session, house.ctx, "five", grant_id=grant.id, now=house.now)
        assert code is not None
        with writing(house.runtime.durable) as other:
            other.execute(text("SET LOCAL lock_timeout = '300ms'"))
            with pytest.raises(OperationalError, match="lock timeout"):
                lock_work(other, [code.id])
            other.rollback()
