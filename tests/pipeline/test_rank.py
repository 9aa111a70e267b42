"""Numbers and ranks follow the orders, whatever happens to them (P11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.pipeline.ledger import NOW, Ledger, context, with_shop
from worker.pipeline.opening import add_opening_count
from worker.pipeline.rank import UnknownRank, pin, rank_all, unpin
from worker.rules.rank_words import rank_words
from worker.rules.shop import Ladder
from worker.store.customers import Customer, CustomerStanding, OrderStanding, RankHistory
from worker.store.engine import writing
from worker.store.orders import OrderRow


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with writing(engine) as session:
        made = Ledger(session)
        made.channel("own:main")
        yield made


def _ranks(ledger: Ledger, *orders: int) -> list[str | None]:
    return [ledger.standing(each).rank for each in orders]


def test_each_order_knows_its_place(ledger: Ledger) -> None:
    anna = ledger.customer()
    orders = [ledger.order(anna, f"2026-0{month}-01") for month in (1, 2, 3)]
    ledger.rank(anna)
    assert ledger.numbers(*orders) == [(1, 1, 1), (2, 2, 2), (3, 3, 3)]
    assert _ranks(ledger, *orders) == ["first", "repeat", "repeat"]


def test_two_orders_of_one_day_are_one_visit(ledger: Ledger) -> None:
    anna = ledger.customer()
    orders = [
        ledger.order(anna, "2026-01-01T10:00"),
        ledger.order(anna, "2026-01-01T23:59"),
        ledger.order(anna, "2026-01-02T00:00"),
    ]
    ledger.rank(anna)
    assert ledger.numbers(*orders) == [(1, 1, 1), (2, 1, 2), (3, 2, 3)]
    ledger.ctx = with_shop(ledger.ctx, counting={"visits": "each"})
    ledger.rank(anna)
    assert [numbers[1] for numbers in ledger.numbers(*orders)] == [1, 2, 3]


def test_orders_of_one_moment_stand_by_channel_then_number(ledger: Ledger) -> None:
    ledger.channel("own:B")
    anna = ledger.customer()
    late = ledger.order(anna, "2026-01-01", channel="own:main", number="2")
    soon = ledger.order(anna, "2026-01-01", channel="own:main", number="10")
    # Compared byte by byte: "own:B" stands before "own:main", "10" before "2".
    first = ledger.order(anna, "2026-01-01", channel="own:B", number="9")
    ledger.rank(anna)
    assert [numbers[0] for numbers in ledger.numbers(first, soon, late)] == [1, 2, 3]


def test_scopes_count_apart_and_over_all_together(ledger: Ledger) -> None:
    ledger.channel("rakuten:main")
    anna = ledger.customer()
    orders = [
        ledger.order(anna, "2026-01-01", channel="own:main"),
        ledger.order(anna, "2026-01-02", channel="rakuten:main"),
        ledger.order(anna, "2026-01-03", channel="own:main"),
    ]
    ledger.rank(anna)
    assert ledger.numbers(*orders) == [(1, 1, 1), (1, 1, 2), (2, 2, 3)]
    assert [ledger.customer_standing(anna, scope).count for scope in ("own", "rakuten:main")] == [
        2,
        1,
    ]
    assert ledger.customer_standing(anna, "*").rank == "repeat"


def test_an_unpaid_order_has_a_provisional_number_that_no_other_order_feels(
    ledger: Ledger,
) -> None:
    anna = ledger.customer()
    first = ledger.order(anna, "2026-01-01")
    waiting = ledger.order(anna, "2026-01-02T09:00", payment="unpaid", payment_kind="prepayment")
    third = ledger.order(anna, "2026-01-02T10:00")
    ledger.rank(anna)
    assert ledger.numbers(first, waiting, third) == [(1, 1, 1), (2, 2, 2), (2, 2, 2)]
    assert ledger.standing(waiting).certainty == "provisional"
    assert ledger.customer_standing(anna).count == 2
    ledger.change(waiting, payment="paid")
    ledger.rank(anna)
    assert ledger.numbers(first, waiting, third) == [(1, 1, 1), (2, 2, 2), (3, 2, 3)]
    assert ledger.standing(waiting).certainty == "proved"


def test_a_cancelled_order_leaves_its_number_to_the_next(ledger: Ledger) -> None:
    anna = ledger.customer()
    orders = [ledger.order(anna, f"2026-0{month}-01") for month in (1, 2, 3)]
    ledger.rank(anna)
    ledger.session.execute(sa.update(OrderRow).values(plan_due=False))
    ledger.change(orders[1], life="cancelled")
    ledger.rank(anna)
    assert ledger.numbers(*orders) == [(1, 1, 1), (None, None, None), (2, 2, 2)]
    due = ledger.session.scalars(sa.select(OrderRow.id).where(OrderRow.plan_due)).all()
    assert set(due) == {orders[1], orders[2]}, "waiting mails of what changed are looked at again"


def test_a_late_order_moves_the_later_ones(ledger: Ledger) -> None:
    anna = ledger.customer()
    later = ledger.order(anna, "2026-03-01")
    ledger.rank(anna)
    assert ledger.numbers(later) == [(1, 1, 1)]
    earlier = ledger.order(anna, "2026-01-01")
    ledger.rank(anna)
    assert ledger.numbers(earlier, later) == [(1, 1, 1), (2, 2, 2)]


def test_a_partial_refund_lowers_spend_and_not_the_count(ledger: Ledger) -> None:
    anna = ledger.customer()
    order = ledger.order(anna, "2026-01-01", 5000)
    ledger.change(order, payment="refunded_part", refunded=1500)
    ledger.rank(anna)
    standing = ledger.customer_standing(anna)
    assert (standing.count, standing.net_spend) == (1, 3500)


def test_free_orders_count_unless_configured(ledger: Ledger) -> None:
    anna = ledger.customer()
    free = ledger.order(anna, "2026-01-01", 0)
    ledger.rank(anna)
    assert ledger.numbers(free) == [(1, 1, 1)]
    ledger.ctx = with_shop(ledger.ctx, counting={"zero_amount": False})
    ledger.change(free, changed_at=NOW)
    ledger.rank(anna)
    assert ledger.numbers(free) == [(None, None, None)]


def test_later_deliveries_of_a_subscription_are_no_visits(ledger: Ledger) -> None:
    anna = ledger.customer()
    orders = [
        ledger.order(anna, f"2026-0{n}-01", 3000, subscription_number="s", delivery_count=n)
        for n in (1, 2, 3)
    ]
    bought = ledger.order(anna, "2026-04-01")
    ledger.rank(anna)
    assert [numbers[1] for numbers in ledger.numbers(*orders, bought)] == [1, None, None, 2]
    assert ledger.customer_standing(anna).net_spend == 10_000


def test_short_history_makes_numbers_uncertain_and_older_orders_prove_them(
    ledger: Ledger,
) -> None:
    ledger.channel("rakuten:main", since=None)
    anna, bert = ledger.customer(), ledger.customer()
    order = ledger.order(anna, "2026-03-01", channel="rakuten:main")
    ledger.rank()
    assert ledger.standing(order).certainty == "uncertain"
    ledger.order(bert, "2025-02-01", channel="rakuten:main")
    ledger.rank(now=NOW + timedelta(minutes=1))
    assert ledger.standing(order).certainty == "proved", "the reach moved for everybody"


def test_an_opening_count_is_added_and_makes_sure(ledger: Ledger) -> None:
    channel = ledger.channel("rakuten:main", since=None)
    anna = ledger.customer()
    order = ledger.order(anna, "2026-03-01", 2000, channel="rakuten:main")
    add_opening_count(
        ledger.session, ledger.ctx, anna, channel,
        count=7, spend=50_000, before=date(2026, 1, 1), source="staff", now=NOW,
    )  # fmt: skip
    ledger.rank()
    assert ledger.numbers(order) == [(8, 8, 8)]
    assert ledger.standing(order).certainty == "proved"
    older = ledger.order(anna, "2025-12-01", 3000, channel="rakuten:main")
    ledger.rank(anna)
    assert ledger.numbers(older, order) == [(7, 7, 7), (8, 8, 8)], "older orders are not told twice"
    assert ledger.customer_standing(anna, "rakuten:main").net_spend == 52_000


def test_an_unsure_identity_makes_every_number_uncertain(ledger: Ledger) -> None:
    anna = ledger.customer(identity_unsure=True)
    order = ledger.order(anna, "2026-01-01")
    ledger.rank(anna)
    assert ledger.standing(order).certainty == "uncertain"


def test_a_large_first_order_is_no_vip_and_the_reason_is_words(ledger: Ledger) -> None:
    anna = ledger.customer()
    first = ledger.order(anna, "2026-01-01", 500_000)
    orders = [ledger.order(anna, f"2026-0{month}-01", 1200) for month in (2, 3)]
    ledger.rank(anna)
    assert _ranks(ledger, first, *orders) == ["first", "repeat", "vip"]
    ladder = ledger.ctx.documents.ladder
    facts = ledger.standing(orders[1]).facts
    assert rank_words("vip", facts, ladder, "ja") == "VIP: 12か月に3回、502,400円"
    assert rank_words("vip", facts, ladder, "en") == "VIP: 3 orders and ¥502,400 in 12 months"


def test_a_rank_falls_on_the_judging_day_by_itself(ledger: Ledger) -> None:
    anna = ledger.customer()
    for day in ("2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08", "2024-01-09"):
        ledger.order(anna, day, 10_000)
    before = datetime(2025, 12, 31, 3, tzinfo=UTC)
    ledger.rank(anna, now=before)
    standing = ledger.customer_standing(anna)
    # The fifth last order leaves the window on 5 January 2026; lower for 30 days on 1 March.
    assert (standing.rank, standing.next_change_at) == (
        "vip",
        datetime(2026, 3, 1, tzinfo=ledger.ctx.zone),
    )
    assert ledger.rank(now=datetime(2026, 2, 28, 14, 59, tzinfo=UTC)).customers == 0
    assert ledger.rank(now=datetime(2026, 2, 28, 15, 0, tzinfo=UTC)).demoted == 2
    assert ledger.customer_standing(anna).rank == "repeat"
    row = ledger.session.scalars(sa.select(RankHistory).where(RankHistory.scope == "own")).one()
    assert (row.from_rank, row.to_rank, row.cause) == ("vip", "repeat", "judging_day")
    assert ledger.customer_standing(anna).next_change_at is None


def test_a_pin_wins_until_its_last_day_is_over(ledger: Ledger) -> None:
    anna = ledger.customer()
    ledger.order(anna, "2026-01-01")
    ledger.rank(anna)
    session, ctx = ledger.session, ledger.ctx
    pin(session, ctx, anna, "own", "vip", date(2026, 12, 31), "mori", "press", NOW)
    assert ledger.customer_standing(anna).rank == "vip"
    pinned = ledger.order(anna, "2026-12-31T23:00")
    free = ledger.order(anna, "2027-01-01T00:00")
    ledger.rank(anna)
    assert _ranks(ledger, pinned, free) == ["vip", "repeat"]
    over = ledger.customer_standing(anna).next_change_at
    assert over == datetime(2027, 1, 1, tzinfo=ctx.zone)
    ledger.rank(now=over)
    assert ledger.customer_standing(anna).rank == "repeat"
    causes = ledger.session.scalars(sa.select(RankHistory.cause).order_by(RankHistory.id)).all()
    assert set(causes) == {"pin", "pin_ended", "order"}, "the overall rank rose by the order"


def test_a_pin_of_an_unknown_rank_is_refused_and_unpin_gives_the_ladder_back(
    ledger: Ledger,
) -> None:
    anna = ledger.customer()
    ledger.order(anna, "2026-01-01")
    with pytest.raises(UnknownRank, match="no rank 'gold'"):
        pin(ledger.session, ledger.ctx, anna, "own", "gold", None, "mori", "", NOW)
    pin(ledger.session, ledger.ctx, anna, "own", "vip", None, "mori", "", NOW)
    unpin(ledger.session, ledger.ctx, anna, "own", "mori", NOW)
    ledger.session.expire_all()
    assert ledger.customer_standing(anna).rank == "first"


def test_merged_customers_count_together_and_apart_again(ledger: Ledger) -> None:
    anna, double = ledger.customer(), ledger.customer()
    mine = ledger.order(anna, "2026-01-01")
    theirs = ledger.order(double, "2026-02-01")
    ledger.rank()
    assert ledger.numbers(mine, theirs) == [(1, 1, 1), (1, 1, 1)]
    _point(ledger, theirs, double, merged_into=anna)
    ledger.rank(anna, double)
    assert ledger.numbers(mine, theirs) == [(1, 1, 1), (2, 2, 2)]
    left = sa.select(sa.func.count()).where(CustomerStanding.customer_id == double)
    assert ledger.session.scalar(left) == 0
    ledger.session.execute(sa.update(Customer).values(merged_into=None))
    ledger.session.get_one(OrderRow, theirs).customer_id = double
    ledger.session.flush()
    ledger.rank(anna, double)
    assert ledger.numbers(mine, theirs) == [(1, 1, 1), (1, 1, 1)]


def _point(ledger: Ledger, order: int, merged: int, merged_into: int) -> None:
    ledger.session.get_one(OrderRow, order).customer_id = merged_into
    ledger.session.get_one(Customer, merged).merged_into = merged_into
    ledger.session.flush()


def test_a_second_ranking_writes_nothing(ledger: Ledger) -> None:
    anna = ledger.customer()
    for month in (1, 2, 3):
        ledger.order(anna, f"2026-0{month}-01", 40_000)
    assert ledger.rank().changed_orders == 3
    again = ledger.rank(anna, now=NOW + timedelta(hours=1))
    assert (again.changed_orders, again.changed_customers) == (0, 0)
    assert ledger.rank().customers == 0, "nobody is due any more"


def test_a_changed_ladder_puts_everybody_on_the_list(ledger: Ledger) -> None:
    anna = ledger.customer()
    orders = [ledger.order(anna, f"2026-0{month}-01") for month in (1, 2)]
    ledger.rank()
    ladder = ledger.ctx.documents.ladder
    only = Ladder(rungs=(replace(ladder.rungs[2], id="everybody"),))
    ledger.ctx = replace(ledger.ctx, documents=replace(ledger.ctx.documents, ladder=only))
    assert ledger.rank().customers == 1
    assert _ranks(ledger, *orders) == ["everybody", "everybody"]


def test_redrawn_scopes_renumber_and_leave_no_stray_standing(ledger: Ledger) -> None:
    ledger.channel("rakuten:main")
    anna = ledger.customer()
    orders = [
        ledger.order(anna, "2026-01-01", channel="own:main"),
        ledger.order(anna, "2026-01-02", channel="rakuten:main"),
    ]
    ledger.rank()
    ledger.ctx = with_shop(ledger.ctx, scopes={"all": ("own:main", "rakuten:main")})
    ledger.rank()
    assert ledger.numbers(*orders) == [(1, 1, 1), (2, 2, 2)]
    scopes = ledger.session.scalars(sa.select(CustomerStanding.scope)).all()
    assert sorted(scopes) == ["*", "all"]


def test_ranking_everybody_equals_ranking_one_by_one(engine: sa.Engine) -> None:
    with writing(engine) as session:
        ledger = Ledger(session, context())
        ledger.channel("own:main")
        people = [ledger.customer() for _ in range(5)]
        for n in range(30):
            ledger.order(people[n % 5 if n % 7 else 0], f"2026-{n % 10 + 1:02d}-11", 9000 + n)

    rank_all(lambda: writing(engine), ledger.ctx, NOW)
    everybody = _all(engine)
    with writing(engine) as session:
        session.execute(sa.delete(OrderStanding))
        session.execute(sa.delete(CustomerStanding))
        for person in people:
            Ledger(session, ledger.ctx).rank(person)
    assert len(everybody[0]) == 30
    assert _all(engine) == everybody


def _all(engine: sa.Engine) -> tuple[list[sa.Row[tuple[object, ...]]], ...]:
    with Session(engine) as session:
        return tuple(
            list(
                session.execute(
                    sa.select(*model.__table__.c).order_by(*model.__table__.primary_key)
                )
            )
            for model in (OrderStanding, CustomerStanding)
        )
