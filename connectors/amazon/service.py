"""Asks the Selling Partner API: token, pace, and refusals sorted by what must happen."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from urllib3.util.retry import Retry

from connectors.amazon.tokens import Tokens
from connectors.contract import BadRecord, ConnectorError, NeedsPerson, Pace, TryLater, Vault
from connectors.kit.clock import skew
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer, Http, retry_after

log = logging.getLogger(__name__)

LANE = "search"
RATE, BURST = 0.0056, 20.0
"""searchOrders per second and at once, until Amazon's header tells another rate."""

BASE_URL = "https://sellingpartnerapi-fe.amazon.com"
LOGIN_URL = "https://api.amazon.com"
PATH = "/orders/2026-01-01/orders"
AGENT = "Okaeri/1 (Language=Python)"
ONCE = Retry(1, connect=1, read=0, status=0, other=0, redirect=0, respect_retry_after_header=False)
"""A broken connection is tried again at once; each further search would cost three minutes."""

_JUDGED = frozenset({400, 401, 403, 404, 413, 415, 429})
_CODE = re.compile(r"[A-Za-z0-9_.]{1,60}")


@dataclass(frozen=True, slots=True)
class Found:
    """One answer of searchOrders; ``reached`` is up to when Amazon says it told."""

    orders: Sequence[Any]
    next_token: str | None
    reached: datetime | None
    skew: timedelta


class Refused(Exception):
    """Amazon calls the question itself wrong (HTTP 400)."""

    def __init__(self, shown: str) -> None:
        super().__init__(shown)
        self.shown = shown

    def lasting(self) -> NeedsPerson:
        """The error where the question cannot be put otherwise."""
        return NeedsPerson(
            f"Amazonが問い合わせを受け付けません ({self.shown})。Amazon refuses the question.",
            "チャネルの設定 (marketplace_ids、since) とこのサーバーの時計を確かめてください。"
            "Check the settings marketplace_ids and since, and this server's clock.",
        )


class AmazonService:
    """One channel's way to Amazon. Settings: ``base_url``, ``login_url``, ``timeout``."""

    def __init__(self, settings: Mapping[str, Any], vault: Vault, pace: Pace) -> None:
        timeout = float(settings.get("timeout") or 30)
        self._url = str(settings.get("base_url") or BASE_URL).rstrip("/") + PATH
        self._http = Http(user_agent=AGENT, timeout=(min(5.0, timeout), timeout), retry=ONCE)
        self._tokens = Tokens(str(settings.get("login_url") or LOGIN_URL), vault, self._http)
        self._pace, self._rate = pace, RATE

    def search(self, question: Mapping[str, str]) -> Found:
        """Call searchOrders. Raises Refused, NeedsPerson or TryLater."""
        token = self._tokens.access()
        answer = self._send(question, token)
        if answer.status in {401, 403}:  # also what an ended token gives
            answer = self._send(question, self._tokens.renewed(token))
        told = _json(answer)
        if answer.status >= 400 or "orders" not in told:
            raise self._refusal(answer, _code(told))
        orders = told["orders"]
        if not isinstance(orders, list):
            raise TryLater(f"{answer.url}: orders is no list")
        fields = Fields(told)
        try:
            token_next = fields.node("pagination").text("nextToken")
            reached = fields.moment("lastUpdatedBefore")
        except Unreadable as error:
            raise TryLater(f"{answer.url}: {error.reason}") from error
        return Found(orders, token_next, reached, skew(answer.headers))

    def _send(self, question: Mapping[str, str], token: str) -> Answer:
        self._pace.take(LANE)
        answer = self._http.request(
            "GET", self._url, judged=_JUDGED, params=question,
            headers={"x-amz-access-token": token},
        )  # fmt: skip
        request_id = answer.headers.get("x-amzn-requestid", "")
        log.info("amazon_answered", extra={"status": answer.status, "request_id": request_id})
        self._learn(answer)
        return answer

    def _learn(self, answer: Answer) -> None:
        """Take over another rate; how many searches are left is unsaid, so our count stays."""
        try:
            rate = float(answer.headers.get("x-amzn-ratelimit-limit", ""))
        except ValueError:
            return
        if 0 < rate < 1000 and rate != self._rate:
            self._rate = rate
            self._pace.learn(LANE, restore_per_second=rate)

    def _refusal(self, answer: Answer, code: str) -> ConnectorError | Refused:
        shown = f"HTTP {answer.status} {code}".rstrip()
        if answer.status == 429 or code == "QuotaExceeded":
            wait = max(retry_after(answer.headers) or 0.0, 1 / self._rate)
            self._pace.exhausted(LANE, datetime.now(UTC) + timedelta(seconds=wait))
            return TryLater(f"{answer.url}: {shown}", wait)
        if answer.status < 300:
            return TryLater(f"{answer.url}: the answer holds no orders ({shown})")
        if answer.status in {401, 403}:
            return NeedsPerson(
                f"Amazonが注文の読み取りを許可していません ({shown})。"
                "Amazon does not allow reading orders.",
                "セラーセントラルでアプリの認証と権限 (在庫と注文の追跡など) を確認し、認証し直して"
                "リフレッシュトークンを登録してください。"
                "Check the app's authorisation and roles, authorise it again, enter the new token.",
            )
        if answer.status == 400:
            return Refused(shown)
        return NeedsPerson(
            f"Amazonの注文APIが見つかりません ({shown})。Amazon's order API is not there.",
            "base_url を確かめてください。Check base_url.",
        )


def _json(answer: Answer) -> Mapping[str, Any]:
    """The object of an answer; a refusal may come without one, data may not."""
    try:
        told = answer.json()
    except (BadRecord, TryLater) as error:
        if answer.status >= 400:
            return {}
        raise TryLater(f"{answer.url}: no whole JSON came") from error
    return told if isinstance(told, Mapping) else {}


def _code(told: Mapping[str, Any]) -> str:
    """Amazon's own word for the error; its message could quote what was asked."""
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, Mapping) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
