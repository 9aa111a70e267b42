"""One pace for all workers of an account: a token bucket in Redis, in this process without it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from connectors.kit.pace import ONE_BY_ONE, PATIENCE_SECONDS, Lanes, LocalPace, too_long
from worker import log
from worker.settings import Settings

if TYPE_CHECKING:
    import redis  # importing it takes longer than most commands: only where there is a broker

_log = log.get("pacing")
_PREFIX = "okaeri:pace:"
_KEPT_SECONDS = 86_400
_AWAY_SECONDS = 15.0
"""After a failure Redis is not asked again for so long: a poll must not stall on it."""

TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local cost, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'rate', 'burst', 'closed', 'reason')
rate = tonumber(held[3] or rate)
burst = math.max(burst, tonumber(held[4] or burst))
local tokens = tonumber(held[1] or burst)
local at = tonumber(held[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
local wait = math.max((cost - tokens) / rate, tonumber(held[5] or 0) - now, 0)
if wait <= most then tokens = tokens - cost end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(math.max(tonumber(ARGV[5]), wait + 60)))
local closed = tonumber(held[5] or 0) > now
return {tostring(wait), closed and held[6] or ''}
"""
"""Takes ``cost`` and gives the seconds to wait and why the lane is closed; a wait above ``most``
takes nothing. One step on the server and by its clock, so that no two workers count the same
place."""

LEARN = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'rate', 'burst')
local rate = tonumber(held[3] or ARGV[1])
local burst = math.max(tonumber(ARGV[2]), tonumber(held[4] or ARGV[2]))
local tokens = tonumber(held[1] or burst)
tokens = math.min(burst, tokens + math.max(0, now - tonumber(held[2] or now)) * rate)
if ARGV[3] == '1' then
  tokens = tonumber(ARGV[4])
  redis.call('HSET', KEYS[1], 'burst', tostring(math.max(tonumber(held[4] or 0), tokens)))
end
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', string.format('%.6f', now))
if tonumber(ARGV[5]) > 0 then redis.call('HSET', KEYS[1], 'rate', ARGV[5]) end
redis.call('EXPIRE', KEYS[1], ARGV[6])
"""
"""Takes over what the source says. Where it does not say what is left, what came back at the
old rate is added first: the new rate must not hold for the time before it."""

CLOSE = """
local closed = tonumber(redis.call('HGET', KEYS[1], 'closed') or 0)
if tonumber(ARGV[1]) > closed then
  redis.call('HSET', KEYS[1], 'closed', ARGV[1], 'reason', ARGV[3])
end
local clock = redis.call('TIME')
redis.call('EXPIRE', KEYS[1], math.ceil(math.max(tonumber(ARGV[2]), ARGV[1] - clock[1] + 60)))
"""


class SharedPace:
    """The pace of one account over all workers; safe while Redis is away (P16).

    What the source says of its budget and of a used-up quota is also noted in the process,
    so that losing Redis never makes anybody faster than one process alone would be.
    """

    def __init__(
        self,
        client: redis.Redis | None,
        account: str,
        lanes: Lanes,
        *,
        patience: float = PATIENCE_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._lanes, self._patience = client, lanes, patience
        self._account = hashlib.sha256(account.encode()).hexdigest()[:24]
        self._sleep, self._clock = sleep, clock
        self._own = LocalPace(lanes, patience=patience, sleep=sleep)
        self._away_until = 0.0

    def take(self, lane: str, cost: float = 1.0) -> None:
        """Wait for a place briefly; raises TryLater with ``retry_after`` for a long wait."""
        rate, burst = self._lanes.get(lane, ONE_BY_ONE)
        answer = self._ask(TAKE, lane, rate, burst, cost, self._patience, _KEPT_SECONDS)
        if answer is None:
            self._own.take(lane, cost)
            return
        wait = float(answer[0])
        if wait > self._patience:
            raise too_long(lane, wait, bytes(answer[1]).decode())
        if wait > 0:
            self._sleep(wait)

    def learn(
        self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
    ) -> None:
        """Take over what the source itself says."""
        self._own.learn(lane, left=left, restore_per_second=restore_per_second)
        rate, burst = self._lanes.get(lane, ONE_BY_ONE)
        told = (0, 0.0) if left is None else (1, left)
        self._ask(LEARN, lane, rate, burst, *told, restore_per_second, _KEPT_SECONDS)

    def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
        """Close the lane for every worker until then; ``reason`` is told to those who ask."""
        self._own.exhausted(lane, until, reason)
        self._ask(CLOSE, lane, until.astimezone(UTC).timestamp(), _KEPT_SECONDS, reason)

    def _ask(self, script: str, lane: str, *arguments: float | str) -> Any:
        if self._client is None or self._clock() < self._away_until:
            return None
        from redis.exceptions import RedisError

        key = f"{_PREFIX}{self._account}:{lane}"
        try:
            # EVAL and not EVALSHA: a broker that was restarted has forgotten its scripts.
            told = (one if isinstance(one, str) else repr(one) for one in arguments)
            return self._client.eval(script, 1, key, *told) or "0"
        except RedisError as error:
            self._away_until = self._clock() + _AWAY_SECONDS
            _log.warning("pace_not_shared", error_type=type(error).__name__)
            return None


@lru_cache(maxsize=512)
def shared_pace(
    client: redis.Redis | None, account: str, lanes: tuple[tuple[str, tuple[float, float]], ...]
) -> SharedPace:
    """The one pace of an account in this process: it must outlive a single poll."""
    return SharedPace(client, account, dict(lanes))


def client_of(settings: Settings) -> redis.Redis | None:
    """The broker as the shared memory of the pace; None where no Redis is the broker."""
    url = settings.broker_url
    socket = settings.data.absolute() / "broker.sock"
    if not url:
        return _client(f"unix://{socket}") if socket.is_socket() else None
    plain = plain_url(url)
    return _client(plain) if plain else None


def plain_url(url: str) -> str:
    """The URL as redis-py reads it, from the broker's notation; empty for other brokers."""
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        number = parse_qs(parts.query).get("virtual_host", ["0"])[0]
        return f"unix://{parts.path}?db={number}"
    return url if parts.scheme in {"redis", "rediss", "unix"} else ""


@lru_cache(maxsize=4)
def _client(url: str) -> redis.Redis:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return redis.Redis.from_url(
        url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0)
    )
