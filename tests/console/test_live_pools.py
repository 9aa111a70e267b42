"""Pools whose codes are made at the shop: on today's page and in the figures when they fail."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from tests.console.conftest import Enter
from tests.console.sample import NOW
from worker.rules.states import CouponState, Role
from worker.store.engine import writing
from worker.store.reward_sources import CouponSourceRow
from worker.store.rewards import CouponCode, CouponPool, StaffTask


def a_live_pool(engine: Engine, **fields: object) -> None:
    with writing(engine) as session:
        pool = CouponPool(name="live-five", value=500, created_at=NOW)
        session.add(pool)
        session.flush()
        row = CouponSourceRow(pool_id=pool.id, valid_days=90, changed_at=NOW, **fields)
        session.add_all(
            [
                row,
                CouponCode(
                    pool_id=pool.id, code_hash="h", cipher="", last4="AB-1",
                    state=CouponState.PENDING, changed_at=NOW,
                ),
            ]
        )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, None),
        ({"failures": 2, "problem": "busy"}, None),
        ({"failures": 3, "problem": "busy"}, "クーポンを作れていません"),
        ({"paused": True, "problem": "busy"}, "クーポンの作成が止まっています"),
    ],
)
def test_a_live_pool_is_on_todays_page_only_when_it_fails(
    desk_engine: Engine, enter: Enter, fields: dict[str, object], said: str | None
) -> None:
    a_live_pool(desk_engine, **fields)
    page = enter(Role.VIEWER).get("/").text
    assert ("live-five" in page) is (said is not None)
    if said is not None:
        assert said in page
        assert "待ち1件　busy" in page


def test_the_figures_tell_what_waits_and_what_fails_but_no_level(
    desk_engine: Engine, enter: Enter
) -> None:
    a_live_pool(desk_engine, paused=True, problem="busy")
    text = enter(None).get("/metrics").text
    assert 'okaeri_coupons_waiting{pool="live-five"} 1.0' in text
    assert 'okaeri_coupon_source_failing{pool="live-five"} 1.0' in text
    assert 'okaeri_coupons_available{pool="live-five"}' not in text


def test_an_errand_about_a_coupon_says_in_its_own_words_what_to_do(
    desk_engine: Engine, enter: Enter
) -> None:
    detail = {
        "pool": "live-five",
        "last4": "AB-1",
        "words_ja": "番号 701 を消す",
        "words_en": "701",
    }
    with writing(desk_engine) as session:
        session.add(
            StaffTask(kind="void_coupon", subject="coupon:1", detail=detail, created_at=NOW)
        )
    page = enter(Role.VIEWER).get("/tasks").text
    assert "番号 701 を消す" in page
