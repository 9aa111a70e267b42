"""The reports count any random history as a slow, plain computation does it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.pipeline.ledger import NOW, Ledger, with_shop
from worker.pipeline import reports
from worker.pipeline.coupons import code_hash
from worker.pipeline.reports import (
    Counted,
    Figures,
    Redeemed,
    count_figures,
    figures_of,
    keep_figures,
)
from worker.rules.reporting import WITHIN, first_day, month_of
from worker.rules.states import Certainty, CouponState
from worker.store.channels import Channel
from worker.store.customers import Customer, CustomerStanding, OrderStanding, RankHistory
from worker.store.engine import writing
from worker.store.orders import OrderRow
from worker.store.reports import ReportCount
from worker.store.rewards import CouponCode, CouponPool

TODAY = date(2026, 11, 22)
_CHANNELS = ("own:main", "rakuten:main", "amazon:main")


class Bought(NamedTuple):
    """One order of the history, as the slow computation sees it."""

    key: int
    person: int
    channel: str
    day: date
    total: int
    counts: bool
    dollars: bool


_RANDOM = st.lists(
    st.tuples(
        st.integers(0, 3),  # person
        st.sampled_from(_CHANNELS),
        st.integers(0, 400),  # days ago
        st.integers(0, 9000),  # total
        st.sampled_from([True, True, True, False]),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=25,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=_RANDOM)
def test_any_history_is_reported_as_by_hand(
    engine: sa.Engine, history: list[tuple[int, str, int, int, bool, bool]]
) -> None:
    with writing(engine) as session:
        ledger, people, bought = _write(session, history)
        found = count_figures(session, ledger.ctx, NOW)
        _sales_as_by_hand(ledger, found, bought)
        _cohorts_as_by_hand(ledger, found, bought)
        _top_as_by_hand(found, people, bought)


def _write(
    session: Session, history: list[tuple[int, str, int, int, bool, bool]]
) -> tuple[Ledger, list[int], list[Bought]]:
    for model in (RankHistory, OrderStanding, CustomerStanding, OrderRow, Customer, Channel):
        session.execute(sa.delete(model))
    ledger = Ledger(session)
    for name in _CHANNELS:
        ledger.channel(name)
    people = [ledger.customer() for _ in range(4)]
    bought = []
    for person, channel, ago, total, counts, dollars in history:
        owner = None if channel.startswith("amazon") else people[person]
        day = TODAY - timedelta(days=ago)
        states = {} if counts else {"life": "cancelled"}
        money = {"currency": "USD"} if dollars else {}
        key = ledger.order(owner, day.isoformat(), total, channel=channel, **states, **money)
        bought.append(Bought(key, owner or 0, channel, day, total, counts, dollars))
    ledger.rank()
    return ledger, people, bought


def _visits(bought: list[Bought]) -> dict[int, list[Bought]]:
    """Each person's visits, one a day, with the order that comes first in it."""
    days: dict[int, dict[date, Bought]] = defaultdict(dict)
    for each in sorted(bought, key=lambda b: (b.day, b.channel, f"n{b.key:09}")):
        if each.counts and each.person:
            days[each.person].setdefault(each.day, each)
    return {person: list(by_day.values()) for person, by_day in days.items()}


def _sales_as_by_hand(ledger: Ledger, found: Figures, bought: list[Bought]) -> None:
    orders: Counter[tuple[int, int, str]] = Counter()
    spend: Counter[int] = Counter()
    own: Counter[str] = Counter()
    for each in bought:
        if each.counts:
            currency = "USD" if each.dollars else "JPY"
            month = month_of(each.day)
            orders[month, ledger.channels[each.channel], currency] += 1
            spend[month] += 0 if each.dollars else each.total
            own[currency] += each.total
    told_orders: Counter[tuple[int, int, str]] = Counter()
    told_spend: Counter[int] = Counter()
    told_own: Counter[str] = Counter()
    for row in found.sold:
        told_orders[row.month, row.channel_id, row.currency] += row.orders
        told_spend[row.month] += row.spend
        told_own[row.currency] += row.own
    assert (told_orders, +told_spend, +told_own) == (orders, +spend, +own)
    firsts = sum(1 for _ in _visits(bought))
    nobody = sum(1 for each in bought if each.counts and not each.person)
    assert sum(row.orders for row in found.sold if row.again is False) == firsts
    assert sum(row.orders for row in found.sold if row.again is None) == nobody
    early = sum(1 for each in bought if each.counts and each.day.day <= TODAY.day)
    assert sum(row.orders for row in found.sold if row.early) == early
    ranks = Counter(ledger.standing(b.key).rank for b in bought if b.counts and b.person)
    told = Counter[str | None]()
    for row in found.sold:
        told[row.rank] += row.orders
    assert +told == +(ranks + Counter({None: nobody}))


def _cohorts_as_by_hand(ledger: Ledger, found: Figures, bought: list[Bought]) -> None:
    people: Counter[tuple[int, int]] = Counter()
    came: Counter[tuple[int, int, int]] = Counter()
    waits: dict[int, list[int]] = defaultdict(list)
    for visits in _visits(bought).values():
        first = visits[0]
        place = month_of(first.day), ledger.channels[first.channel]
        people[place] += 1
        for number, later in enumerate(visits[1:10], start=2):
            waits[number].append((later.day - first.day).days)
        if len(visits) > 1:
            days = (visits[1].day - first.day).days
            came.update((*place, limit) for limit in WITHIN if days <= limit)
    assert Counter({(c.month, c.channel_id): c.people for c in found.cohorts}) == people
    told = Counter(
        {
            (c.month, c.channel_id, limit): number
            for c in found.cohorts
            for limit, number in zip(WITHIN, c.came, strict=True)
        }
    )
    assert +told == came
    half = {number: sorted(days)[(len(days) - 1) // 2] for number, days in waits.items()}
    assert {nth.number: (nth.people, nth.half) for nth in found.nth} == {
        number: (len(days), half[number]) for number, days in waits.items()
    }


def _top_as_by_hand(found: Figures, people: list[int], bought: list[Bought]) -> None:
    for months in (6, 12, 24):
        since = first_day(month_of(TODAY) - months + 1)
        spend: Counter[int] = Counter(dict.fromkeys(people, 0))
        seen = set()
        for each in bought:
            if each.counts and each.person and each.day >= since:
                spend[each.person] += 0 if each.dollars else each.total
                seen.add(each.person)
        top = next(t for t in found.top if (t.months, t.channel_id) == (months, None))
        assert top.spend == spend.total()
        largest = sorted(seen, key=lambda person: (-spend[person], person))
        assert [(row[0], row[2]) for row in top.people] == [(p, spend[p]) for p in largest]


# --- what is told apart ---------------------------------------------------------------------


@pytest.fixture
def ledger(session: Session) -> Ledger:
    made = Ledger(session)
    made.channel("own:main")
    return made


def test_each_order_of_a_day_is_a_visit_where_the_shop_counts_so(ledger: Ledger) -> None:
    person = ledger.customer()
    for _ in range(2):
        ledger.order(person, "2026-11-01")
    ledger.rank()
    assert count_figures(ledger.session, ledger.ctx, NOW).nth == ()
    ledger.ctx = with_shop(ledger.ctx, counting={"visits": "each"})
    assert [n.half for n in count_figures(ledger.session, ledger.ctx, NOW).nth] == [0]


def test_a_first_order_that_may_be_none_is_told_apart(ledger: Ledger) -> None:
    person = ledger.customer()
    ledger.order(person, "2026-10-01")
    ledger.order(person, "2026-11-01")
    ledger.rank()
    for standing in ledger.session.scalars(sa.select(OrderStanding)):
        standing.certainty = Certainty.UNCERTAIN
    ledger.session.flush()
    found = count_figures(ledger.session, ledger.ctx, NOW)
    assert [(c.unsure, c.people) for c in found.cohorts] == [(True, 1)]
    assert found.nth == ()
    assert all(row.unsure for row in found.sold)


def test_a_month_of_ranks_is_told_by_month_and_as_a_whole(ledger: Ledger) -> None:
    old, risen, new = (ledger.customer() for _ in range(3))
    for person, day in ((old, "2026-09-01"), (risen, "2026-10-05"), (new, "2026-11-05")):
        ledger.order(person, day)
    ledger.rank(now=datetime(2026, 11, 6, tzinfo=ledger.ctx.zone))
    ledger.order(risen, "2026-11-07")
    ledger.order(new, "2026-11-08")
    ledger.rank(risen, new, now=datetime(2026, 11, 9, tzinfo=ledger.ctx.zone))
    found = count_figures(ledger.session, ledger.ctx, NOW)
    november = month_of(TODAY)
    moved = [(m.month, m.from_rank, m.to_rank, m.changes) for m in found.moves]
    assert moved == [(november, "first", "repeat", 2)]
    assert found.net_moves == (("first", "repeat", 1),)
    assert sorted(found.ranks) == [("first", 1, 0), ("repeat", 2, 1)]


def test_who_was_merged_into_another_has_no_rank_that_moves(ledger: Ledger) -> None:
    kept, gone = ledger.customer(), ledger.customer()
    ledger.session.add(
        RankHistory(customer_id=gone, scope="*", at=NOW, from_rank="first", to_rank="repeat",
                    cause="order")
    )  # fmt: skip
    ledger.session.get_one(Customer, gone).merged_into = kept
    ledger.session.flush()
    assert count_figures(ledger.session, ledger.ctx, NOW).moves == ()


def test_dormant_people_stand_in_the_step_they_have_reached(ledger: Ledger) -> None:
    for ago, spend in ((179, 1), (181, 10), (366, 100), (731, 1000)):
        day = TODAY - timedelta(days=ago)
        ledger.order(ledger.customer(), day.isoformat(), spend)
    ledger.rank()
    found = count_figures(ledger.session, ledger.ctx, NOW)
    assert sorted(found.dormant) == [
        ("first", 0, 1, 10),
        ("first", 1, 1, 100),
        ("first", 2, 1, 1000),
    ]


def test_revenue_by_coupon_is_proved_by_the_code_of_the_order(ledger: Ledger) -> None:
    ledger.channel("rakuten:main")
    pool = CouponPool(name="five", value=500, created_at=NOW)
    mall = CouponPool(
        name="mall", value=300, shared_code="THANKS27", created_at=NOW,
        channel_id=ledger.channels["rakuten:main"],
    )  # fmt: skip
    ledger.session.add_all([pool, mall])
    ledger.session.flush()
    digest = code_hash(ledger.ctx, "ABCD-1234")
    code = CouponCode(
        pool_id=pool.id, code_hash=digest, cipher="", last4="1234", state=CouponState.USED,
        changed_at=NOW,
    )  # fmt: skip
    ledger.session.add(code)
    person = ledger.customer()
    for written, channel in (
        ("ABCD-1234", "own:main"),
        ("OTHER, ABCD-1234", "own:main"),
        ("SALE", "own:main"),
        ("THANKS27", "own:main"),
        ("THANKS27", "rakuten:main"),
    ):
        ledger.order(person, "2026-11-02", 1000, channel=channel, coupon_code=written)
    ledger.order(person, "2026-11-03", 9000, coupon_code="ABCD-1234", life="cancelled")
    found = count_figures(ledger.session, ledger.ctx, NOW)
    month = month_of(date(2026, 11, 1))
    own, rakuten = ledger.channels["own:main"], ledger.channels["rakuten:main"]
    assert found.redeemed == (
        Redeemed(month, own, "", 2, 2000),
        Redeemed(month, own, "five", 2, 2000),
        Redeemed(month, rakuten, "mall", 1, 1000),
    )
    assert found.codes == (("five", "used", 1),)


def test_a_large_ledger_shows_what_was_kept_and_a_small_one_counts(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = ledger.customer()
    ledger.order(person, "2026-11-01")
    ledger.rank()
    session, later = ledger.session, NOW + timedelta(hours=3)
    first = count_figures(session, ledger.ctx, NOW)
    keep_figures(session, first, NOW)
    ledger.order(person, "2026-11-20")
    ledger.rank(person)
    now_counted = count_figures(session, ledger.ctx, later)
    assert now_counted != first
    assert figures_of(session, ledger.ctx, later) == Counted(now_counted, later, kept=False)
    monkeypatch.setattr(reports, "SMALL", 0)
    assert figures_of(session, ledger.ctx, later) == Counted(first, NOW, kept=True)
    session.execute(sa.delete(ReportCount))
    assert figures_of(session, ledger.ctx, later) is None
