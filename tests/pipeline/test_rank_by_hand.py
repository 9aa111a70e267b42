"""Any random history is numbered and ranked as a slow, plain computation does it."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.ledger import NOW, Ledger
from tests.pipeline.naive_ranks import Bought, Expected, expected
from worker.store.channels import Channel
from worker.store.customers import Customer, CustomerStanding, OrderStanding, RankHistory
from worker.store.engine import writing
from worker.store.orders import OrderRow

_RANDOM = st.lists(
    st.tuples(
        st.integers(0, 1),  # person
        st.sampled_from(["own:main", "own:B", "rakuten:main"]),
        st.integers(0, 90),  # day
        st.sampled_from([0, 1]),  # hour: ties are common
        st.integers(0, 9000),  # total
        st.sampled_from(["counts", "counts", "counts", "waits", "cancelled"]),
    ),
    max_size=14,
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=_RANDOM)
def test_any_history_is_numbered_as_by_hand(
    engine: sa.Engine, history: list[tuple[int, str, int, int, int, str]]
) -> None:
    with writing(engine) as session:
        for model in (RankHistory, OrderStanding, CustomerStanding, OrderRow, Customer, Channel):
            session.execute(sa.delete(model))
        ledger = Ledger(session)
        for name in ("own:main", "own:B", "rakuten:main"):
            ledger.channel(name)
        people = [ledger.customer(), ledger.customer()]
        bought = [_buy(ledger, people, *each) for each in history]
        ledger.rank()
        want, _ = expected(bought, ledger.ctx.documents.ladder, NOW.date())
        for each in bought:
            row = ledger.standing(int(each.key))
            found = Expected(row.ordinal, row.visit_number, row.rank)
            assert found == want[each.key]


def _buy(
    ledger: Ledger,
    people: list[int],
    person: int,
    channel: str,
    day: int,
    hour: int,
    total: int,
    kind: str,
) -> Bought:
    at = datetime(2026, 1, 1, hour, tzinfo=ledger.ctx.zone) + timedelta(days=day)
    states = {
        "counts": {},
        "waits": {"payment": "unpaid", "payment_kind": "prepayment"},
        "cancelled": {"life": "cancelled"},
    }[kind]
    key = ledger.order(
        people[person], at.replace(tzinfo=None).isoformat(), total, channel=channel, **states
    )
    return Bought(
        key=str(key),
        person=str(person),
        scope="own" if channel.startswith("own") else channel,
        at=at,
        day=at.date(),
        channel=channel,
        number=ledger.session.get_one(OrderRow, key).number,
        counts=kind == "counts",
        waits=kind == "waits",
        spend=total if kind == "counts" else 0,
    )
