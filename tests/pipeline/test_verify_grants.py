"""Two rewards of one person: found, unless each was earned before the two were known to be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.pipeline.ledger import NOW, Ledger
from worker.pipeline.merging import merge, unmerge
from worker.pipeline.rewards import settle_rewards
from worker.pipeline.verify_grants import doubled_grants
from worker.rules.shop import MilestonePlan, Milestones, Reward
from worker.rules.states import GrantState, MailKind
from worker.store.customers import Customer
from worker.store.engine import writing
from worker.store.rewards import Grant

BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)


@pytest.fixture
def ledger(engine: sa.Engine) -> Iterator[Ledger]:
    with writing(engine) as session:
        made = Ledger(session)
        made.channel("own:main")
        yield made


def _grant(session: Session, customer: int, scope: str = "own", **values: Any) -> Grant:
    fields: dict[str, Any] = {"state": GrantState.EARNED, "earned_at": BEFORE, "channel_ids": [1]}
    row = Grant(customer_id=customer, scope=scope, milestone=5, changed_at=NOW, **(fields | values))
    session.add(row)
    session.flush()
    return row


def test_each_earned_it_before_they_were_merged(ledger: Ledger) -> None:
    session = ledger.session
    anna, double = ledger.customer(), ledger.customer()
    _grant(session, anna)
    second = _grant(session, double)
    merge(session, ledger.ctx, anna, double, "same", "mori", NOW)
    assert doubled_grants(session) == []
    second.earned_at = AFTER
    session.flush()
    assert doubled_grants(session) == [anna]
    second.earned_at, second.state = None, GrantState.RESERVED
    session.flush()
    assert doubled_grants(session) == [anna]


def test_a_merge_that_was_undone_excuses_nothing(ledger: Ledger) -> None:
    session = ledger.session
    anna, double = ledger.customer(), ledger.customer()
    _grant(session, anna)
    _grant(session, double)
    undone = merge(session, ledger.ctx, anna, double, "same", "mori", NOW)
    unmerge(session, ledger.ctx, undone, "mori", NOW)
    assert doubled_grants(session) == []
    session.get_one(Customer, double).merged_into = anna
    session.flush()
    assert doubled_grants(session) == [anna], "joined without a merge in force"


def test_people_merged_over_several_steps(ledger: Ledger) -> None:
    session, ctx = ledger.session, ledger.ctx
    anna, middle, last = ledger.customer(), ledger.customer(), ledger.customer()
    merge(session, ctx, middle, last, "same", "mori", NOW)
    between = NOW + timedelta(hours=1)
    _grant(session, last, earned_at=between)
    _grant(session, anna, earned_at=between)
    merge(session, ctx, anna, middle, "same", "mori", AFTER)
    assert doubled_grants(session) == []
    _grant(session, middle, earned_at=between)
    assert doubled_grants(session) == [anna], "two of them were one person already"


def test_a_redrawn_scope_hides_nothing(ledger: Ledger) -> None:
    anna = ledger.customer()
    _grant(ledger.session, anna)
    _grant(ledger.session, anna, "all")
    assert doubled_grants(ledger.session) == [anna]


def test_settling_after_a_merge_leaves_what_verify_accepts(ledger: Ledger) -> None:
    plan = MilestonePlan(numbers=(2,), every=0, rewards={"2": Reward(card=False)})
    ledger.active("own:main", MailKind.MILESTONE, NOW - timedelta(days=365))
    documents = replace(ledger.ctx.documents, milestones=Milestones(default=plan))
    ledger.ctx = replace(ledger.ctx, documents=documents)
    people = [ledger.customer(), ledger.customer()]
    for person in people:
        for day in ("2026-02-01", "2026-03-01"):
            ledger.order(person, day, fulfilment="shipped")
    ledger.rank(*people)
    settle_rewards(ledger.session, ledger.ctx, BEFORE, customer_ids=people)
    merge(ledger.session, ledger.ctx, people[0], people[1], "same", "mori", NOW)
    ledger.rank(*people)
    settle_rewards(ledger.session, ledger.ctx, AFTER, customer_ids=people)
    assert doubled_grants(ledger.session) == []
    states = ledger.session.scalars(sa.select(Grant.state)).all()
    assert states == [GrantState.EARNED, GrantState.EARNED]
