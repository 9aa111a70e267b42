"""The errors of the BASE API, sorted by what must happen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import NeedsPerson, Pace, TryLater
from connectors.kit import waiting
from connectors.kit.fields import TOKYO

LANE = "calls"

OLD_TOKEN = frozenset({"invalid_request", "access_denied", "invalid_token"})
"""BASE has no word of its own for a token that has ended: a new one shows what was meant."""

ORDER_ERRORS = frozenset({"no_unique_key", "no_order"})


class OrderRefused(Exception):
    """One order that the API does not tell, by its code; the others can be asked for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def error_of(told: Any) -> str:
    """The code of an answer that is an error; else empty."""
    code = told.get("error") if isinstance(told, Mapping) else None
    return str(code) if code else ""


def later(code: str, pace: Pace, now: datetime) -> TryLater | None:
    """What passes by waiting: a used-up quota, until it is given anew, or BASE's own trouble."""
    if code == "server_error":
        return waiting.busy("BASE server_error")
    if code not in {"hour_api_limit", "day_api_limit"}:
        return None
    until = _next_hour(now) if code == "hour_api_limit" else _midnight(now)
    shown = f"{until.astimezone(TOKYO):%H:%M}"
    reason = (
        f"BASEに尋ねられる回数を使い切りました。{shown} (日本時間) まで待ち、自動でもう一度試します"
        f" ({code})。BASE's calls are used up until {shown} (Japan time); "
        f"it is tried again by itself then ({code})."
    )
    pace.exhausted(LANE, until, reason)
    return TryLater(reason, retry_after=(until - now).total_seconds())


def refusal(code: str) -> NeedsPerson:
    """What waiting does not mend, in words."""
    if code == "invalid_scope":
        return NeedsPerson(
            f"BASEが注文の読み取りを許可していません ({code})。BASE does not grant read_orders.",
            "アプリに read_orders を付け、オーナーがもう一度ログインして許可してください。"
            "Give the app read_orders, and let the owner log in and grant it.",
        )
    if code in {"unauthorized_client", "invalid_client"}:
        return NeedsPerson(
            f"BASEがアプリを受け付けません ({code})。BASE does not accept the app.",
            "BASE Developers でアプリが承認されているか確認してください。"
            "Check in BASE Developers that the app is approved.",
        )
    return NeedsPerson(
        f"BASEが問い合わせを受け付けません ({code})。BASE refuses the question.",
        "ショップのオーナーがもう一度ログインし、それでも続く場合はコードを添えて開発者へ知らせてください。"
        "Let the owner log in again; if that does not help, report the code.",
    )


def _next_hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _midnight(now: datetime) -> datetime:
    tomorrow = now.astimezone(TOKYO).date() + timedelta(days=1)
    return datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=TOKYO)
