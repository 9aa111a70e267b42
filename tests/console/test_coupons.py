"""Campaigns at the desk: codes from a file, shared codes, codes made at a shop, rewards."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from httpx import Response
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.console.conftest import Enter, Visitor, make_context
from tests.console.gifts import give
from tests.console.sample import NOW
from tests.factories import make_channel
from worker.rules.states import CouponState, GrantState, Role
from worker.store.engine import reading, writing
from worker.store.reward_sources import CouponSourceRow
from worker.store.rewards import CouponCode, CouponPool, Grant
from worker.store.running import Audit

SINGLE = {"name": "十回目", "value": "1,000", "minimum": "5000", "expires": "2027-03-31",
          "channel": "own:main", "targets": "全商品"}  # fmt: skip
SHARED = {"name": "楽天冬", "code": "WINTER27", "value": "300", "minimum": "0",
          "expires": "2027-02-28", "channel": "rakuten:main", "targets": ""}  # fmt: skip
LIVE = {"name": "誕生日", "value": "0", "percent": "10", "minimum": "0", "days": "60",
        "channel": "own:cart", "targets": "", "title": "", "bound": "yes"}  # fmt: skip


def upload(visitor: Visitor, content: bytes, **changes: str) -> Response:
    visitor.get("/coupons/new/single")
    answer: Response = visitor.client.post(
        "/coupons/single",
        data={"csrf": visitor.csrf, **SINGLE, **changes},
        files={"file": ("codes.csv", content, "text/csv")},
        headers={"origin": "http://desk.test", **visitor.headers},
        follow_redirects=False,
    )
    return answer


def looked(engine: Engine, query: sa.Select[Any]) -> list[Any]:
    with reading(engine) as session:
        return list(session.scalars(query))


def pool_named(session: Session, name: str) -> CouponPool:
    return session.scalars(sa.select(CouponPool).where(CouponPool.name == name)).one()


def test_a_file_of_codes_becomes_a_campaign(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.APPROVER)
    answer = upload(visitor, b"code,expires\nAAAA-1111,\nBBBB-2222,2027-01-31\n")
    assert (answer.status_code, answer.headers["location"]) == (303, "/coupons?done=2-0")
    assert "2件を追加しました。登録済み 0件。" in visitor.get("/coupons?done=2-0").text
    with reading(desk_engine) as session:
        pool = pool_named(session, "十回目")
        assert (pool.value, pool.minimum, pool.targets) == (1000, 5000, "全商品")
    assert looked(desk_engine, sa.select(Audit.action)) == ["load_coupons"]
    again = upload(visitor, b"AAAA-1111\nCCCC-3333\n")
    assert again.headers["location"] == "/coupons?done=1-1"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("ja", ("2行目", "コードの中に空白があります。")),
        ("en", ("Line 2", "The code holds a space.")),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_written(
    enter: Enter, desk_engine: Engine, language: str, said: tuple[str, str]
) -> None:
    answer = upload(enter(Role.APPROVER, language), b"AAAA-1111\nBB BB\nCCCC-3333,2027-13-01\n")
    assert answer.status_code == 422
    for words in said:
        assert words in answer.text
    assert "BB BB" not in answer.text
    assert 'value="1,000"' in answer.text
    assert looked(desk_engine, sa.select(CouponPool)) == []
    assert looked(desk_engine, sa.select(Audit)) == []


@pytest.mark.parametrize(
    ("changes", "content", "said"),
    [
        ({}, b"", "コードのファイルを選んでください。"),
        ({}, "コード".encode("cp932"), "UTF-8のCSVで保存してください。"),
        ({"value": "0"}, b"AAAA", "値引きは1以上にしてください。"),
        ({"value": "千円"}, b"AAAA", "数字で入れてください。"),
        ({"minimum": "-1"}, b"AAAA", "条件は0以上にしてください。"),
        ({"expires": "2026-11-23"}, b"AAAA", "最終日が過ぎています。"),
        ({"expires": "31.1."}, b"AAAA", "日付で入れてください。"),
        ({"name": "あ" * 51}, b"AAAA", "名前は1文字から50文字までです。"),
        ({"channel": "own:gone"}, b"AAAA", "店舗を選び直してください。"),
    ],
)
def test_each_fault_is_told_at_its_field(
    enter: Enter, desk_engine: Engine, changes: dict[str, str], content: bytes, said: str
) -> None:
    answer = upload(enter(Role.APPROVER), content, **changes)
    assert answer.status_code == 422
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert looked(desk_engine, sa.select(CouponPool)) == []
    assert looked(desk_engine, sa.select(Audit)) == []


def test_a_shared_code_is_entered_and_renewed(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.APPROVER)
    visitor.get("/coupons/new/shared")
    assert visitor.send("/coupons/shared", **SHARED).headers["location"] == "/coupons?done=saved"
    with reading(desk_engine) as session:
        number = pool_named(session, "楽天冬").id
    assert 'value="2027-02-28"' in visitor.get(f"/coupons/{number}").text
    visitor.send("/coupons/shared", **{**SHARED, "code": "SPRING27", "expires": "2027-05-31"})
    with reading(desk_engine) as session:
        assert pool_named(session, "楽天冬").shared_code == "SPRING27"
    assert looked(desk_engine, sa.select(Audit.action)) == ["shared_coupons"] * 2


@pytest.mark.parametrize("missing", ["code", "expires"])
def test_a_shared_code_needs_its_code_and_its_end(
    enter: Enter, desk_engine: Engine, missing: str
) -> None:
    visitor = enter(Role.APPROVER)
    visitor.get("/coupons/new/shared")
    assert visitor.send("/coupons/shared", **{**SHARED, missing: ""}).status_code == 422
    assert looked(desk_engine, sa.select(CouponPool)) == []


def test_a_name_that_holds_other_codes_is_refused(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.APPROVER)
    upload(visitor, b"AAAA-1111\n", name="楽天冬", channel="")
    answer = visitor.send("/coupons/shared", **SHARED)
    assert answer.status_code == 422
    assert "この名前は1回限りのコードに使われています。" in answer.text


@pytest.fixture
def _cart(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        make_channel(session, "own:cart", kind="woocommerce")


@pytest.mark.usefixtures("_cart")
def test_codes_made_at_the_shop_are_declared_and_go_on(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.ADMIN)
    assert 'value="own:cart"' in visitor.get("/coupons/new/live").text
    assert visitor.send("/coupons/live", **LIVE).headers["location"] == "/coupons?done=saved"
    with writing(desk_engine) as session:
        pool = pool_named(session, "誕生日")
        source = session.get_one(CouponSourceRow, pool.id)
        assert (source.percent, source.valid_days, source.bound) == (10, 60, True)
        source.paused, source.problem = True, "鍵が違います / wrong key"
        number = pool.id
    html = visitor.get("/coupons").text
    assert "停止中" in html
    assert "鍵が違います</span>" in html
    assert visitor.send(f"/coupons/{number}/resume").headers["location"] == "/coupons?done=resumed"
    with reading(desk_engine) as session:
        assert not session.get_one(CouponSourceRow, number).paused


@pytest.mark.usefixtures("_cart")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "500"}, "値引き額か値引き率の、どちらか一方を入れてください。"),
        ({"percent": "0"}, "値引き額か値引き率の、どちらか一方を入れてください。"),
        ({"percent": "101"}, "値引き率は1から100までです。"),
        ({"days": "0"}, "有効日数は1から730日までです。"),
        ({"channel": "own:main"}, "コードを作れません"),
    ],
)
def test_terms_that_no_shop_can_make_are_refused(
    enter: Enter, desk_engine: Engine, changes: dict[str, str], said: str
) -> None:
    visitor = enter(Role.ADMIN)
    visitor.get("/coupons/new/live")
    answer = visitor.send("/coupons/live", **{**LIVE, **changes})
    assert answer.status_code == 422
    assert said in answer.text
    assert looked(desk_engine, sa.select(CouponSourceRow)) == []


@pytest.mark.parametrize(
    ("role", "path"),
    [
        (Role.EDITOR, "/coupons/shared"),
        (Role.EDITOR, "/coupons/single"),
        (Role.APPROVER, "/coupons/live"),
        (Role.APPROVER, "/coupons/1/resume"),
    ],
)
def test_who_may_not_is_refused(enter: Enter, desk_engine: Engine, role: Role, path: str) -> None:
    visitor = enter(role)
    visitor.get("/coupons")
    assert visitor.send(path, **SHARED).status_code == 403
    assert looked(desk_engine, sa.select(CouponPool)) == []


def test_levels_say_what_to_do_and_rewards_whose_they_are(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        give(session, make_context())
    html = enter(Role.VIEWER).get("/coupons").text
    assert "2026/11/29(日)からカードに載せなくなります。" in html
    assert "残りわずか" in html
    assert "カード、5回目500円 (…0001)" in html
    assert "MIDORI5-0001" not in html
    assert "新しいキャンペーン" not in html


def test_an_empty_desk_says_what_comes_next(enter: Enter) -> None:
    html = enter(Role.APPROVER, "en").get("/coupons").text
    assert "No coupon campaigns yet" in html
    assert "No rewards yet" in html


def test_a_reward_is_decided_from_the_list_and_leads_back(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        give(session, make_context())
        grant = session.scalars(sa.select(Grant).order_by(Grant.id)).first()
        assert grant is not None
        grant.state = GrantState.TO_DECIDE
        number = grant.id
    visitor = enter(Role.APPROVER)
    html = visitor.get("/coupons?state=to_decide").text
    assert html.count('action="/rewards/') == 1
    back = "/coupons?state=to_decide#grants"
    answer = visitor.send(f"/rewards/{number}", answer="leave", back=back)
    assert answer.headers["location"] == back
    with reading(desk_engine) as session:
        assert session.get_one(Grant, number).state is GrantState.DECLINED
    foreign = visitor.send("/rewards/2", answer="leave", back="https://example.com")
    assert foreign.headers.get("location") != "https://example.com"


def test_rewards_are_paged_without_gap_or_double(enter: Enter, desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        session.add_all(
            Grant(customer_id=1, scope="own", milestone=n, state=GrantState.EARNED, changed_at=NOW)
            for n in range(100, 160)
        )
    visitor = enter(Role.VIEWER)
    first = visitor.get("/coupons?state=earned").text
    assert first.count("回目<br>") == 50
    assert "159回目" in first
    with reading(desk_engine) as session:
        last = sorted(session.scalars(sa.select(Grant.id)))[-50]
    assert f"after={last}" in first
    second = visitor.get(f"/coupons?state=earned&after={last}").text
    assert second.count("回目<br>") == 10
    assert "109回目" in second
    assert visitor.get("/coupons?after=x").status_code == 422


def test_codes_are_counted_by_state_and_those_past_their_day_apart(
    enter: Enter, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        pool = CouponPool(name="古い", value=100, created_at=NOW)
        session.add(pool)
        session.flush()
        for place, (state, ends) in enumerate(
            ((CouponState.AVAILABLE, None), (CouponState.AVAILABLE, NOW), (CouponState.USED, None))
        ):
            session.add(
                CouponCode(
                    pool_id=pool.id, code_hash=str(place), cipher="", last4="0000", state=state,
                    expires_at=ends, changed_at=NOW,
                )
            )  # fmt: skip
    html = enter(Role.VIEWER).get("/coupons").text
    assert "未使用 1、期限切れ 1、使用済み 1" in html
