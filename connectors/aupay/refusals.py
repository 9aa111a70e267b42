"""Wow! manager's refusals, sorted by what must happen.

No list of its error codes is published: a refusal is known by its HTTP status and by the plain
words of its message, and whatever nobody explained is shown as it came.
"""

from __future__ import annotations

import unicodedata

from connectors.contract import ConnectorError, NeedsPerson
from connectors.kit import waiting

_CSV = (
    "それまでは受注管理のCSVを取り込めます。"
    "Until then, take in the CSV of Wow! manager's order page."
)
_ADDRESS = ("ipアドレス", "ip address", "接続元")
_KEY = ("apiキー", "認証", "有効期限", "authori", "authenti", "token")
_SHOP = ("店舗id", "shopid", "会員番号")


def refusal(status: int, code: str, message: str) -> ConnectorError:
    """What to do about an answer that is none. ``message`` holds no secret any more."""
    shown = " ".join(filter(None, (f"HTTP {status}" if status >= 400 else "", code, message)))
    words = unicodedata.normalize("NFKC", message).lower()
    if any(word in words for word in _ADDRESS):
        return _address_refused(shown)
    if status == 401 or any(word in words for word in _KEY):
        return _key_refused(shown)
    if any(word in words for word in _SHOP):
        return _shop_refused(shown)
    if status == 403:
        return _let_in_by_nobody(shown)
    return _question_refused(shown) if status >= 400 else waiting.busy(shown or "?")


def _key_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"au PAY マーケットのAPIキーが無効か期限切れです ({shown})。"
        "The API key of au PAY Market is wrong or has ended.",
        "Wow! manager の「各種お申し込み」→「API利用申請」で期限を確認し、"
        "発行し直したキーを登録してください。"
        f"Look at its end in Wow! manager, and enter a newly issued key. {_CSV}",
    )


def _address_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"このサーバーのIPアドレスがWow! manager に登録されていません ({shown})。"
        "This server's address is not registered in Wow! manager.",
        "「API利用申請」の接続元IPアドレスに、このサーバーの固定IPアドレスを登録してください。"
        f"Register this server's fixed outgoing IP address. {_CSV}",
    )


def _let_in_by_nobody(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"au PAY マーケットが接続を拒否しました ({shown})。au PAY Market refuses the connection.",
        "Wow! manager の「API利用申請」で、接続元IPアドレスとAPIキーの期限を確認してください。"
        f"Check the registered IP address and the end of the key in Wow! manager. {_CSV}",
    )


def _shop_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"店舗IDがAPIキーと合いません ({shown})。The shop id does not fit the API key.",
        "Wow! manager に表示される店舗ID (会員番号) を登録し直してください。"
        "Enter the shop id shown in Wow! manager again.",
    )


def _question_refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"au PAY マーケットが問い合わせを受け付けません ({shown})。"
        "au PAY Market refuses the question.",
        "設定 base_url、page_size、since を確認し、コードを添えて開発者へ知らせてください。"
        "Check the settings base_url, page_size and since, and report the code.",
    )
