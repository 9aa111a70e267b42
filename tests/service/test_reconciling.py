"""Once a day the marketplace's own list is asked for, after a fresh look at what differs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from tests.factories import NOW, make_channel
from tests.service.test_live_channels import NAME, opened
from tests.toy_shop import ToyServer, toy
from worker.polling import poll_channel_once
from worker.reconciling import reconcile_channel, reconcile_channels
from worker.runtime import Runtime
from worker.store.orders import OrderRow
from worker.store.rewards import StaffTask

__all__ = ["toy"]
YESTERDAY = NOW - timedelta(days=1)


def polled(runtime: Runtime, toy: ToyServer) -> None:
    opened(runtime, toy)
    for number in range(5):
        toy.add(f"T-{number}", YESTERDAY - timedelta(hours=number))
    poll_channel_once(runtime, NAME, NOW)


def lost(runtime: Runtime, number: str) -> None:
    with runtime.transaction() as session:
        session.execute(delete(OrderRow).where(OrderRow.number == number))


def tasks(runtime: Runtime) -> list[StaffTask]:
    with runtime.transaction() as session:
        found = list(session.scalars(select(StaffTask).where(StaffTask.done_at.is_(None))))
        session.expunge_all()
    return found


def test_each_live_channel_is_compared_once_a_day(runtime: Runtime, toy: ToyServer) -> None:
    polled(runtime, toy)
    with runtime.transaction() as session:
        make_channel(session, "own:files")
        make_channel(session, "own:gone", kind="telepathy", last_success_at=NOW)
    assert reconcile_channels(runtime, NOW) == {NAME: 0}
    assert reconcile_channels(runtime, NOW + timedelta(hours=3)) == {}
    assert reconcile_channels(runtime, NOW + timedelta(days=1)) == {NAME: 0}
    assert tasks(runtime) == []


def test_an_order_that_is_missing_is_an_alarm_with_its_number(
    runtime: Runtime, toy: ToyServer
) -> None:
    polled(runtime, toy)
    lost(runtime, "T-3")
    assert reconcile_channels(runtime, NOW) == {NAME: 1}
    (task,) = tasks(runtime)
    assert (task.kind, task.detail["missing"]) == ("orders_differ", ["T-3"])


def test_what_the_next_poll_brings_is_no_alarm(runtime: Runtime, toy: ToyServer) -> None:
    polled(runtime, toy)
    toy.add("T-2", NOW - timedelta(seconds=30), total=2500)
    found = reconcile_channel(runtime, NAME, NOW)
    assert found is not None
    assert found.clean
    with runtime.look() as session:
        query = select(OrderRow.total).where(OrderRow.number == "T-2")
        assert session.scalars(query).one() == 2500


def test_a_channel_that_cannot_be_asked_is_compared_later_in_the_day(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    polled(runtime, toy)
    with monkeypatch.context() as patched:
        patched.setattr(toy, "key", "another")
        assert reconcile_channels(runtime, NOW) == {}
    assert reconcile_channels(runtime, NOW) == {NAME: 0}


def test_a_channel_still_reading_its_history_is_not_compared(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(runtime, toy)
    toy.add("T-1", YESTERDAY)
    monkeypatch.setattr("worker.polling._BUDGET_SECONDS", -1.0)
    poll_channel_once(runtime, NAME, NOW)
    assert reconcile_channels(runtime, NOW) == {}
