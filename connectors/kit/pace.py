"""A token bucket for each lane of an account, kept in one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.contract import TryLater
from connectors.kit.waiting import limited

PATIENCE_SECONDS = 5.0
"""A wait up to this is slept through; a longer one frees the worker for other channels."""

ONE_BY_ONE = (1.0, 1.0)
"""What a lane that nobody declared is allowed: one request per second."""

Lanes = Mapping[str, tuple[float, float]]


@dataclass(slots=True)
class Bucket:
    """Tokens of one lane; below zero they are promised to somebody who waits."""

    tokens: float
    rate: float
    burst: float
    at: float
    closed_until: float = 0.0
    reason: str = ""
    """Why it is closed, in words for people."""

    def reserve(self, now: float, cost: float, most: float) -> float:
        """Take ``cost`` tokens and tell the seconds to wait; a wait above ``most`` takes none."""
        self._refill(now)
        wait = max((cost - self.tokens) / self.rate, self.closed_until - now, 0.0)
        if wait <= most:
            self.tokens -= cost
        return wait

    def learn(self, now: float, left: float | None, rate: float) -> None:
        """Take over what is left, where that is told, and the rate, where it is positive."""
        self._refill(now)
        if left is not None:
            self.tokens, self.burst = left, max(self.burst, left)
        if rate > 0:
            self.rate = rate

    def told(self, now: float) -> str:
        """Why nobody may ask now; empty where nobody said so."""
        return self.reason if self.closed_until > now else ""

    def _refill(self, now: float) -> None:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now


def too_long(lane: str, wait: float, reason: str = "") -> TryLater:
    """The error for a wait that is not slept through; ``reason`` is what closed the lane."""
    return TryLater(reason, wait) if reason else limited(wait, lane)


class LocalPace:
    """Keeps the pace within this process; safe to share between its threads."""

    def __init__(
        self,
        lanes: Lanes,
        *,
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._lanes, self._patience = lanes, patience
        self._clock, self._wall, self._sleep = clock, wall, sleep
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def take(self, lane: str, cost: float = 1.0) -> None:
        """Wait for a place briefly; raises TryLater with ``retry_after`` for a long wait."""
        with self._lock:
            bucket, now = self._bucket(lane), self._clock()
            wait, reason = bucket.reserve(now, cost, self._patience), bucket.told(now)
        if wait > self._patience:
            raise too_long(lane, wait, reason)
        if wait > 0:
            self._sleep(wait)

    def learn(
        self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
    ) -> None:
        """Take over what the source says; a rate that is not positive is not believed."""
        with self._lock:
            self._bucket(lane).learn(self._clock(), left, restore_per_second)

    def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
        """Close the lane until then; ``reason`` is what those who ask before are told."""
        left = (until - self._wall()).total_seconds()
        with self._lock:
            bucket = self._bucket(lane)
            closed = self._clock() + left
            if closed > bucket.closed_until:
                bucket.closed_until, bucket.reason = closed, reason

    def _bucket(self, lane: str) -> Bucket:
        if lane not in self._buckets:
            rate, burst = self._lanes.get(lane, ONE_BY_ONE)
            self._buckets[lane] = Bucket(burst, rate, burst, self._clock())
        return self._buckets[lane]
