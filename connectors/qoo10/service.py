"""The QSM API over HTTP: certification keys, the pace, and rows of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from connectors.contract import BadRecord, NeedsPerson, Pace, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.http import TIMEOUT, Answer, Http, Lane, retries
from connectors.kit.secrets import needed
from connectors.qoo10 import credentials
from connectors.qoo10.refusals import OLD_KEY, code_of, key_refused, login_refused, refusal

BASE_URL = "https://api.qoo10.jp/GMKT.INC.Front.QAPIService/ebayjapan.qapi"
ORDERS = "ShippingBasic.GetShippingInfo_v3"
CLAIMS = "ShippingBasic.GetClaimInfo_V3"
NEW_KEY = "CertificationAPI.CreateCertificationKey"
LANE = "calls"

_JUDGED = frozenset(range(300, 500)) - {408, 425, 429}
"""All that waiting does not mend: what such a page says is never shown, it may repeat a key."""

_BUYS = (credentials.API_KEY, credentials.USER_ID, credentials.PASSWORD)


class Qoo10Service:
    """Asks one question at a time. The vault is read at the first question, not before."""

    def __init__(self, settings: Mapping[str, Any], vault: Vault, pace: Pace) -> None:
        self._base_url = str(settings.get("base_url") or BASE_URL).rstrip("/")
        self._timeout = (5.0, float(settings.get("timeout") or TIMEOUT[1]))
        self._vault, self._pace = vault, pace
        self.skew = timedelta(0)
        """The source's clock less ours, by its latest answer."""

    @cached_property
    def _http(self) -> Http:
        lane = Lane(self._pace, LANE)
        return Http(user_agent="okaeri", timeout=self._timeout, retry=retries(total=0), lane=lane)

    def rows(self, method: str, question: Mapping[str, str]) -> list[Any]:
        """The rows a method tells. Raises NeedsPerson or TryLater."""
        key = self._vault.get(credentials.CERTIFICATION_KEY.name) or self._renewed("", "-")
        told, answer = self._asked(method, question, key)
        code = code_of(told)
        if code in OLD_KEY or (code is None and answer.status == 401):
            shown = f"HTTP {answer.status}" if code is None else str(code)
            told, answer = self._asked(method, question, self._renewed(key, shown))
        problem = refusal(code_of(told), answer.status)
        if problem is not None:
            raise problem
        found = told.get("ResultObject")
        if found is None:
            return []
        if not isinstance(found, list):
            raise waiting.unreadable(f"{method}: no list")
        return found

    def _renewed(self, refused: str, shown: str) -> str:
        """A key other than the one refused: another worker's, else a new one."""
        with self._vault.refreshing():
            present = self._vault.get(credentials.CERTIFICATION_KEY.name)
            if present and present != refused:
                return present
            if refused and not all(self._vault.get(one.name) for one in _BUYS):
                raise key_refused(shown)
            key = self._bought()
            self._vault.put(credentials.CERTIFICATION_KEY.name, key)
            return key

    def _bought(self) -> str:
        api_key, user_id, password = (needed(self._vault, one) for one in _BUYS)
        question = {"user_id": user_id, "pwd": password}
        told, answer = self._asked(NEW_KEY, question, api_key)
        code = code_of(told)
        if code is None and answer.status < 300:
            raise waiting.unreadable("no result code")
        if code != 0 or answer.status >= 300:
            raise login_refused(f"HTTP {answer.status}" if code is None else str(code))
        key = told.get("ResultObject")
        if not isinstance(key, str) or not key.strip():
            raise waiting.unreadable("no certification key")
        return key.strip()

    def _asked(
        self, method: str, question: Mapping[str, str], key: str
    ) -> tuple[Mapping[str, Any], Answer]:
        if not (key.isascii() and key.isprintable()):
            raise _no_key()
        self._pace.take(LANE)
        answer = self._http.request(
            "POST",
            f"{self._base_url}/{method}",
            judged=_JUDGED,
            headers={"GiosisCertificationKey": key, "QAPIVersion": "1.0"},
            data={"returnType": "application/json", **question},
        )
        self.skew = skew(answer.headers)
        return _object(answer), answer


def _object(answer: Answer) -> Mapping[str, Any]:
    """The answer as an object; empty for what came in place of an error."""
    try:
        told = answer.json()
    except TryLater:
        if answer.status >= 300:
            return {}
        raise
    except BadRecord as error:
        if answer.status >= 300:
            return {}
        raise waiting.unreadable(error.code) from error
    if isinstance(told, Mapping):
        return told
    if answer.status >= 300:
        return {}
    raise waiting.unreadable("no object")


def _no_key() -> NeedsPerson:
    return NeedsPerson(
        "Qoo10のキーに使えない文字があります。The key holds letters that no key has.",
        "APIキーと販売認証キーを、前後の文字を含めずに登録し直してください。"
        "Enter the API key and the certification key again, without anything around them.",
    )
