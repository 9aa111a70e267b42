"""Where a live pool is declared, what may not be declared, and who starts the sweep."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.pipeline import planning as p
from tests.service.till import DECLARED, House, bare_house, house
from worker import tasks
from worker.documents import DocumentsWrong, load_documents
from worker.minting import mint_due
from worker.pipeline.coupons import PoolRefused, load_pool, load_shared, take_coupon
from worker.pipeline.coupons_declared import declare_live, follow_documents, resume
from worker.pipeline.coupons_level import pool_levels
from worker.rules.live_coupons import LiveCoupon
from worker.store.channels import Channel
from worker.store.rewards import CouponCode, CouponPool
from worker.store.work import pending

__all__ = ["bare_house", "house"]
GOOD = LiveCoupon("own:main", value=500)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('channel = ""', "coupons.five.channel: name the channel"),
        ("value = 0", "coupons.five.value: give either value"),
        ("percent = 10", "coupons.five.value: give either value"),
        ("valid_days = 0", "coupons.five.valid_days: 1 to 730 days."),
        ("minimum = -1", "coupons.five.minimum: 0 (no condition) or more."),
        ("value = 0\npercent = 101", "coupons.five.percent: a percentage is 1 to 100."),
        ('title = "' + "x" * 101 + '"', "coupons.five.title: at most 100 letters."),
        ("worth = 5", "coupons.five.worth: unknown key."),
        ('valid_days = "long"', "coupons.five.valid_days: "),
    ],
)
def test_a_wrong_declaration_names_file_and_setting(config_dir: Path, line: str, said: str) -> None:
    keys = [each.split(" = ")[0] for each in line.splitlines()]
    kept = [row for row in DECLARED.splitlines() if row.split(" = ")[0] not in keys]
    with (config_dir / "milestones.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join([*kept, line]) + "\n")
    with pytest.raises(DocumentsWrong) as wrong:
        load_documents(config_dir)
    assert said in str(wrong.value)
    assert all(
        str(one).startswith(str(config_dir / "milestones.toml")) for one in wrong.value.problems
    )


def test_a_declared_pool_follows_its_document(house: House) -> None:
    customer, _ = house.visit()
    house.settle(customer)
    with house.session() as session:
        (pool,) = session.scalars(select(CouponPool)).all()
        assert (pool.name, pool.value, pool.minimum) == ("five", 500, 3000)
    house.milestones('[coupons.five]\nchannel = "own:main"\npercent = 15\n')
    with house.session() as session:
        follow_documents(session, house.ctx, house.now)
    assert (house.source().percent, house.source().valid_days) == (15, 90)
    mint_due(house.runtime, house.now)
    (kept,) = house.till.coupons.values()
    assert (kept.terms.percent, kept.terms.amount) == (15, None)


def test_a_channel_that_cannot_make_codes_is_told_with_file_and_setting(house: House) -> None:
    house.milestones(DECLARED.replace("own:main", "own:no"))
    customer, _ = house.visit()
    house.settle(customer)
    assert house.source().paused
    assert house.source().problem.startswith("milestones.toml: coupons.five.channel: ")
    assert "there is no channel 'own:no'" in house.source().problem
    assert mint_due(house.runtime, house.later(minutes=1)) == 0
    assert (house.codes(), house.till.calls) == (["pending"], [])

    house.milestones()
    assert mint_due(house.runtime, house.later(minutes=1)) == 1, "goes on by itself once mended"


def test_a_channel_of_files_makes_no_codes(house: House) -> None:
    with house.session() as session:
        p.a_shop(session)
        with pytest.raises(PoolRefused, match=r"csv_file.*shopify, woocommerce"):
            declare_live(session, house.ctx, "other", GOOD, house.now)


def test_a_declared_pool_is_not_changed_by_command(house: House) -> None:
    with house.session() as session:
        p.a_shop(session, kind="woocommerce")
        with pytest.raises(PoolRefused, match=r"milestones\.toml: coupons\.five"):
            declare_live(session, house.ctx, "five", GOOD, house.now)


def test_pools_of_two_kinds_are_never_one(house: House, tmp_path: Path) -> None:
    codes = tmp_path / "codes.txt"
    codes.write_text("AAAA-1111\n")
    with house.session() as session:
        p.a_shop(session, kind="woocommerce")
        load_pool(session, house.ctx, "listed", codes, value=500, now=house.now)
        declare_live(session, house.ctx, "made", GOOD, house.now)
        with pytest.raises(PoolRefused, match="holds other codes"):
            declare_live(session, house.ctx, "listed", GOOD, house.now)
        with pytest.raises(PoolRefused, match="made at the shop"):
            load_pool(session, house.ctx, "made", codes, value=500, now=house.now)
        with pytest.raises(PoolRefused, match="made at the shop"):
            load_shared(
                session, house.ctx, "made", "T-27", value=5, channel="own:main",
                expires_on=house.now.date(), now=house.now,
            )  # fmt: skip
        with pytest.raises(PoolRefused, match="is no pool"):
            resume(session, "listed", house.now)
        assert len(session.scalars(select(CouponCode)).all()) == 1


def test_a_document_that_claims_a_listed_pool_leaves_it_and_tells_staff(
    house: House, tmp_path: Path
) -> None:
    codes = tmp_path / "codes.txt"
    codes.write_text("AAAA-1111\n")
    with house.session() as session:
        p.a_shop(session, kind="woocommerce")
        load_pool(session, house.ctx, "five", codes, value=500, now=house.now)
        follow_documents(session, house.ctx, house.now)
        code = take_coupon(session, house.ctx, "five", message_id="m", now=house.now)
        assert code is not None
        assert code.state == "reserved"
    (task,) = house.tasks()
    assert task.kind == "coupon_undeclared"
    assert task.detail["why"].startswith("milestones.toml: coupons.five.channel: ")


def test_a_pool_whose_codes_exist_stays_with_its_channel(house: House) -> None:
    with house.session() as session:
        p.a_shop(session, kind="woocommerce")
        p.a_shop(session, "own:other", kind="shopify")
        declare_live(session, house.ctx, "made", GOOD, house.now)
        declare_live(session, house.ctx, "made", LiveCoupon("own:other", percent=5), house.now)
        take_coupon(session, house.ctx, "made", message_id="m", now=house.now)
        with pytest.raises(PoolRefused, match="made in another channel"):
            declare_live(session, house.ctx, "made", GOOD, house.now)
        pool = session.scalars(select(CouponPool)).one()
        channel = session.get_one(Channel, pool.channel_id)
        assert channel.name == "own:other"


def test_a_live_pool_is_never_empty_only_failing(house: House) -> None:
    customer, _ = house.visit()
    house.settle(customer)
    with house.session() as session:
        (level,) = pool_levels(session, house.now)
    assert (level.live, level.left, level.low, level.waiting) == (True, None, False, 1)


def test_the_sweep_finds_what_no_message_told_and_sends_ids_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, _ = house.visit()
    house.settle(customer)
    sent: list[object] = []
    monkeypatch.setattr(tasks, "present", lambda: house.runtime)
    monkeypatch.setattr(tasks, "clock", lambda: house.now)
    monkeypatch.setattr(
        tasks.coupons_pool, "apply_async", lambda arguments, **_: sent.append(arguments)
    )
    with house.runtime.look() as session:
        assert pending(session, house.now)["coupons"]
    tasks.coupons()
    assert sent == [(house.source().pool_id,)]
    assert house.codes() == ["pending"]

    tasks.coupons_pool(house.source().pool_id)
    assert house.codes() == ["reserved"]
    with house.runtime.look() as session:
        assert not pending(session, house.now)["coupons"]
    tasks.coupons()
    assert len(sent) == 1
