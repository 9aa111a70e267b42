"""RMS WEB SERVICE over HTTP: the key header, the pace, and its refusals in words."""

from __future__ import annotations

import base64
import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from connectors.contract import (
    BadRecord,
    ConnectorError,
    Credential,
    NeedsPerson,
    Pace,
    TryLater,
    Vault,
)
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import TIMEOUT, Answer, Http, Lane, retries
from connectors.kit.secrets import needed

log = logging.getLogger(__name__)

BASE_URL = "https://api.rms.rakuten.co.jp"
SEARCH = "/es/2.0/order/searchOrder/"
GET = "/es/2.0/order/getOrder/"
EXPIRY = "/es/1.0/license-management/license-key/expiry-date"
LANE = "orders"

SERVICE_SECRET = Credential(
    "service_secret",
    "サービスシークレット (serviceSecret)",
    "Service secret",
    "RMS の「拡張サービス一覧」→「WEB APIサービス」→「利用設定」にあります。",
    "RMS: 拡張サービス一覧, WEB APIサービス, 利用設定.",
)
LICENSE_KEY = Credential(
    "license_key",
    "ライセンスキー (licenseKey)",
    "Licence key",
    "RMS の「WEB APIサービス」→「利用設定」で発行します。90日ごとに手で再発行が必要です。",
    "RMS: WEB APIサービス, 利用設定. It must be issued again by hand every 90 days.",
    lifetime_days=90,
)

_CODE = re.compile(r"ES\d\d-\d\d|ORDER_EXT_API_[A-Z_]+_(?:ERROR|WARNING)_\d{3}")
_STATUSES = frozenset({400, 401, 403})
_WRONG_QUESTION = frozenset({"009", "010", "011"})


class RakutenService:
    """Sends one question at a time. The vault is read at the first question, not before."""

    def __init__(self, settings: Mapping[str, Any], vault: Vault, pace: Pace) -> None:
        self._base_url = str(settings.get("base_url") or BASE_URL).rstrip("/")
        self._timeout = (5.0, float(settings.get("timeout") or TIMEOUT[1]))
        self._vault, self._pace = vault, pace
        self.skew = timedelta(0)
        """The source's clock less ours, by its latest answer."""

    @cached_property
    def _secrets(self) -> tuple[str, str]:
        return needed(self._vault, SERVICE_SECRET), needed(self._vault, LICENSE_KEY)

    @cached_property
    def _key(self) -> str:
        joined = ":".join(self._secrets)
        return "ESA " + base64.b64encode(joined.encode()).decode()

    @cached_property
    def _http(self) -> Http:
        lane = Lane(self._pace, LANE)
        return Http(user_agent="okaeri", timeout=self._timeout, retry=retries(total=0), lane=lane)

    def ask(self, path: str, question: Mapping[str, Any]) -> Mapping[str, Any]:
        """Post a question and give the answer. Raises NeedsPerson or TryLater."""
        body = json.dumps(question, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8"}  # 415 without the charset
        answer = self._send("POST", path, data=body, headers=headers)
        for message in messages(answer):
            if message.word("messageType") == "WARNING":
                log.warning("rms_warned", extra={"code": message.word("messageCode")})
        return answer

    def licence_expiry(self) -> datetime | None:
        """When the licence key ends, or None where the shop has not allowed to ask.

        What was learnt is put into the vault, so that it is shown. Raises TryLater.
        """
        key = self._secrets[1]
        try:
            answer = self._send("GET", EXPIRY, params={"licenseKey": key}, headers={})
        except NeedsPerson:  # the function license.expiryDate.get is not ticked: orders still work
            log.warning("licence_expiry_unknown")
            return None
        try:
            found = Fields(answer).moment("expiryDate")
        except Unreadable:
            log.warning("licence_expiry_unreadable")
            return None
        if found is not None:
            self._vault.put(LICENSE_KEY.name, key, found)
        return found

    def _send(
        self, method: str, path: str, headers: dict[str, str], **options: Any
    ) -> Mapping[str, Any]:
        self._pace.take(LANE)
        answer = self._http.request(
            method,
            self._base_url + path,
            judged=_STATUSES,
            headers=headers | {"Authorization": self._key},
            **options,
        )
        self.skew = skew(answer.headers)
        told = _object(answer)
        refused = _refusal(answer.status, answer.excerpt(2000) if told is None else told)
        if refused is not None:
            raise refused
        if told is None:
            raise waiting.unreadable("no object")
        return told


def _object(answer: Answer) -> Mapping[str, Any] | None:
    try:
        told = answer.json()
    except BadRecord as error:
        if answer.status >= 400:
            return None
        raise waiting.unreadable(error.code) from error
    except TryLater:
        if answer.status >= 400:
            return None
        raise
    return told if isinstance(told, Mapping) else None


def messages(answer: Mapping[str, Any]) -> list[Fields]:
    """The messages of an answer, informations included."""
    return Fields(answer).nodes("MessageModelList")


def _refusal(status: int, told: Mapping[str, Any] | str) -> ConnectorError | None:
    """What to do about an answer that is none; None where it is one.

    Errors that name an order number belong to that order and are no refusal of the whole.
    """
    if isinstance(told, Mapping) and "OrderModelList" in told and told["OrderModelList"]:
        return None
    errors = _error_codes(told)
    if status < 400 and not errors:
        return None
    for code in errors:
        if found := _known(code):
            return found
    shown = ", ".join(errors) or f"HTTP {status}"
    if status in {401, 403}:
        return _key_refused(shown)
    if status == 400:
        return _question_refused(shown)
    return waiting.busy(f"RMS {shown}")


def _error_codes(told: Mapping[str, Any] | str) -> list[str]:
    if isinstance(told, str):
        return _CODE.findall(told)
    if "MessageModelList" not in told:
        return _CODE.findall(json.dumps(told, ensure_ascii=False)[:2000])
    return [
        message.word("messageCode") or "?"
        for message in messages(told)
        if message.word("messageType") == "ERROR" and not message.word("orderNumber")
    ]


def _known(code: str) -> NeedsPerson | None:
    if code == "ES01-01":
        return _key_refused(code)
    if code == "ES04-01":
        return NeedsPerson(
            f"楽天が接続を拒否しました ({code})。Rakuten refuses the connection.",
            "RMS の WEB APIサービス→利用設定で、受注検索・受注取得の機能にチェックがあるか"
            "確認してください。ライセンスキーを再発行した直後なら 30 分ほど待って再開してください。"
            "Tick the functions for orders in the usage settings; "
            "a key issued a moment ago works after up to 30 minutes.",
        )
    return _question_refused(code) if code[-3:] in _WRONG_QUESTION else None


def _key_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"楽天のライセンスキーが無効か期限切れです ({shown})。"
        "Rakuten's licence key is wrong or has expired.",
        "RMS の WEB APIサービス→利用設定で期限を確認し、再発行したキーを登録してください。"
        "再発行の直後は 30 分ほど使えないことがあります。Enter the key shown in RMS, or a new one.",
    )


def _question_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"楽天が質問の形を受け付けません ({shown})。Rakuten refuses the form of the question.",
        "設定 version と base_url を確認し、コードを添えて開発者へ知らせてください。"
        "Check the settings version and base_url, and report the code.",
    )
