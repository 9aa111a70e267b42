"""The BASE API over HTTP: tokens, quotas, and its answers as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.contract import BadRecord, Pace, TryLater, Vault
from connectors.kit.clock import skew
from connectors.kit.http import TIMEOUT, Answer, Http, Lane, retries
from connectors.thebase.refusals import (
    LANE,
    OLD_TOKEN,
    ORDER_ERRORS,
    OrderRefused,
    error_of,
    later,
    refusal,
)
from connectors.thebase.tokens import Tokens

BASE_URL = "https://api.thebase.in"
_JUDGED = frozenset({400, 401, 403, 404})


class BaseService:
    """Asks one question at a time."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        vault: Vault,
        pace: Pace,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = str(settings.get("base_url") or BASE_URL).rstrip("/")
        self._timeout = (5.0, float(settings.get("timeout") or TIMEOUT[1]))
        self._vault, self._pace, self._clock = vault, pace, clock
        self.skew = timedelta(0)
        """The source's clock less ours, by its latest answer."""

    @property
    def behind(self) -> timedelta:
        """How far the source's clock is behind ours; zero where it is ahead."""
        return max(timedelta(0), -self.skew)

    @cached_property
    def _http(self) -> Http:
        lane = Lane(self._pace, LANE)
        return Http(user_agent="okaeri", timeout=self._timeout, retry=retries(total=0), lane=lane)

    @cached_property
    def tokens(self) -> Tokens:
        """The channel's tokens."""
        return Tokens(self._base_url, self._vault, self._pace, self._http, self._clock)

    def ask(self, path: str, question: Mapping[str, str] | None = None) -> Any:
        """Get ``/1/<path>``.

        Raises NeedsPerson, TryLater, and OrderRefused for an order that is not told and for
        an answer that is whole but no JSON.
        """
        token = self.tokens.access()
        told, answer = self._send(path, question, token)
        if answer.status == 401 or error_of(told) in OLD_TOKEN:
            told, answer = self._send(path, question, self.tokens.renewed(token))
        code = error_of(told)
        if code in ORDER_ERRORS:
            raise OrderRefused(code)
        if code or answer.status >= 400:
            problem = later(code, self._pace, self._clock())
            raise problem or refusal(code or f"HTTP {answer.status}")
        return told

    def _send(
        self, path: str, question: Mapping[str, str] | None, token: str
    ) -> tuple[Any, Answer]:
        now = self._clock()
        self._pace.take(LANE)
        answer = self._http.request(
            "GET",
            f"{self._base_url}/1/{path}",
            judged=_JUDGED,
            params=question,
            headers={"Authorization": f"Bearer {token}"},
        )
        self.skew = skew(answer.headers, now)
        return _json(answer), answer


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except TryLater:
        if answer.status >= 400:  # a page in place of an error: the status says what is wrong
            return None
        raise
    except BadRecord as error:
        if answer.status >= 400:
            return None
        raise OrderRefused(error.code) from error
