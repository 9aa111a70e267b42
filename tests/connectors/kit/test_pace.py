"""A lane lets a burst through, then its rate, and closes when the source says so."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import TryLater
from connectors.kit.pace import LocalPace

START = datetime(2026, 11, 20, 3, tzinfo=UTC)


class Hands:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.seconds += seconds

    def pace(self, **lanes: tuple[float, float]) -> LocalPace:
        return LocalPace(
            lanes,
            clock=lambda: self.seconds,
            wall=lambda: START + timedelta(seconds=self.seconds),
            sleep=self.sleep,
        )


def test_a_burst_passes_and_then_each_waits_its_turn() -> None:
    hands = Hands()
    pace = hands.pace(orders=(2.0, 3.0))
    for _ in range(5):
        pace.take("orders")
    assert hands.slept == [0.5, 0.5]


def test_tokens_come_back_with_time_but_never_above_the_burst() -> None:
    hands = Hands()
    pace = hands.pace(orders=(1.0, 2.0))
    pace.take("orders", 2.0)
    hands.seconds += 100
    pace.take("orders", 3.0)
    assert hands.slept == [1.0]


def test_a_long_wait_frees_the_worker_and_takes_nothing() -> None:
    hands = Hands()
    pace = hands.pace(orders=(0.01, 1.0))
    pace.take("orders")
    for _ in range(2):
        with pytest.raises(TryLater) as caught:
            pace.take("orders")
        assert caught.value.retry_after == pytest.approx(100.0)
    assert hands.slept == []


def test_lanes_do_not_share_their_places() -> None:
    hands = Hands()
    pace = hands.pace(orders=(1.0, 1.0), details=(1.0, 1.0))
    pace.take("orders")
    pace.take("details")
    assert hands.slept == []


def test_a_lane_nobody_declared_goes_one_by_one() -> None:
    hands = Hands()
    pace = hands.pace()
    pace.take("other")
    pace.take("other")
    assert hands.slept == [1.0]


def test_what_the_source_says_is_believed() -> None:
    hands = Hands()
    pace = hands.pace(orders=(2.0, 40.0))
    pace.learn("orders", left=1.0, restore_per_second=50.0)
    pace.take("orders", 101.0)
    assert hands.slept == [2.0]
    pace.learn("orders", left=5000.0, restore_per_second=0.0)
    pace.take("orders", 4000.0)
    assert hands.slept == [2.0]


def test_a_rate_alone_holds_from_now_on_and_leaves_the_count() -> None:
    hands = Hands()
    pace = hands.pace(orders=(1.0, 10.0))
    pace.take("orders", 10.0)
    hands.seconds += 4  # four came back at the old rate
    pace.learn("orders", restore_per_second=2.0)
    pace.take("orders", 6.0)
    assert hands.slept == [1.0]
    pace.learn("orders")
    pace.take("orders", 2.0)
    assert hands.slept == [1.0, 1.0]


def test_who_asks_at_a_closed_lane_is_told_why_and_until_when() -> None:
    hands = Hands()
    pace = hands.pace(calls=(10.0, 10.0), points=(10.0, 10.0))
    pace.exhausted("calls", START + timedelta(hours=2), "今日の分は終わりました。")
    pace.exhausted("points", START + timedelta(hours=2))
    with pytest.raises(TryLater, match=r"^今日の分は終わりました。$"):
        pace.take("calls")
    with pytest.raises(TryLater, match=r"\d\d:\d\d \(日本時間\) まで待ちます。.*\(Japan time\)"):
        pace.take("points")


def test_a_used_up_quota_closes_the_lane_until_its_reset() -> None:
    hands = Hands()
    pace = hands.pace(orders=(10.0, 10.0))
    pace.exhausted("orders", START + timedelta(hours=2))
    pace.exhausted("orders", START + timedelta(hours=1))
    with pytest.raises(TryLater) as caught:
        pace.take("orders")
    assert caught.value.retry_after == pytest.approx(7200.0)
    hands.seconds += 7200
    pace.take("orders")
