"""Cards in parcels: the right shop's coupon or none, the right words or a reason (P10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.folders import ROOT
from tests.pipeline.ledger import NOW, Ledger, with_shop
from worker.mail.texts import FolderSource
from worker.pipeline.coupons import PoolRefused, load_pool, load_shared
from worker.pipeline.coupons_level import PoolLevel, pool_levels
from worker.pipeline.packing import PackingRow, packing_csv, packing_list, tick
from worker.pipeline.rewards import settle_rewards
from worker.rules.shop import Contact, MilestonePlan, Milestones, Reward
from worker.rules.states import MailKind
from worker.store.channels import Channel
from worker.store.engine import writing
from worker.store.orders import OrderContact
from worker.store.rewards import CouponCode, Grant, StaffTask

START = datetime(2026, 1, 1, tzinfo=UTC)
TODAY = date(2026, 11, 22)


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with writing(engine) as session:
        made = Ledger(session)
        made.ctx = replace(made.ctx, texts=FolderSource(ROOT))
        made.ctx = with_shop(
            made.ctx, contact=replace(made.ctx.documents.shop.contact, staff_name="森本")
        )
        for name, title in (("own:main", "みどり茶舗"), ("rakuten:main", "みどり茶舗 楽天市場店")):
            made.channel(name)
            made.active(name, MailKind.MILESTONE, START)
            session.scalars(sa.select(Channel).where(Channel.name == name)).one().title = title
        yield made


def _rewards(ledger: Ledger, **rewards: Reward) -> None:
    named = {name.removeprefix("n"): each for name, each in rewards.items()}
    milestones = Milestones(default=MilestonePlan(rewards=named))
    ledger.ctx = replace(ledger.ctx, documents=replace(ledger.ctx.documents, milestones=milestones))


def _own_pool(ledger: Ledger, tmp_path: Path, channel: str | None = "own:main") -> None:
    codes = tmp_path / "codes.txt"
    codes.write_text("AAAA-1111\nBBBB-2222\n")
    load_pool(
        ledger.session, ledger.ctx, "five", codes, value=500, minimum=3000,
        expires_on=date(2027, 1, 31), channel=channel, now=NOW,
    )  # fmt: skip


def _shared(ledger: Ledger, last: date, **changes: Any) -> None:
    terms: dict[str, Any] = {
        "value": 300,
        "minimum": 2000,
        "channel": "rakuten:main",
        "now": NOW,
    } | changes
    load_shared(ledger.session, ledger.ctx, "five", "THANKS-27", expires_on=last, **terms)


def _nth(ledger: Ledger, channel: str, count: int = 5, name: str = "山田") -> int:
    """A person whose last of ``count`` visits is ready to pack."""
    person = ledger.customer()
    for month in range(count):
        last = ledger.order(person, f"2026-{month + 1:02d}-05", 5000, channel=channel)
    ledger.session.add(OrderContact(order_id=last, name=f"{name} 花子", family_name=name))
    _settle(ledger, person)
    return last


def _settle(ledger: Ledger, *people: int) -> None:
    ledger.rank(*people)
    settle_rewards(ledger.session, ledger.ctx, NOW, customer_ids=people)
    ledger.session.flush()


def _rows(ledger: Ledger, day: date = TODAY) -> list[PackingRow]:
    return packing_list(ledger.session, ledger.ctx, day)


def _grant(ledger: Ledger) -> Grant:
    return ledger.session.scalars(sa.select(Grant)).one()


# --- whose coupon -----------------------------------------------------------------------------


@pytest.mark.parametrize("channel", ["own:main", None])
def test_a_marketplace_parcel_never_carries_an_own_shop_code(
    ledger: Ledger, tmp_path: Path, channel: str | None
) -> None:
    _own_pool(ledger, tmp_path, channel)
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    order = _nth(ledger, "rakuten:main")
    (row,) = _rows(ledger)
    assert (row.coupon, row.held) == ("", "")
    assert "当店での5回目のお買い物" in row.text
    assert "クーポン" not in row.text
    grant = _grant(ledger)
    assert (grant.reward, grant.reason["coupon"], grant.coupon_id) == (
        "card", "other_channel", None,
    )  # fmt: skip
    ledger.change(order, fulfilment="shipped")
    _settle(ledger, grant.customer_id)
    assert (grant.state, grant.reward, grant.reason["coupon"]) == (
        "earned", "card", "other_channel",
    )  # fmt: skip
    states = ledger.session.scalars(sa.select(CouponCode.state)).all()
    assert set(states) == {"available"}


def test_an_own_parcel_never_carries_a_marketplace_code(ledger: Ledger) -> None:
    _shared(ledger, date(2027, 3, 31))
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    _nth(ledger, "own:main")
    (row,) = _rows(ledger)
    assert (row.coupon, row.held) == ("", "")
    assert _grant(ledger).reason["coupon"] == "other_channel"


def test_counting_shops_together_does_not_mix_their_coupons(ledger: Ledger, tmp_path: Path) -> None:
    ledger.ctx = with_shop(ledger.ctx, scopes={"all": ("own:main", "rakuten:main")})
    _own_pool(ledger, tmp_path)
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    _nth(ledger, "rakuten:main")
    assert [row.coupon for row in _rows(ledger)] == [""]


def test_a_pool_that_comes_later_but_elsewhere_lets_the_card_go_without(
    ledger: Ledger, tmp_path: Path
) -> None:
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    _nth(ledger, "rakuten:main")
    assert _rows(ledger) == []
    _own_pool(ledger, tmp_path)
    _settle(ledger, _grant(ledger).customer_id)
    assert [(row.item, row.coupon) for row in _rows(ledger)] == [("card", "")]


# --- shared coupons ---------------------------------------------------------------------------


def test_a_shared_code_is_the_same_for_everybody_and_its_cards_are_counted(
    ledger: Ledger,
) -> None:
    _shared(ledger, date(2027, 3, 31))
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    for _ in range(2):
        _nth(ledger, "rakuten:main")
    rows = _rows(ledger)
    assert [row.coupon for row in rows] == ["THANKS-27", "THANKS-27"]
    assert "楽天市場の当店でお使いいただけるクーポン" in rows[0].text
    assert "クーポンコード THANKS-27\n(2,000円(税込)以上で1回、2027年3月31日(水)23:59まで)" in (
        rows[0].text
    )
    end = datetime(2027, 3, 31, 15, tzinfo=UTC)
    assert pool_levels(ledger.session, NOW) == [
        PoolLevel("five", None, low=False, expires_at=end, shared=True, printed=2)
    ]


@pytest.mark.parametrize(("days", "tasks", "low"), [(21, 0, False), (20, 1, True)])
def test_the_end_of_a_shared_coupon_is_told_three_weeks_before(
    ledger: Ledger, days: int, tasks: int, low: bool
) -> None:
    # The end is midnight after the last day: 12 hours later than now on that day.
    _shared(ledger, TODAY + timedelta(days))
    for _ in range(2):
        settle_rewards(ledger.session, ledger.ctx, NOW, customer_ids=[])
    found = ledger.session.scalars(sa.select(StaffTask)).all()
    assert [task.kind for task in found] == ["coupon_ending"] * tasks
    assert [level.low for level in pool_levels(ledger.session, NOW)] == [low]


@pytest.mark.parametrize(("days", "code"), [(14, "THANKS-27"), (13, "")])
def test_a_shared_coupon_is_not_printed_in_its_last_two_weeks(
    ledger: Ledger, days: int, code: str
) -> None:
    _shared(ledger, TODAY + timedelta(days))
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    _nth(ledger, "rakuten:main")
    (row,) = _rows(ledger)
    assert (row.coupon, row.held) == (code, "")
    assert ("クーポン" in row.text) is bool(code)
    assert _grant(ledger).reward == ("card+coupon:five" if code else "card")
    assert pool_levels(ledger.session, NOW)[0].stopped is not bool(code)


def test_a_card_that_waits_into_the_last_two_weeks_loses_the_code_unless_packed(
    ledger: Ledger,
) -> None:
    _shared(ledger, TODAY + timedelta(14))
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    _nth(ledger, "rakuten:main")
    late = TODAY + timedelta(days=2)
    (row,) = _rows(ledger, late)
    assert (row.coupon, "クーポン" in row.text) == ("", False)
    tick(ledger.session, row.item_id, "mori", NOW + timedelta(days=2))
    assert [row.coupon for row in _rows(ledger, late)] == ["THANKS-27"]


def test_a_shared_coupon_needs_an_end_and_a_channel_and_a_pool_of_its_own(
    ledger: Ledger, tmp_path: Path
) -> None:
    with pytest.raises(PoolRefused, match="needs its code"):
        _shared(ledger, date(2027, 3, 31), channel=None)
    _shared(ledger, date(2027, 3, 31))
    with pytest.raises(PoolRefused, match="another channel"):
        _shared(ledger, date(2027, 3, 31), channel="own:main")
    with pytest.raises(PoolRefused, match="one shared code"):
        _own_pool(ledger, tmp_path, None)


# --- the words --------------------------------------------------------------------------------


def test_the_fifth_card_of_the_own_shop_in_full(ledger: Ledger, tmp_path: Path) -> None:
    _own_pool(ledger, tmp_path)
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    _nth(ledger, "own:main")
    (row,) = _rows(ledger)
    assert row.text == (
        "山田様\n\n5回目のご注文、ありがとうございます。\n"
        "またお選びいただけたことがうれしく、一筆添えました。\n"
        "ささやかですが、次のお買い物でお使いください。\n\n"
        "500円引き クーポンコード AAAA-1111\n"
        "(3,000円(税込)以上のお買い物で1回、2027年1月31日(日)23:59まで)\n"
        "みどり茶舗 森本\n"
    )
    assert row.text.split("\n")[0] in packing_csv([row]).decode("utf-8-sig")


def test_the_tenth_card_names_the_sample_and_prints_a_code_where_there_is_one(
    ledger: Ledger, tmp_path: Path
) -> None:
    _own_pool(ledger, tmp_path)
    sample = Reward(sample="ほうじ茶のお試し袋", sample_value=200)
    _rewards(ledger, n10=replace(sample, coupon_pool="five"))
    _nth(ledger, "own:main", 10)
    card, laid = _rows(ledger)
    assert "ほうじ茶のお試し袋を同封いたしました" in card.text
    assert "クーポンコード AAAA-1111" in card.text
    assert (laid.text, laid.label, card.label) == ("", "ほうじ茶のお試し袋", "10回目のカード")
    _rewards(ledger, n10=sample)
    _nth(ledger, "rakuten:main", 10)
    assert "クーポン" not in _rows(ledger)[2].text


def test_a_card_without_coupon_thanks_and_no_more(ledger: Ledger) -> None:
    _rewards(ledger, n5=Reward(), n10=Reward())
    for channel in ("own:main", "rakuten:main"):
        for count in (5, 10):
            _nth(ledger, channel, count)
    rows = _rows(ledger)
    assert [row.held for row in rows] == [""] * 6
    assert all(f"{row.milestone}回目の" in row.text for row in rows)
    assert not any("クーポン" in row.text for row in rows)


def test_a_shop_that_does_not_count_aloud_prints_no_number(ledger: Ledger, tmp_path: Path) -> None:
    _own_pool(ledger, tmp_path)
    ledger.ctx = with_shop(ledger.ctx, say_number=False)
    _rewards(ledger, n5=Reward(coupon_pool="five"))
    for channel in ("own:main", "rakuten:main"):
        _nth(ledger, channel)
    assert [(row.held, "回目" in row.text) for row in _rows(ledger)] == [("", False)] * 2


def test_a_missing_value_holds_the_card_with_a_reason(ledger: Ledger) -> None:
    contact = replace(ledger.ctx.documents.shop.contact, staff_name="")
    ledger.ctx = with_shop(ledger.ctx, contact=contact, channels={"own:main": Contact()})
    _rewards(ledger, n5=Reward())
    _nth(ledger, "own:main")
    (row,) = _rows(ledger)
    assert (row.text, row.held) == ("", "差し込みが足りません: 担当の名前")
    (row,) = packing_list(ledger.session, ledger.ctx, TODAY, "en")
    assert (row.held, row.label) == ("a value is missing: Writer's name", "card for visit 5")


def test_a_marketplace_without_card_texts_holds(ledger: Ledger) -> None:
    ledger.channel("qoo10:main")
    ledger.active("qoo10:main", MailKind.MILESTONE, START)
    _rewards(ledger, n5=Reward())
    _nth(ledger, "qoo10:main")
    (row,) = _rows(ledger)
    assert (row.text, row.held) == ("", "このモールのカードの文面がありません")
