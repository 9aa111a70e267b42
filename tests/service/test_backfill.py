"""The past is read beside the polls, can be stopped anywhere, and no mail comes of it (P8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.pace import LocalPace
from tests.connectors.loopback import told
from tests.factories import NOW, make_channel
from tests.service.test_live_channels import NAME, channel, numbers, opened
from tests.toy_shop import Toy, ToyServer, toy
from worker.advance import advance
from worker.backfill import HalfPace, Progress, backfill
from worker.pipeline.channel_names import activate
from worker.polling import poll_channel_once
from worker.rules.states import Outcome
from worker.runtime import Runtime
from worker.store.channels import Channel, StreamState
from worker.store.leases import acquire
from worker.store.messages import Occasion

__all__ = ["toy"]
SINCE = NOW - timedelta(days=40)


def history(toy: ToyServer, count: int = 9) -> None:
    for place in range(count):
        toy.add(f"T-{place}", NOW - timedelta(days=4 * place, hours=1))


def begun(runtime: Runtime, toy: ToyServer) -> None:
    """A channel whose ordinary polls began yesterday, by the shop's wish."""
    opened(runtime, toy)
    with runtime.transaction() as session:
        row = session.scalars(select(Channel)).one()
        row.settings = {**row.settings, "since": (NOW - timedelta(days=1)).isoformat()}
    poll_channel_once(runtime, NAME, NOW)


def streams(runtime: Runtime) -> list[str]:
    with runtime.look() as session:
        return sorted(session.scalars(select(StreamState.stream)))


def test_the_past_is_read_to_its_beginning_and_the_reach_follows(
    runtime: Runtime, toy: ToyServer
) -> None:
    history(toy)
    begun(runtime, toy)
    assert numbers(runtime) == ["T-0"]
    seen: list[Progress] = []

    done = backfill(runtime, NAME, NOW, since=SINCE, tell=seen.append)

    assert done.finished
    assert numbers(runtime) == sorted(toy.orders)
    assert channel(runtime).history_complete_since == date(2026, 10, 12)
    assert [one.part for one in seen] == sorted(one.part for one in seen)
    assert (seen[-1].part, seen[-1].pages) == (1.0, len(seen))
    assert seen[-1].orders >= 9
    assert all(one.seconds_left is None or one.seconds_left >= 0 for one in seen)
    assert streams(runtime) == ["cancel_scan", "orders"]
    assert "backfill" not in channel(runtime).settings


def test_stopped_after_any_page_it_goes_on_and_loses_nothing(
    runtime: Runtime, toy: ToyServer
) -> None:
    history(toy)
    begun(runtime, toy)
    for run in range(60):
        later = NOW + timedelta(minutes=run)
        done = backfill(runtime, NAME, later, since=SINCE, enough=lambda: True)
        if not done.problem and not channel(runtime).settings.get("backfill"):
            break
        assert done.span is not None
        assert done.span.since == SINCE
        if run == 20:
            assert backfill(runtime, NAME, later, since=SINCE).finished
            break
    assert numbers(runtime) == sorted(toy.orders)


def test_no_mail_is_planned_from_it(runtime: Runtime, toy: ToyServer) -> None:
    history(toy)
    begun(runtime, toy)
    with runtime.transaction() as session:
        row = session.scalars(select(Channel)).one()
        activate(session, row, NOW - timedelta(days=10), "test")

    done = backfill(runtime, NAME, NOW, since=SINCE)

    assert done.span is not None
    assert done.span.until == NOW - timedelta(days=10)
    assert numbers(runtime) == ["T-0", *[f"T-{n}" for n in range(3, 9)]]
    advance(runtime, NOW)
    with runtime.look() as session:
        rows = session.execute(select(Occasion.subject, Occasion.outcome)).all()
    past = {outcome for subject, outcome in rows if not subject.endswith(":T-0")}
    assert past == {Outcome.NOT_ACTIVE}
    assert Outcome.WAITING in {outcome for subject, outcome in rows if subject.endswith(":T-0")}


def test_a_source_that_asks_to_wait_is_told_with_the_instant(
    runtime: Runtime, toy: ToyServer
) -> None:
    history(toy)
    begun(runtime, toy)
    toy.loopback.faults.append(told({"error": "slow down"}, 429, retry_after="120"))

    done = backfill(runtime, NAME, NOW, since=SINCE)

    assert (done.finished, done.retry_at) == (False, NOW + timedelta(seconds=120))
    assert backfill(runtime, NAME, NOW, since=SINCE).finished


def test_two_backfills_of_one_channel_never_run_at_once(runtime: Runtime, toy: ToyServer) -> None:
    begun(runtime, toy)
    with runtime.transaction() as session:
        acquire(session, f"backfill:{NAME}", "elsewhere:1:1", 60)
    assert backfill(runtime, NAME, NOW).busy


def test_it_reaches_no_further_back_than_the_source(runtime: Runtime, toy: ToyServer) -> None:
    begun(runtime, toy)
    done = backfill(runtime, NAME, NOW, since=NOW - timedelta(days=4000))
    assert done.span is not None
    assert done.span.since == NOW - timedelta(days=60)


def test_the_reach_may_depend_on_what_the_shop_was_allowed(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(runtime, toy)
    busy = [TryLater("busy", retry_after=30.0)]

    def history_days(_self: Toy) -> int:
        if busy:
            raise busy.pop()
        return 90

    monkeypatch.setattr(Toy, "history_days", history_days, raising=False)
    asked = NOW - timedelta(days=4000)

    assert backfill(runtime, NAME, NOW, since=asked).retry_at == NOW + timedelta(seconds=30)
    done = backfill(runtime, NAME, NOW, since=asked)

    assert done.span is not None
    assert done.span.since == NOW - timedelta(days=90)


def test_a_gap_to_what_is_known_is_not_called_complete(runtime: Runtime, toy: ToyServer) -> None:
    begun(runtime, toy)
    with runtime.transaction() as session:
        row = session.scalars(select(Channel)).one()
        activate(session, row, NOW - timedelta(days=10), "test")
    backfill(runtime, NAME, NOW, since=SINCE)
    assert channel(runtime).history_complete_since == date(2026, 11, 20)


def test_a_channel_of_files_has_no_past_to_poll(runtime: Runtime) -> None:
    with runtime.transaction() as session:
        make_channel(session, "own:files")
    with pytest.raises(NeedsPerson, match="own:files"):
        backfill(runtime, "own:files", NOW)


def test_a_backfill_leaves_half_of_the_pace_to_the_polls() -> None:
    slept: list[float] = []
    pace = HalfPace(LocalPace({"orders": (2.0, 2.0)}, clock=lambda: 0.0, sleep=slept.append))
    pace.take("orders")
    pace.take("orders")
    assert slept == [1.0]
    pace.learn("orders", left=10.0, restore_per_second=1.0)
    pace.exhausted("orders", datetime.now(tz=NOW.tzinfo))
    assert isinstance(Toy.LANES, dict)
