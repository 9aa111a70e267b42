"""The limit of all workers together: the same token buckets, shared through Redis.

Redis only makes the limit common to all workers; where it is gone each worker keeps its own.
It stands apart because importing Redis takes longer than most commands.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any

import redis
import structlog

from worker.mail.limits import (
    AWAY_SECONDS,
    PAUSE_SECONDS,
    SLOW_SECONDS,
    STRIKES,
    Limiter,
    LocalLimiter,
    rate_of,
)

_TAKE = """
local b = redis.call('HMGET', KEYS[1], 'tokens', 'stamp', 'slow', 'rest')
local now, pace, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local rest = tonumber(b[4] or '0')
if now < rest then return tostring(rest - now) end
if now < tonumber(b[3] or '0') then pace = pace / 2 end
local stamp = math.min(now, tonumber(b[2] or now))
local tokens = math.min(burst, tonumber(b[1] or burst) + (now - stamp) * pace)
local wait = 0
if tokens < 1 then wait = (1 - tokens) / pace else tokens = tokens - 1 end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'stamp', tostring(now))
redis.call('EXPIRE', KEYS[1], ARGV[4])
return tostring(wait)
"""

_THROTTLED = """
local now = tonumber(ARGV[1])
redis.call('HSET', KEYS[1], 'slow', tostring(now + tonumber(ARGV[2])))
if redis.call('HINCRBY', KEYS[1], 'strikes', 1) >= tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'strikes', 0, 'rest', tostring(now + tonumber(ARGV[3])))
end
redis.call('EXPIRE', KEYS[1], ARGV[5])
"""

_KEEP_SECONDS = 2 * PAUSE_SECONDS


class RedisLimiter:
    """The limit of all workers together; falls back to this process while Redis is away."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Callable[[], float] = time,
        fallback: Limiter | None = None,
        prefix: str = "okaeri:lane:",
    ) -> None:
        self._client: Any = client
        self._clock = clock
        self._fallback: Limiter = fallback or LocalLimiter()
        self._prefix = prefix
        self._take = client.register_script(_TAKE)
        self._slow = client.register_script(_THROTTLED)
        self._away_until = float("-inf")
        self._log = structlog.get_logger(__name__)

    def wait(self, lane: str) -> float:
        """Take one place of all workers."""
        rate = rate_of(lane)
        if self._away:
            return self._fallback.wait(lane)
        args = [self._clock(), rate.per_second, rate.burst, _KEEP_SECONDS]
        try:
            return float(self._take(keys=[self._prefix + lane], args=args))
        except redis.RedisError as error:
            self._lost(error)
            return self._fallback.wait(lane)

    def throttled(self, lane: str) -> None:
        """Slow the lane for all workers."""
        self._fallback.throttled(lane)
        if self._away:
            return
        args = [self._clock(), SLOW_SECONDS, PAUSE_SECONDS, STRIKES, _KEEP_SECONDS]
        try:
            self._slow(keys=[self._prefix + lane], args=args)
        except redis.RedisError as error:
            self._lost(error)

    def accepted(self, lane: str) -> None:
        """Forget the lane's strikes everywhere."""
        self._fallback.accepted(lane)
        if self._away:
            return
        try:
            self._client.hdel(self._prefix + lane, "strikes")
        except redis.RedisError as error:
            self._lost(error)

    @property
    def _away(self) -> bool:
        return self._clock() < self._away_until

    def _lost(self, error: redis.RedisError) -> None:
        self._away_until = self._clock() + AWAY_SECONDS
        self._log.warning("limiter_fell_back", error=type(error).__name__)
