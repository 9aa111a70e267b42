"""Asks searchOrders of the Selling Partner API: refusals sorted by what must happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.amazon.talking import Talk, code_of, json_of, status_of
from connectors.contract import ConnectorError, NeedsPerson
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer

LANE = "search"
RATE, BURST = 0.0056, 20.0
"""searchOrders per second and at once, until Amazon's header tells another rate."""

PATH = "/orders/2026-01-01/orders"


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
    """Searches of one channel."""

    def __init__(self, talk: Talk) -> None:
        self._talk = talk

    def search(self, question: Mapping[str, str]) -> Found:
        """Call searchOrders. Raises Refused, NeedsPerson or TryLater."""
        answer = self._talk.get(LANE, PATH, question)
        told = json_of(answer)
        if answer.status >= 400 or "orders" not in told:
            raise self._refusal(answer)
        orders = told["orders"]
        if not isinstance(orders, list):
            raise waiting.unreadable("no list")
        fields = Fields(told)
        try:
            token_next = fields.node("pagination").text("nextToken")
            reached = fields.moment("lastUpdatedBefore")
        except Unreadable as error:
            raise waiting.unreadable(error.field) from error
        return Found(orders, token_next, reached, skew(answer.headers))

    def _refusal(self, answer: Answer) -> ConnectorError | Refused:
        shown = status_of(answer)
        if answer.status == 429 or code_of(answer) == "QuotaExceeded":
            return self._talk.over_quota(LANE, answer)
        if answer.status < 300:
            return waiting.unreadable(f"no orders, {shown}")
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
