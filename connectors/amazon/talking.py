"""One request at a time to the Selling Partner API: token, pace, and the rate that Amazon tells."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from urllib3.util.retry import Retry

from connectors.amazon.tokens import Tokens
from connectors.contract import BadRecord, Pace, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.http import Answer, Http, retry_after
from connectors.kit.redaction import redact_text

log = logging.getLogger(__name__)

BASE_URL = "https://sellingpartnerapi-fe.amazon.com"
LOGIN_URL = "https://api.amazon.com"
AGENT = "Okaeri/1 (Language=Python)"
ONCE = Retry(1, connect=1, read=0, status=0, other=0, redirect=0, respect_retry_after_header=False)
"""A connection that cannot be made is tried again at once; what was sent is never repeated."""

JUDGED = frozenset({400, 401, 403, 404, 413, 415, 429})
_EVERY = range(100, 600)
_CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")
_LONGEST = 200


class Talk:
    """One channel's line to Amazon. Settings: ``base_url``, ``login_url``, ``timeout``.

    ``rates`` are requests per second by lane, until Amazon's header tells another.
    """

    def __init__(
        self, settings: Mapping[str, Any], vault: Vault, pace: Pace, rates: Mapping[str, float]
    ) -> None:
        timeout = float(settings.get("timeout") or 30)
        self._url = str(settings.get("base_url") or BASE_URL).rstrip("/")
        self._http = Http(user_agent=AGENT, timeout=(min(5.0, timeout), timeout), retry=ONCE)
        self._tokens = Tokens(str(settings.get("login_url") or LOGIN_URL), vault, self._http)
        self._pace, self._rates = pace, dict(rates)

    def get(self, lane: str, path: str, query: Mapping[str, str]) -> Answer:
        """Read; a refused token is renewed once. Raises NeedsPerson or TryLater."""
        token = self._tokens.access()
        answer = self._read(lane, path, query, token)
        if answer.status in {401, 403}:  # also what an ended token gives
            answer = self._read(lane, path, query, self._tokens.renewed(token))
        return answer

    def ready(self, lane: str) -> str:
        """A place on the lane and the token for ``post``. Raises NeedsPerson or TryLater."""
        token = self._tokens.access()
        self._pace.take(lane)
        return token

    def post(self, lane: str, path: str, query: Mapping[str, str], token: str) -> Answer:
        """Send one request without a body, once; every whole answer is given back.

        Raises where none came: then nobody knows whether the request arrived.
        """
        return self._ask("POST", lane, path, query, token, _EVERY)

    def over_quota(self, lane: str, answer: Answer) -> TryLater:
        """Close the lane for everybody, and give the error that says for how long."""
        wait = max(retry_after(answer.headers) or 0.0, 1 / self._rates[lane])
        self._pace.exhausted(lane, datetime.now(UTC) + timedelta(seconds=wait))
        return waiting.limited(wait, status_of(answer))

    def _read(self, lane: str, path: str, query: Mapping[str, str], token: str) -> Answer:
        self._pace.take(lane)
        return self._ask("GET", lane, path, query, token, JUDGED)

    def _ask(
        self, method: str, lane: str, path: str, query: Mapping[str, str], token: str, judged: Any
    ) -> Answer:
        answer = self._http.request(
            method, self._url + path, judged=judged, params=query,
            headers={"x-amz-access-token": token},
        )  # fmt: skip
        request_id = answer.headers.get("x-amzn-requestid", "")
        log.info("amazon_answered", extra={"status": answer.status, "request_id": request_id})
        self._learn(lane, answer)
        return answer

    def _learn(self, lane: str, answer: Answer) -> None:
        """Take over another rate; how many places are left is unsaid, so our count stays."""
        try:
            rate = float(answer.headers.get("x-amzn-ratelimit-limit", ""))
        except ValueError:
            return
        if 0 < rate < 1000 and rate != self._rates[lane]:
            self._rates[lane] = rate
            self._pace.learn(lane, restore_per_second=rate)


def json_of(answer: Answer) -> Mapping[str, Any]:
    """The object of an answer; a refusal may come without one, data may not."""
    try:
        told = answer.json()
    except (BadRecord, TryLater) as error:
        if answer.status >= 400:
            return {}
        raise waiting.unreadable("no whole JSON") from error
    return told if isinstance(told, Mapping) else {}


def code_of(answer: Answer) -> str:
    """Amazon's own word for the error; empty where it says none."""
    code = _first_error(answer).get("code")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def status_of(answer: Answer) -> str:
    """The status and Amazon's word for it."""
    return f"HTTP {answer.status} {code_of(answer)}".rstrip()


def in_words(answer: Answer) -> str:
    """The same with Amazon's sentence, cut and masked: for requests that name nobody."""
    message = _first_error(answer).get("message")
    if not isinstance(message, str) or not message.strip():
        return status_of(answer)
    return f"{status_of(answer)}: {redact_text(' '.join(message.split()))[:_LONGEST]}"


def _first_error(answer: Answer) -> Mapping[str, Any]:
    if answer.status < 400:
        return {}
    errors = json_of(answer).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, Mapping) else {}
