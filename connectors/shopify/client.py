"""Asks a shop's Admin GraphQL API: tokens, cost, and answers that fail with HTTP 200."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from urllib3.util.retry import Retry

from connectors.contract import BadRecord, Pace, Vault
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.http import Answer, Http, retry_after
from connectors.shopify.refusals import TooCostly, raise_for_errors, refused
from connectors.shopify.settings import TalkSettings
from connectors.shopify.tokens import Tokens

log = logging.getLogger(__name__)

LANE = "points"
AGENT = "Okaeri"
_GUESS = 100.0
"""Points an operation is taken to cost until its first answer has told."""

_BUCKET = 1000.0
"""Points of a full bucket until the first answer has told."""

_ONCE = Retry(1, connect=1, read=0, status=0, other=0, redirect=0, respect_retry_after_header=False)
_JUDGED = frozenset({401, 402, 403, 404, 423, 429, 430, 503})
_MOST_TRIES = 4


@dataclass(frozen=True, slots=True)
class Told:
    """The data of an answer without errors, and how far Shopify's clock is from ours."""

    data: Mapping[str, Any]
    skew: timedelta
    version: str


class Client:
    """One channel's way to its shop."""

    def __init__(self, settings: TalkSettings, vault: Vault, pace: Pace) -> None:
        self._settings, self._pace = settings, pace
        self._http = Http(
            user_agent=AGENT,
            timeout=(min(5.0, settings.timeout), settings.timeout),
            retry=_ONCE,
        )
        self._tokens = Tokens(settings.base_url, vault, self._http)
        self._costs: dict[str, float] = {}
        self._most = _BUCKET

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> Told:
        """Run one operation. Raises TooCostly, NeedsPerson or TryLater.

        A refusal for cost (THROTTLED with HTTP 200) is waited for briefly and tried again:
        nothing was run. So is an answer 401 where the token can be renewed.
        """
        name = query.split("(")[0].split("{")[0].strip()
        wait = 0.0
        for _ in range(_MOST_TRIES):
            # Never more than half the bucket: who reads at half pace asks for twice as much.
            self._pace.take(LANE, min(self._costs.get(name, _GUESS), self._most / 2))
            answer, data = self._post(query, variables or {})
            wait = self._learn(name, data)
            if not self._throttled(name, data):
                told = data.get("data")
                if not isinstance(told, Mapping):
                    raise waiting.unreadable("no data")
                version = answer.headers.get("x-shopify-api-version", "")
                return Told(told, skew(answer.headers), version)
            self._pace.exhausted(LANE, datetime.now(UTC) + timedelta(seconds=wait))
        raise waiting.limited(max(wait, 1.0), "THROTTLED")

    def _throttled(self, name: str, data: Mapping[str, Any]) -> bool:
        try:
            return raise_for_errors(data)
        except TooCostly:
            self._costs.pop(name, None)  # the smaller one that follows tells its own cost
            raise

    def _post(self, query: str, variables: Mapping[str, Any]) -> tuple[Answer, Mapping[str, Any]]:
        url = f"{self._settings.base_url}/admin/api/{self._settings.version}/graphql.json"
        body = {"query": query, "variables": variables}
        token = self._tokens.current()
        answer = self._send(url, token, body)
        if answer.status == 401 and self._tokens.renewable():
            answer = self._send(url, self._tokens.renewed(token), body)
        if answer.status >= 300:
            self._close_lane(answer)
            raise refused(answer)
        try:
            data = answer.json()
        except BadRecord as error:
            raise waiting.unreadable(error.code) from error
        if not isinstance(data, Mapping):
            raise waiting.unreadable("no object")
        return answer, data

    def _send(self, url: str, token: str, body: Mapping[str, Any]) -> Answer:
        headers = {"X-Shopify-Access-Token": token}
        return self._http.request("POST", url, judged=_JUDGED, json=body, headers=headers)

    def _close_lane(self, answer: Answer) -> None:
        wait = retry_after(answer.headers)
        if wait is not None:
            self._pace.exhausted(LANE, datetime.now(UTC) + timedelta(seconds=wait))

    def _learn(self, name: str, data: Mapping[str, Any]) -> float:
        """Take over what the answer says of cost; gives the wait for the same again, in s."""
        extensions = data.get("extensions")
        cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
        bucket = cost.get("throttleStatus") if isinstance(cost, Mapping) else None
        if not isinstance(cost, Mapping) or not isinstance(bucket, Mapping):
            return 1.0
        wanted = _number(cost.get("requestedQueryCost"))
        left, rate = _number(bucket.get("currentlyAvailable")), _number(bucket.get("restoreRate"))
        if wanted > 0:
            self._costs[name] = wanted
        self._most = _number(bucket.get("maximumAvailable")) or self._most
        self._pace.learn(LANE, left=left, restore_per_second=rate)
        return max(0.0, wanted - left) / rate if rate > 0 else 1.0

    def download(self, url: str, target: BinaryIO) -> None:
        """Write the file of a bulk operation; the token does not travel there."""
        began = time.monotonic()
        size = self._http.download(url, target)
        seconds = round(time.monotonic() - began, 1)
        log.info("shopify_bulk_file_read", extra={"bytes": size, "seconds": seconds})


def _number(value: Any) -> float:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if right else 0.0
