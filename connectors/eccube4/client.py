"""Asks a shop's GraphQL endpoint: tokens, pace, and answers that fail with HTTP 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from urllib3.util.retry import Retry

from connectors.contract import BadRecord, Pace, TryLater, Vault
from connectors.eccube4.refusals import JUDGED, broken_nodes, refused
from connectors.eccube4.settings import TalkSettings
from connectors.eccube4.tokens import Tokens
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.http import Answer, Http, retry_after

LANE = "requests"
_ONCE = Retry(1, connect=1, read=0, status=0, other=0, redirect=0, respect_retry_after_header=False)
"""A refused connection is tried again at once; everything else waits for the next poll."""

_BUSY = frozenset({429, 503})


@dataclass(frozen=True, slots=True)
class Told:
    """The data of an answer, the orders of it that are not whole, and the shop's clock."""

    data: Mapping[str, Any]
    broken: frozenset[int]
    """Places in ``orders.nodes`` that the shop failed to tell."""
    skew: timedelta


class Client:
    """One channel's way to its shop."""

    def __init__(
        self,
        settings: TalkSettings,
        vault: Vault,
        pace: Pace,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._vault, self._pace, self._clock = settings, vault, pace, clock

    @cached_property
    def _http(self) -> Http:
        timeout = self._settings.timeout
        return Http(user_agent="okaeri", timeout=(min(5.0, timeout), timeout), retry=_ONCE)

    @cached_property
    def tokens(self) -> Tokens:
        """The channel's tokens."""
        return Tokens(self._settings, self._vault, self._http, self._clock)

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Told:
        """Run one query; a token that is refused is replaced once.

        Raises NeedsPerson or TryLater.
        """
        body = {"query": query, "variables": dict(variables or {})}
        token = self.tokens.access()
        answer = self._send(token, body)
        if answer.status == 401:
            answer = self._send(self.tokens.renewed(token), body)
        if answer.status in _BUSY:
            raise self._busy(answer)
        if answer.status in JUDGED:
            raise refused(answer)
        data = _object(answer)
        broken = broken_nodes(data)
        told = data.get("data")
        if not isinstance(told, Mapping):
            raise waiting.unreadable("no data")
        return Told(told, broken, skew(answer.headers, self._clock()))

    def _send(self, token: str, body: Mapping[str, Any]) -> Answer:
        self._pace.take(LANE)
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self._settings.base_url}/api"
        return self._http.request("POST", url, judged=JUDGED | _BUSY, json=body, headers=headers)

    def _busy(self, answer: Answer) -> TryLater:
        wait = retry_after(answer.headers)
        if wait is not None:
            self._pace.exhausted(LANE, self._clock() + timedelta(seconds=wait))
        return waiting.busy(f"HTTP {answer.status}", wait)


def _object(answer: Answer) -> Mapping[str, Any]:
    try:
        data = answer.json()
    except BadRecord as error:
        raise waiting.unreadable(error.code) from error
    if not isinstance(data, Mapping):
        raise waiting.unreadable("no object")
    return data
