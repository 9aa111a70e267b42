"""No order of events gives a milestone twice (P7)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.ledger import NOW, Ledger, with_shop
from worker.pipeline.merging import merge, unmerge
from worker.pipeline.rewards import (
    settle_rewards,
)
from worker.rules.shop import MilestonePlan, Milestones, Reward
from worker.rules.states import MailKind
from worker.store.customers import Customer
from worker.store.engine import open_engine, writing
from worker.store.migrate import upgrade
from worker.store.orders import OrderRow
from worker.store.rewards import Grant

START = datetime(2026, 1, 1, tzinfo=UTC)


def _settle(ledger: Ledger, *customers: int) -> None:
    ledger.rank(*customers)
    settle_rewards(ledger.session, ledger.ctx, NOW, customer_ids=customers)
    ledger.session.expire_all()


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["order", "late", "ship", "cancel", "return", "merge", "scopes", "again"]),
        st.integers(0, 40),
    ),
    max_size=40,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_STEPS)
def test_no_order_of_events_gives_a_milestone_twice(
    steps: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('once') / 'ledger.db'}"
    upgrade(url, backup_dir=None)
    engine = open_engine(url)
    with writing(engine) as session:
        ledger = Ledger(session)
        for name in ("own:main", "rakuten:main"):
            ledger.channel(name)
            ledger.active(name, MailKind.MILESTONE, START)
        plan = MilestonePlan(numbers=(2, 3), every=0, rewards={"2": Reward(), "3": Reward()})
        documents = replace(ledger.ctx.documents, milestones=Milestones(default=plan))
        ledger.ctx = replace(ledger.ctx, documents=documents)
        people = [ledger.customer(), ledger.customer()]
        merged: list[int] = []
        for what, pick in steps:
            _step(ledger, people, merged, what, pick)
            _settle(ledger, *people)
            _assert_once(ledger)
    engine.dispose()


def _step(ledger: Ledger, people: list[int], merged: list[int], what: str, pick: int) -> None:
    session = ledger.session
    orders = session.scalars(sa.select(OrderRow.id).order_by(OrderRow.id)).all()
    if what in ("order", "late"):
        day = f"2026-{2 + pick % 8:02d}-{pick % 28 + 1:02d}"
        channel = "rakuten:main" if pick % 5 == 0 else "own:main"
        person = people[0] if merged else people[pick % 2]
        ledger.order(person, day, channel=channel)
    elif what == "merge":
        if merged:
            unmerge(session, ledger.ctx, merged.pop(), "mori", NOW)
        else:
            merged.append(merge(session, ledger.ctx, people[0], people[1], "same", "mori", NOW))
        session.expire_all()
    elif what == "scopes":
        both = {"all": ("own:main", "rakuten:main")} if pick % 2 else {}
        ledger.ctx = with_shop(ledger.ctx, scopes=both)
    elif orders and what in ("ship", "cancel", "return"):
        change = {
            "ship": {"fulfilment": "shipped"},
            "cancel": {"life": "cancelled"},
            "return": {"fulfilment": "returned"},
        }[what]
        ledger.change(orders[pick % len(orders)], **change)


def _assert_once(ledger: Ledger) -> None:
    """No two live grants of one person, unless both were earned while two people stood there."""
    root = {
        row.id: row.merged_into or row.id for row in ledger.session.scalars(sa.select(Customer))
    }
    live: dict[tuple[int, int], list[Grant]] = {}
    for grant in ledger.session.scalars(sa.select(Grant)):
        if grant.state.value in ("reserved", "earned", "used"):
            live.setdefault((root[grant.customer_id], grant.milestone), []).append(grant)
    for grants in live.values():
        for one in grants:
            for other in grants:
                if one.id < other.id and set(one.channel_ids) & set(other.channel_ids):
                    assert one.customer_id != other.customer_id
                    assert "reserved" not in (one.state.value, other.state.value)
