"""Workers of one account share its places through Redis, and keep their own without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from connectors.contract import TryLater
from tests.brokers import Broker
from worker.pacing import SharedPace, client_of, plain_url, shared_pace
from worker.settings import Settings

LANES = {"orders": (2.0, 4.0)}


class Worker:
    """A worker's pace that notes its sleeps instead of sleeping."""

    def __init__(self, client: redis.Redis | None, patience: float = 5.0) -> None:
        self.slept: list[float] = []
        self.pace = SharedPace(
            client, "own/main", LANES, patience=patience, sleep=self.slept.append
        )


@pytest.mark.broker
def test_two_workers_share_one_burst(broker: Broker) -> None:
    one, two = Worker(broker.client()), Worker(broker.client())
    for _ in range(3):
        one.pace.take("orders")
        two.pace.take("orders")
    assert len(one.slept) + len(two.slept) == 2
    assert two.slept[-1] == pytest.approx(1.0, abs=0.3)


@pytest.mark.broker
def test_a_long_wait_takes_no_place(broker: Broker) -> None:
    worker = Worker(broker.client(), patience=1.0)
    worker.pace.take("orders", 4.0)
    with pytest.raises(TryLater) as caught:
        worker.pace.take("orders", 40.0)
    assert caught.value.retry_after == pytest.approx(20.0, abs=1.0)
    worker.pace.take("orders", 1.0)
    assert worker.slept[-1] == pytest.approx(0.5, abs=0.3)


@pytest.mark.broker
def test_what_one_worker_learns_holds_for_all(broker: Broker) -> None:
    one, two = Worker(broker.client()), Worker(broker.client())
    one.pace.learn("orders", left=100.0, restore_per_second=50.0)
    two.pace.take("orders", 150.0)
    assert two.slept[-1] == pytest.approx(1.0, abs=0.3)


@pytest.mark.broker
def test_a_rate_alone_leaves_the_count_of_all(broker: Broker) -> None:
    one, two = Worker(broker.client()), Worker(broker.client())
    one.pace.take("orders", 4.0)
    one.pace.learn("orders", restore_per_second=4.0)
    two.pace.take("orders", 8.0)
    assert two.slept == [pytest.approx(2.0, abs=0.3)]


@pytest.mark.broker
def test_a_rate_that_is_learnt_first_leaves_the_whole_burst(broker: Broker) -> None:
    one = Worker(broker.client())
    one.pace.learn("orders", restore_per_second=4.0)
    one.pace.take("orders", 8.0)
    assert one.slept == [pytest.approx(1.0, abs=0.3)]


@pytest.mark.broker
def test_a_used_up_quota_stops_all_workers_until_the_reset(broker: Broker) -> None:
    one, two = Worker(broker.client()), Worker(broker.client())
    one.pace.exhausted("orders", datetime.now(UTC) + timedelta(hours=2), "今日の分は終わりました。")
    one.pace.exhausted("orders", datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(TryLater, match=r"^今日の分は終わりました。$") as caught:
        two.pace.take("orders")
    assert caught.value.retry_after == pytest.approx(7200.0, abs=60.0)
    two.pace.take("details")


@pytest.mark.broker
def test_a_broker_that_goes_away_leaves_each_with_its_own_pace(broker: Broker) -> None:
    worker = Worker(broker.client())
    worker.pace.exhausted("orders", datetime.now(UTC) + timedelta(hours=1))
    broker.kill9()
    with pytest.raises(TryLater):
        worker.pace.take("orders")
    worker.pace.take("details")
    worker.pace.take("details")
    assert worker.slept == [pytest.approx(1.0, abs=0.3)]


def test_without_a_broker_the_pace_is_kept_in_the_process() -> None:
    worker = Worker(None)
    for _ in range(5):
        worker.pace.take("orders")
    assert worker.slept == [pytest.approx(0.5, abs=0.2)]


def test_the_pace_of_an_account_outlives_a_poll() -> None:
    lanes = (("orders", (1.0, 1.0)),)
    assert shared_pace(None, "own/main", lanes) is shared_pace(None, "own/main", lanes)
    assert shared_pace(None, "own/main", lanes) is not shared_pace(None, "own/second", lanes)


def test_a_brokers_notation_becomes_a_redis_url(tmp_path: Path) -> None:
    assert plain_url("redis+socket:///data/broker.sock?virtual_host=2") == (
        "unix:///data/broker.sock?db=2"
    )
    assert plain_url("redis://:secret@host:6379/1") == "redis://:secret@host:6379/1"
    assert plain_url("memory://") == ""
    assert client_of(Settings(data=tmp_path, broker_url="memory://")) is None
