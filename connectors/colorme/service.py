"""The Color Me Shop API over HTTP: token, pace, and its answers as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.colorme.refusals import LANE, refusal
from connectors.colorme.tokens import Tokens
from connectors.contract import BadRecord, Pace, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.http import TIMEOUT, Answer, Http, retries

BASE_URL = "https://api.shop-pro.jp"
_JUDGED = frozenset({400, 401, 403, 404, 422, 429, 500, 502, 503, 504})


class ColorMeService:
    """Asks one question at a time. Settings: ``base_url``, ``timeout``."""

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

    @cached_property
    def _http(self) -> Http:
        return Http(user_agent="okaeri", timeout=self._timeout, retry=retries(total=0))

    @cached_property
    def tokens(self) -> Tokens:
        """The channel's token."""
        return Tokens(self._base_url, self._vault, self._http)

    def ask(self, path: str, question: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """Get ``/v1/<path>.json``. Raises NeedsPerson or TryLater."""
        token = self.tokens.access()
        now = self._clock()
        self._pace.take(LANE)
        answer = self._http.request(
            "GET",
            f"{self._base_url}/v1/{path}.json",
            judged=_JUDGED,
            params=question,
            headers={"Authorization": f"Bearer {token}"},
        )
        self.skew = skew(answer.headers, now)
        told = _json(answer)
        if problem := refusal(answer, told, self._pace, now):
            raise problem
        if not isinstance(told, Mapping):
            raise waiting.unreadable("no object")
        return told


def _json(answer: Answer) -> Any:
    """The answer; a refusal may come as a page, data may not."""
    try:
        return answer.json()
    except (BadRecord, TryLater) as error:
        if answer.status >= 400:
            return None
        raise waiting.unreadable("no whole JSON") from error
