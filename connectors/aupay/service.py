"""The Wow! manager API over HTTP: the key header, the pace, and orders cut out of its XML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.aupay import credentials
from connectors.aupay.refusals import refusal
from connectors.contract import Pace, Vault
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import TIMEOUT, Answer, Http, Lane, retries
from connectors.kit.markup import BrokenXml, Tree, parse
from connectors.kit.redaction import redact_text
from connectors.kit.secrets import needed

BASE_URL = "https://api.manager.wowma.jp/wmshopapi"
ORDERS = "searchTradeInfoListProc"
LANE = "orders"

_JUDGED = frozenset({400, 401, 403, 404})
_NUMBER = re.compile(rb"<orderId>\s*([0-9A-Za-z-]{1,64})\s*</orderId>")
_MESSAGE = 200
"""Characters of a message that are shown."""


class UnreadableRows(Exception):
    """An answer that does hold orders but is no XML: one of these ``numbers`` breaks it."""

    def __init__(self, reason: str, numbers: tuple[str, ...]) -> None:
        super().__init__(reason)
        self.numbers = numbers


@dataclass(frozen=True, slots=True)
class Question:
    """Rows ``start`` (from 1) to ``start + size - 1`` of the orders of some days, both included.

    ``date_type``: 0 the day of the order, 1 of the parcel, 2 of the payment.
    """

    first: date
    last: date
    date_type: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Told:
    """Orders as they stand in the answer, and ``resultCount``: of the answer or of the window."""

    orders: tuple[Mapping[str, Any], ...]
    count: int | None


class AuPayService:
    """Sends one question at a time. The vault is read at the first question, not before."""

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
    def _key(self) -> str:
        return needed(self._vault, credentials.API_KEY)

    @cached_property
    def _shop_id(self) -> str:
        return needed(self._vault, credentials.SHOP_ID)

    @property
    def behind(self) -> timedelta:
        """How far the source's clock is behind ours; zero where it is ahead."""
        return max(timedelta(0), -self.skew)

    @cached_property
    def _http(self) -> Http:
        lane = Lane(self._pace, LANE)
        return Http(user_agent="okaeri", timeout=self._timeout, retry=retries(total=0), lane=lane)

    def orders(self, question: Question) -> Told:
        """Ask for orders. Raises NeedsPerson, TryLater or UnreadableRows."""
        response = self._read(self._send(question))
        nodes = response.nodes("orderInfo")
        return Told(tuple(node.tree() for node in nodes), response.whole("resultCount"))

    def _send(self, question: Question) -> Answer:
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        params = {
            "shopId": self._shop_id,
            "totalCount": str(question.size),
            "startCount": str(question.start),
            "startDate": f"{question.first:%Y%m%d}",
            "endDate": f"{question.last:%Y%m%d}",
            "dateType": str(question.date_type),
        }
        self._pace.take(LANE)
        now = self._clock()
        answer = self._http.request(
            "GET", f"{self._base_url}/{ORDERS}", judged=_JUDGED, params=params, headers=headers
        )
        self.skew = skew(answer.headers, now)
        return answer

    def _read(self, answer: Answer) -> Fields:
        """The ``response`` of an answer that is well. Both HTTP and its own status may refuse."""
        response = self._parsed(answer)
        try:
            result = response.node("result")
            status, error = result.text("status"), result.node("error")
            code, message = error.text("code") or "", error.text("message") or ""
            message = message or result.text("message") or ""
            response.whole("resultCount")
        except Unreadable as problem:
            raise waiting.unreadable(problem.field) from problem
        if answer.status >= 400 or status not in {"0", None} or code:
            shown = redact_text(message, (self._key,))[:_MESSAGE]
            raise refusal(answer.status, code[:_MESSAGE], shown)
        if status is None:
            raise waiting.unreadable("no result")
        return response

    def _parsed(self, answer: Answer) -> Fields:
        try:
            told: Tree = parse(answer.body)
        except BrokenXml as error:
            if answer.status >= 400:
                raise refusal(answer.status, "", "") from error
            if error.cut or b"<orderInfo" not in answer.body:
                raise waiting.unreadable(f"no XML: {error}") from error
            numbers = tuple(one.decode() for one in _NUMBER.findall(answer.body))
            raise UnreadableRows(str(error), numbers) from error
        return Fields(told).node("response")
