"""The pace of each lane, in one process and shared through Redis."""

from __future__ import annotations

from collections.abc import Callable

import fakeredis
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.mail.limits import Limiter, LocalLimiter, Rate, rate_of
from worker.mail.shared_limits import RedisLimiter

LANE = "order.shop.jp>docomo"
GMAIL = "order.shop.jp>gmail"


class Clock:
    """Time that goes when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


Make = Callable[[Clock], Limiter]


def _local(clock: Clock) -> Limiter:
    return LocalLimiter(clock)


def _shared(clock: Clock) -> Limiter:
    return RedisLimiter(fakeredis.FakeRedis(), clock)


@pytest.fixture(params=[_local, _shared], ids=["local", "redis"])
def make(request: pytest.FixtureRequest) -> Make:
    """Both limiters keep the same promises."""
    found: Make = request.param
    return found


def test_a_carrier_lane_lets_one_mail_a_second_go(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    assert limiter.wait(LANE) == 0.0
    assert limiter.wait(LANE) == pytest.approx(1.0)
    clock.now += 0.4
    assert limiter.wait(LANE) == pytest.approx(0.6, abs=1e-3)
    clock.now += 0.61
    assert limiter.wait(LANE) == 0.0


def test_a_rest_saves_up_no_more_than_the_burst(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    clock.now += 3600
    assert [limiter.wait(GMAIL) for _ in range(10)] == [0.0] * 10
    assert limiter.wait(GMAIL) == pytest.approx(0.2)


def test_lanes_do_not_slow_one_another(make: Make) -> None:
    limiter = make(Clock())
    assert [limiter.wait(LANE), limiter.wait("other.jp>docomo"), limiter.wait(GMAIL)] == [0.0] * 3


def test_a_complaint_halves_the_pace_for_half_an_hour(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    limiter.wait(LANE)
    limiter.throttled(LANE)
    assert limiter.wait(LANE) == pytest.approx(2.0)
    clock.now += 30 * 60 + 1
    assert limiter.wait(LANE) == 0.0
    assert limiter.wait(LANE) == pytest.approx(1.0)


def test_the_third_complaint_rests_the_lane_for_two_hours(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    for _ in range(3):
        limiter.throttled(LANE)
    assert limiter.wait(LANE) == pytest.approx(7200)
    clock.now += 7199
    assert limiter.wait(LANE) == pytest.approx(1, abs=1e-3)
    clock.now += 1
    assert limiter.wait(LANE) == 0.0


def test_an_accepted_mail_lets_the_count_start_anew(make: Make) -> None:
    clock = Clock()
    limiter = make(clock)
    for _ in range(5):
        limiter.throttled(LANE)
        limiter.throttled(LANE)
        limiter.accepted(LANE)
    clock.now += 3600
    assert limiter.wait(LANE) == 0.0


def test_two_workers_share_one_pace() -> None:
    server, clock = fakeredis.FakeServer(), Clock()
    first, second = (RedisLimiter(fakeredis.FakeRedis(server=server), clock) for _ in range(2))
    assert first.wait(LANE) == 0.0
    assert second.wait(LANE) == pytest.approx(1.0)


def test_without_redis_each_worker_keeps_its_own_pace() -> None:
    server, clock = fakeredis.FakeServer(), Clock()
    limiter = RedisLimiter(fakeredis.FakeRedis(server=server), clock, LocalLimiter(clock))
    server.connected = False
    assert limiter.wait(LANE) == 0.0
    assert limiter.wait(LANE) == pytest.approx(1.0)
    limiter.accepted(LANE)
    for _ in range(3):
        limiter.throttled(LANE)
    assert limiter.wait(LANE) == pytest.approx(7200)


def test_redis_counts_again_once_it_is_back() -> None:
    server, clock = fakeredis.FakeServer(), Clock()
    first, second = (RedisLimiter(fakeredis.FakeRedis(server=server), clock) for _ in range(2))
    server.connected = False
    assert first.wait(LANE) == 0.0
    server.connected = True
    clock.now += 31
    assert first.wait(LANE) == 0.0
    assert second.wait(LANE) == pytest.approx(1.0)


def test_a_dead_address_falls_back_too() -> None:
    client = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    assert RedisLimiter(client).wait(LANE) == 0.0


def test_every_class_has_its_rate() -> None:
    assert rate_of(LANE) == Rate(1.0)
    assert rate_of("x>rakuten_relay") == Rate(0.5)
    assert rate_of("x>never heard of") == rate_of("x>other")
