"""A coupon in an order is found however the shop writes it, alone or among others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.pipeline.ledger import NOW, Ledger
from worker.pipeline.redeemed import codes_in
from worker.pipeline.rewards import load_pool, settle_rewards
from worker.store.engine import writing
from worker.store.rewards import CouponCode, StaffTask


@pytest.fixture
def ledger(engine: sa.Engine, tmp_path: Path) -> Iterator[Ledger]:
    with writing(engine) as session:
        made = Ledger(session)
        made.channel("own:main")
        codes = tmp_path / "codes.txt"
        codes.write_text("AAAA-1111\nBBBB-2222\nCCCC-3333\n")
        load_pool(session, made.ctx, "five", codes, value=500, now=NOW)
        yield made


def used(ledger: Ledger, written: str) -> list[str]:
    anna = ledger.customer()
    ledger.order(anna, "2026-08-01", coupon_code=written)
    ledger.rank(anna)
    settle_rewards(ledger.session, ledger.ctx, NOW, customer_ids=[anna])
    codes = ledger.session.scalars(sa.select(CouponCode).order_by(CouponCode.id))
    return [code.last4 for code in codes if code.state == "used"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("AAAA-1111", ["1111"]),
        ("  aaaa-1111 ", ["1111"]),
        ("aaaa-1111,bbbb-2222", ["1111", "2222"]),
        ("welcome10, CCCC-3333", ["3333"]),
        ("\uff21\uff21\uff21\uff21-1111\u3001bbbb-2222", ["1111", "2222"]),
        ("aaaa-1111;cccc-3333;aaaa-1111", ["1111", "3333"]),
        ("AAAA-11112", []),
        ("AAAA", []),
        (",", []),
    ],
)
def test_codes_are_found_however_the_shop_writes_them(
    ledger: Ledger, written: str, found: list[str]
) -> None:
    assert used(ledger, written) == found


def test_a_code_that_holds_a_sign_of_separation_is_found_whole() -> None:
    assert codes_in("SPRING;26") == ["SPRING;26", "SPRING", "26"]
    assert codes_in(" ") == []


def test_a_withdrawn_code_that_turns_up_in_an_order_is_told_to_staff(ledger: Ledger) -> None:
    code = ledger.session.scalars(sa.select(CouponCode).order_by(CouponCode.id)).first()
    assert code is not None
    code.state = "void"  # type: ignore[assignment]
    ledger.session.flush()
    assert used(ledger, "aaaa-1111") == ["1111"]
    (task,) = ledger.session.scalars(sa.select(StaffTask)).all()
    assert (task.kind, task.detail["last4"]) == ("voided_coupon_used", "1111")
    assert "1111" in task.detail["words_ja"]
