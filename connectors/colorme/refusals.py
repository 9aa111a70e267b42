"""The errors of the Color Me Shop API, sorted by what must happen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import ConnectorError, NeedsPerson, Pace
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer, retry_after
from connectors.kit.waiting import busy

LANE = "calls"

_PAUSE = timedelta(minutes=1)
"""How long nobody asks after a refusal for asking too often that names no time."""


class NotGranted(NeedsPerson):
    """The token lacks the right to this question; it may have that to another one."""


_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


def error_of(told: Any) -> tuple[int, str]:
    """Status and code of the first error in an answer, (0, "") where there is none.

    The message is left out: it could quote what was asked.
    """
    if not isinstance(told, Mapping) or not told.get("errors"):
        return 0, ""
    first = Fields(told).node("errors")
    try:
        return first.whole("status") or 0, str(first.whole("code") or "?")
    except Unreadable:
        return 0, "?"


def refusal(answer: Answer, told: Any, pace: Pace, now: datetime) -> ConnectorError | None:
    """What an answer that is an error asks for; None where it is none."""
    status, code = error_of(told)
    if answer.status < 400 and not code:
        return None
    status = answer.status if answer.status >= 400 else status
    shown = f"HTTP {status} {code}".rstrip()
    if status in _LATER:
        wait = retry_after(answer.headers)
        if status == 429:
            pause = _PAUSE if wait is None else timedelta(seconds=wait)
            pace.exhausted(LANE, now + pause)
            wait = pause.total_seconds()
        return busy(shown, wait)
    return _needs_person(status, shown)


def _needs_person(status: int, shown: str) -> NeedsPerson:
    if status == 401:
        return NeedsPerson(
            f"アクセストークンが受け付けられません ({shown})。The access token is refused.",
            "ショップの管理画面で、許可済みアプリケーションから外されていないか確認し、"
            "オーナーがもう一度ログインするか、新しいトークンを登録してください。"
            "See whether the app was removed in the shop; log in again or enter a new token.",
        )
    if status == 403:
        return NotGranted(
            f"受注を読む権限がありません ({shown})。The right to read orders is missing.",
            "オーナーがもう一度ログインし、read_sales (受注・顧客データの参照) を許可してください。"
            "ショップの契約プランでAPIが使えるかも確認してください。"
            "Let the owner log in again and grant read_sales; check that the shop's plan has the "
            "API.",
        )
    if status == 404:
        return NeedsPerson(
            f"カラーミーショップのAPIが見つかりません ({shown})。The API is not there.",
            "設定 base_url を確かめてください。Check the setting base_url.",
        )
    return NeedsPerson(
        f"カラーミーショップが問い合わせを断りました ({shown})。The question is refused.",
        "設定 page_size と since を確かめ、続く場合はコードを添えて開発者へ知らせてください。"
        "Check page_size and since; if that does not help, report the code.",
    )


def app_refused(shown: str) -> NeedsPerson:
    """The token desk does not take the code or the app."""
    return NeedsPerson(
        f"ログインを完了できませんでした ({shown})。The login could not be completed.",
        "認可コードの有効期限は10分、使えるのは一度だけです。もう一度ログインしてください。続くときは"
        "クライアントID・シークレット・リダイレクトURLがアプリの登録と同じか確認してください。"
        "The code works once and for ten minutes: log in again. If that does not help, compare "
        "client id, secret and redirect URL with the app's registration.",
    )


def without_right() -> NeedsPerson:
    """A login that granted something else."""
    return NeedsPerson(
        "read_sales が許可されていません。The login did not grant read_sales.",
        "もう一度ログインし、受注・顧客データの参照を許可してください。"
        "Log in again and grant the reading of orders and customers.",
    )
