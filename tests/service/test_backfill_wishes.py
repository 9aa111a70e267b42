"""The past that somebody at the desk asked for is read in short runs, and may be stopped."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.contract import NeedsPerson
from tests.connectors.loopback import told
from tests.factories import NOW, make_channel
from tests.service.test_backfill import SINCE, begun, history
from tests.service.test_live_channels import NAME, channel, numbers
from tests.toy_shop import ToyServer, toy
from worker.backfill_wishes import BUDGET_SECONDS, fulfil_wishes
from worker.pipeline.backfill_wish import (
    Standing,
    Wish,
    backfill_standing,
    stop_backfill,
    wish_backfill,
    wish_of,
)
from worker.pipeline.channel_admin import pause, resume
from worker.runtime import Runtime
from worker.store.channels import StreamState
from worker.store.leases import acquire
from worker.store.running import Audit

__all__ = ["toy"]


def wish(runtime: Runtime, since: datetime | None = SINCE) -> None:
    with runtime.transaction() as session:
        wish_backfill(session, NAME, since, "森本", NOW)


def stands(runtime: Runtime) -> tuple[Wish | None, Standing | None]:
    row = channel(runtime)
    return wish_of(row), backfill_standing(row)


def test_a_wish_is_fulfilled_and_forgotten(runtime: Runtime, toy: ToyServer) -> None:
    history(toy)
    begun(runtime, toy)
    assert fulfil_wishes(runtime, NOW) == 0
    wish(runtime)
    assert fulfil_wishes(runtime, NOW) == 1
    assert len(numbers(runtime)) == 9
    assert stands(runtime) == (None, None)
    with runtime.look() as session:
        rows = session.execute(select(Audit.by, Audit.action)).all()
    assert ("森本", "channel_backfill") in [tuple(row) for row in rows]


def test_a_long_past_takes_several_runs_and_tells_how_far_it_is(
    runtime: Runtime, toy: ToyServer
) -> None:
    history(toy)
    begun(runtime, toy)
    wish(runtime)
    ticks = iter(range(0, 10_000, int(BUDGET_SECONDS) + 1))

    fulfil_wishes(runtime, NOW, seconds=lambda: float(next(ticks)))

    asked, far = stands(runtime)
    assert asked == Wish(NAME, SINCE, "森本")
    assert far is not None
    assert (far.pages, far.at) == (1, NOW)
    assert 0.0 < far.part < 1.0
    fulfil_wishes(runtime, NOW)
    assert stands(runtime) == (None, None)
    assert len(numbers(runtime)) == 9


def test_a_wish_that_is_withdrawn_stops_behind_the_page_in_hand(
    runtime: Runtime, toy: ToyServer
) -> None:
    history(toy)
    begun(runtime, toy)
    wish(runtime)

    def withdrawn() -> float:
        with runtime.transaction() as session:
            stop_backfill(session, NAME, "森本", NOW)
        return 0.0

    fulfil_wishes(runtime, NOW, seconds=withdrawn)

    asked, far = stands(runtime)
    assert asked is None
    assert far is not None
    assert far.pages == 1
    assert fulfil_wishes(runtime, NOW) == 0


def test_a_source_that_is_busy_is_asked_again_when_it_said(
    runtime: Runtime, toy: ToyServer
) -> None:
    history(toy)
    begun(runtime, toy)
    wish(runtime)
    toy.loopback.faults.append(told({}, 429, retry_after="1800"))
    fulfil_wishes(runtime, NOW)
    asked, _ = stands(runtime)
    assert asked is not None
    assert asked.retry_at == NOW + timedelta(seconds=1800)
    assert asked.problem
    assert fulfil_wishes(runtime, NOW + timedelta(seconds=1700)) == 0
    assert fulfil_wishes(runtime, NOW + timedelta(seconds=1800)) == 1
    assert stands(runtime)[0] is None


def test_a_refusal_waits_for_a_person_who_asks_again(runtime: Runtime, toy: ToyServer) -> None:
    history(toy)
    begun(runtime, toy)
    wish(runtime)
    key, toy.key = toy.key, "another"
    fulfil_wishes(runtime, NOW)
    assert channel(runtime).paused
    toy.key = key
    with runtime.transaction() as session:
        resume(session, NAME, "森本", NOW)
    assert fulfil_wishes(runtime, NOW + timedelta(days=1)) == 0
    wish(runtime)
    assert fulfil_wishes(runtime, NOW + timedelta(days=1)) == 1
    assert len(numbers(runtime)) == 9


def test_a_paused_channel_is_left_alone(runtime: Runtime, toy: ToyServer) -> None:
    begun(runtime, toy)
    wish(runtime)
    with runtime.transaction() as session:
        pause(session, NAME, "棚卸し", "森本", NOW)
    assert fulfil_wishes(runtime, NOW) == 0


def test_two_workers_do_not_fulfil_at_once(runtime: Runtime, toy: ToyServer) -> None:
    begun(runtime, toy)
    wish(runtime)
    with runtime.transaction() as session:
        assert acquire(session, "backfill_wishes", "elsewhere:1:1", 60.0) is not None
    assert fulfil_wishes(runtime, NOW) == 0


def test_a_channel_of_files_has_no_past_to_wish_for(runtime: Runtime) -> None:
    with runtime.transaction() as session:
        make_channel(session, "own:files")
        with pytest.raises(NeedsPerson, match="own:files"):
            wish_backfill(session, "own:files", None, "森本", NOW)


def test_the_span_in_hand_is_the_services_own(runtime: Runtime, toy: ToyServer) -> None:
    """A stream of the past stands beside the others only while it is read."""
    history(toy)
    begun(runtime, toy)
    wish(runtime)
    fulfil_wishes(runtime, NOW)
    with runtime.look() as session:
        names = session.scalars(select(StreamState.stream)).all()
    assert not [name for name in names if name.startswith("backfill:")]
