"""How fast mails may go to one receiver: a token bucket per lane, kept in one process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Protocol

SLOW_SECONDS = 30 * 60
PAUSE_SECONDS = 2 * 60 * 60
STRIKES = 3
AWAY_SECONDS = 30
"""How long a lost Redis is left alone: each attempt would cost its connect time-outs."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Mails per second and how many may go at once after a rest."""

    per_second: float
    burst: int = 1
    connections: int = 1


RATES: dict[str, Rate] = {
    "docomo": Rate(1.0),
    "au": Rate(1.0),
    "softbank": Rate(1.0),
    "rakuten_mobile": Rate(1.0),
    "uq": Rate(1.0),
    "rakuten_relay": Rate(0.5),
    "amazon_relay": Rate(1.0, burst=5),
    "yahoo": Rate(2.0, burst=4, connections=2),
    "yahoo_jp": Rate(2.0, burst=4, connections=2),
    "gmail": Rate(5.0, burst=10, connections=2),
    "outlook": Rate(5.0, burst=10, connections=2),
    "icloud": Rate(5.0, burst=10, connections=2),
    "other": Rate(10.0, burst=20, connections=2),
}
"""Per receiver class (mail-format, section 7); carriers publish little and block quickly."""


def rate_of(lane: str) -> Rate:
    """The rate of a lane ``sender>class``; unknown classes are as ``other``."""
    return RATES.get(lane.rpartition(">")[2], RATES["other"])


class Limiter(Protocol):
    """Asks before each mail, and hears what servers said of the pace."""

    def wait(self, lane: str) -> float:
        """Take one place. Returns 0.0 for go, else the seconds after which to ask again."""
        ...

    def throttled(self, lane: str) -> None:
        """A server asked for patience: half the pace for 30 min; the third time rest for 2 h."""
        ...

    def accepted(self, lane: str) -> None:
        """A mail was accepted: the count of complaints starts anew."""
        ...


@dataclass(slots=True)
class _Bucket:
    tokens: float
    stamp: float
    slow_until: float = 0.0
    rest_until: float = 0.0
    strikes: int = 0


class LocalLimiter:
    """The limit inside one process; ``clock`` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, lane: str) -> float:
        """Take one place of this process."""
        rate, now = rate_of(lane), self._clock()
        with self._lock:
            bucket = self._bucket(lane, now)
            if now < bucket.rest_until:
                return bucket.rest_until - now
            pace = rate.per_second / (2 if now < bucket.slow_until else 1)
            bucket.tokens = min(rate.burst, bucket.tokens + (now - bucket.stamp) * pace)
            bucket.stamp = now
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / pace
            bucket.tokens -= 1
            return 0.0

    def throttled(self, lane: str) -> None:
        """Slow this process's lane."""
        now = self._clock()
        with self._lock:
            bucket = self._bucket(lane, now)
            bucket.strikes += 1
            bucket.slow_until = now + SLOW_SECONDS
            if bucket.strikes >= STRIKES:
                bucket.strikes, bucket.rest_until = 0, now + PAUSE_SECONDS

    def accepted(self, lane: str) -> None:
        """Forget this lane's strikes."""
        with self._lock:
            self._bucket(lane, self._clock()).strikes = 0

    def _bucket(self, lane: str, now: float) -> _Bucket:
        if lane not in self._buckets:
            self._buckets[lane] = _Bucket(tokens=float(rate_of(lane).burst), stamp=now)
        return self._buckets[lane]
