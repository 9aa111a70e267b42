"""What EC-CUBE's refusals mean for us: by HTTP status, and by the words inside an answer of 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import ConnectorError, NeedsPerson
from connectors.kit.http import Answer
from connectors.kit.redaction import redact_text
from connectors.kit.waiting import busy

_MOVED = "ショップが別のアドレスへ転送します。The shop forwards to another address"
_PROBLEMS = {
    400: "ショップが問い合わせを受け付けません。The shop refuses the question",
    401: "ショップがログインを受け付けません。The shop does not accept the login",
    403: "ショップのサーバーが接続を拒みました。The shop's server refuses the connection",
    404: "Web API が見つかりません。There is no Web API at this address",
}
_MOVE = (
    "設定 base_url を、ブラウザで開いたときの最終的な https のアドレスにしてください。"
    "Set base_url to the https address a browser ends at."
)
_REMEDIES = {
    400: "Web API プラグインを更新し、続く場合は開発者へ知らせてください。"
    "Update the Web API plugin; report it if that does not help.",
    401: "システム管理者がもう一度ログインして許可してください。続く場合は、サーバーが "
    "Authorization ヘッダーをPHPに渡しているか確かめてください。"
    "A system administrator must log in again and grant the access. If that does not help, check "
    "that the server hands the Authorization header on to PHP.",
    403: "クライアントに read のスコープがあるか、WAF やIPアドレス制限が /api を"
    "止めていないか確かめてください。"
    "Check that the client has the scope read, and that no firewall or address list of the "
    "server stops /api.",
    404: "設定 base_url と、Web API プラグインが有効か確かめてください。"
    "Check base_url, and that the Web API plugin is enabled.",
}
JUDGED = frozenset({301, 302, 307, 308, 400, 401, 403, 404})


def refused(answer: Answer) -> NeedsPerson:
    """The error for an answer whose status is in ``JUDGED``."""
    problem = _PROBLEMS.get(answer.status, _MOVED)
    remedy = _REMEDIES.get(answer.status, _MOVE)
    return NeedsPerson(f"{problem} (HTTP {answer.status}).", remedy)


def broken_nodes(data: Mapping[str, Any]) -> frozenset[int]:
    """Look at ``errors``: the places of the orders that the shop could not tell whole.

    Raises NeedsPerson or TryLater for an error that is not of one order.
    """
    errors = data.get("errors")
    if not errors:
        return frozenset()
    told = [one for one in errors if isinstance(one, Mapping)] if isinstance(errors, list) else []
    places = [_place(one) for one in told]
    if told and None not in places:
        return frozenset(place for place in places if place is not None)
    words = "; ".join(str(one.get("message") or "") for one in told) or str(errors)
    raise _meant(words, _is_internal(told))


def _place(error: Mapping[str, Any]) -> int | None:
    """The 3 of ``["orders", "nodes", 3, "Customer"]``."""
    path = error.get("path")
    if not isinstance(path, list) or len(path) < 3 or path[:2] != ["orders", "nodes"]:
        return None
    return path[2] if isinstance(path[2], int) else None


def _is_internal(errors: list[Mapping[str, Any]]) -> bool:
    return any("internal server error" in str(one.get("message")).lower() for one in errors)


def _meant(words: str, internal: bool) -> ConnectorError:
    shown = redact_text(words)[:300]
    if internal:
        return busy("EC-CUBE internal server error")
    if "Insufficient permission" in words:
        return NeedsPerson(
            f"注文を読む権限がありません。The client may not read orders: {shown}",
            "OAuth管理でクライアントに read を付け、もう一度ログインして許可してください。"
            "Give the client the scope read, log in again and grant it.",
        )
    if "Unknown argument" in words and "_date" in words:
        return NeedsPerson(
            f"日時で検索できません。The shop cannot be searched that way: {shown}",
            "EC-CUBE 4.0 では設定 search_by を date に、4.1 以降では datetime にしてください。"
            "Set search_by to date for EC-CUBE 4.0, to datetime for 4.1 and later.",
        )
    if "Cannot query field" in words:
        return NeedsPerson(
            f"必要な項目を読めません。A field that is needed cannot be read: {shown}",
            "Web API プラグインを更新してください。項目を制限している場合は許可してください。"
            "Update the Web API plugin; where its fields were restricted, allow this one.",
        )
    return NeedsPerson(
        f"EC-CUBEが問い合わせを受け付けません ({shown})。EC-CUBE refuses the question ({shown}).",
        "Web API プラグインを更新し、続く場合は開発者へ知らせてください。"
        "Update the Web API plugin; report it if that does not help.",
    )
