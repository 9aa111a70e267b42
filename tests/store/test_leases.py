"""Leases: one owner at a time by the database's clock, and late owners are told apart."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests.factories import NOW
from worker.store.engine import writing
from worker.store.leases import (
    DatabaseLater,
    acquire,
    holding,
    living_owner,
    release,
    renew,
)
from worker.store.types import DatabaseNow


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on an empty store of its own."""
    with writing(engine) as opened:
        yield opened


def test_a_living_lease_keeps_others_out(session: Session) -> None:
    assert acquire(session, "poll:1", "a", 60) == 1
    assert acquire(session, "poll:1", "b", 60) is None
    assert acquire(session, "poll:2", "b", 60) == 1
    assert living_owner(session, "poll:1") == "a"


def test_the_owner_may_take_it_again_which_counts_the_token_up(session: Session) -> None:
    assert [acquire(session, "x", "a", 60) for _ in range(3)] == [1, 2, 3]


def test_a_dead_lease_is_taken_and_its_late_owner_told_apart(session: Session) -> None:
    late = acquire(session, "x", "a", -1)
    assert late == 1
    assert living_owner(session, "x") is None
    assert acquire(session, "x", "b", 60) == 2
    assert renew(session, "x", late, 60) is False
    release(session, "x", late)
    assert living_owner(session, "x") == "b"


def test_a_released_lease_is_free_but_goes_on_counting(session: Session) -> None:
    token = acquire(session, "x", "a", 60)
    assert token is not None
    assert renew(session, "x", token, 60) is True
    release(session, "x", token)
    assert acquire(session, "x", "b", 60) == 2


def test_a_machine_with_a_wrong_clock_steals_no_lease(session: Session) -> None:
    acquire(session, "x", "a", 60)
    with time_machine.travel(NOW + timedelta(days=365), tick=False):
        assert acquire(session, "x", "b", 60) is None


def test_the_databases_later_is_its_now_and_so_many_seconds(session: Session) -> None:
    now, later, before = session.execute(
        select(DatabaseNow(), DatabaseLater(90.5), DatabaseLater(-3600))
    ).one()
    assert abs((later - now) - timedelta(seconds=90.5)) < timedelta(seconds=0.1)
    assert abs((now - before) - timedelta(hours=1)) < timedelta(seconds=0.1)


def test_holding_gives_back_at_the_end_and_after_an_error(engine: Engine) -> None:
    with holding(engine, "sweep", "a", 60) as token:
        assert token == 1
        with holding(engine, "sweep", "b", 60) as other:
            assert other is None
    with pytest.raises(KeyError), holding(engine, "sweep", "a", 60):
        raise KeyError
    with holding(engine, "sweep", "b", 60) as free:
        assert free == 3


def test_a_short_lease_runs_out_by_itself(engine: Engine) -> None:
    with writing(engine) as session:
        acquire(session, "x", "a", 0.2)
    time.sleep(0.3)
    with writing(engine) as session:
        assert acquire(session, "x", "b", 60) == 2
