"""The result codes of the QSM API, sorted by what must happen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import ConnectorError, NeedsPerson
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable

OLD_KEY = frozenset({-10000, -90004, -90005})
"""The certification key is wrong or has ended: a new one may be had."""

_NOT_GRANTED = frozenset({-90002, -90003})
_NO_SUCH_METHOD = -90001
_ELSEWHERE = frozenset({*range(300, 400), 404})
_WRONG_QUESTION = frozenset({-10001, -10002, -10003, -10004})


def code_of(told: Mapping[str, Any]) -> int | None:
    """The result code; None for an answer that holds none that can be read."""
    try:
        return Fields(told).whole("ResultCode")
    except Unreadable:
        return None


def refusal(code: int | None, status: int) -> ConnectorError | None:
    """What to do about an answer that is none; None where it is one. Never quotes Qoo10's text."""
    if code == 0 and status < 300:
        return None
    if code in OLD_KEY or (code is None and status == 401):
        return key_refused(_shown(code, status))
    if code in _NOT_GRANTED or (code is None and status == 403):
        return _not_granted(_shown(code, status))
    if code == _NO_SUCH_METHOD or (code is None and status in _ELSEWHERE):
        return _no_such_method(_shown(code, status))
    if code in _WRONG_QUESTION or 300 <= status < 500:
        return _question_refused(_shown(code, status))
    shown = _shown(code, status)
    return waiting.unreadable(shown) if status < 300 and code is None else waiting.busy(shown)


def _shown(code: int | None, status: int) -> str:
    return f"HTTP {status}" if code is None else str(code)


def key_refused(shown: str) -> NeedsPerson:
    """The certification key does not work and no other can be had."""
    return NeedsPerson(
        f"Qoo10の販売認証キーが無効か期限切れです ({shown})。"
        "Qoo10's certification key is wrong or has expired.",
        "QSM で販売認証キーを発行して登録し直すか、"
        "APIキー・ログインID・パスワードを登録してください。"
        "Issue a new certification key in QSM and enter it, "
        "or enter API key, login id and password.",
    )


def login_refused(shown: str) -> NeedsPerson:
    """No certification key is given for what the shop entered."""
    return NeedsPerson(
        f"Qoo10が販売認証キーを発行しません ({shown})。Qoo10 issues no certification key.",
        "APIキー、QSM のログインIDとパスワードを確認し、登録し直してください。"
        "Check the API key, the QSM login id and the password, and enter them again.",
    )


def _not_granted(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"Qoo10がこのAPIの利用を許可していません ({shown})。Qoo10 has not granted this method.",
        "QSM でAPIの利用許可を確認し、ShippingBasic (注文照会・クレーム照会) を申請してください。"
        "Check in QSM which methods are granted, and apply for ShippingBasic (orders and claims).",
    )


def _no_such_method(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"Qoo10の接続先が見つかりません ({shown})。Qoo10 knows no such address.",
        "設定 base_url を確認し、コードを添えて開発者へ知らせてください。"
        "Check the setting base_url, and report the code.",
    )


def _question_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"Qoo10が質問の形を受け付けません ({shown})。Qoo10 refuses the form of the question.",
        "設定 window_days と since を確認し、コードを添えて開発者へ知らせてください。"
        "Check the settings window_days and since, and report the code.",
    )
