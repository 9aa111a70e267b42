"""The waits of a channel in words a clerk understands, Japanese first, technical detail last."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from connectors.contract import TryLater

_TOKYO = timezone(timedelta(hours=9), "Asia/Tokyo")
_AGAIN, _AGAIN_EN = "自動でもう一度試します", "it is tried again by itself"


def silent(detail: str) -> TryLater:
    """Nothing came, or not in time. ``detail`` holds no address and no secret."""
    return TryLater(
        f"相手のサーバーから答えがありません。{_AGAIN}{_brackets(detail)}。"
        f"The other server does not answer; {_AGAIN_EN}{_brackets(detail)}."
    )


def unreadable(detail: str, wait: float | None = None) -> TryLater:
    """Something came that is no answer: a page of a maintenance, half of one, another shape."""
    return TryLater(
        "相手のサーバーの答えを読めません。メンテナンス中などが考えられます。"
        f"{_AGAIN}{_brackets(detail)}。"
        "The other server's answer cannot be read, as in a maintenance; "
        f"{_AGAIN_EN}{_brackets(detail)}.",
        wait,
    )


def busy(detail: str, wait: float | None = None) -> TryLater:
    """The server says that it cannot answer now; ``wait`` in seconds where it said how long."""
    if wait:
        return _until(wait, "相手のサーバーの求めで", "The other server asks to wait", detail)
    return TryLater(
        f"相手のサーバーが混み合っているか、止まっています。{_AGAIN}{_brackets(detail)}。"
        f"The other server is busy or out of order; {_AGAIN_EN}{_brackets(detail)}.",
        wait,
    )


def changing(source: str, wait: float) -> TryLater:
    """The list of orders moved while it was read, so that nobody knows it whole."""
    return TryLater(
        f"読み取り中に注文の一覧が変わりました。{_AGAIN}{_brackets(source)}。"
        f"The list of orders changes while it is read; {_AGAIN_EN}{_brackets(source)}.",
        wait,
    )


def limited(wait: float, detail: str) -> TryLater:
    """Nobody may ask for ``wait`` seconds: the budget of questions is used up until then."""
    return _until(wait, "問い合わせの回数制限のため", "The limit on questions asks to wait", detail)


def _until(wait: float, why: str, why_en: str, detail: str) -> TryLater:
    now = datetime.now(_TOKYO)
    until = now + timedelta(seconds=wait)
    same = until.date() == now.date()
    ja, en = ("", "") if same else (f"{until.month}月{until.day}日 ", f"{until:%Y-%m-%d} ")
    return TryLater(
        f"{why}、{ja}{until:%H:%M} (日本時間) まで待ちます。"
        f"そのあと{_AGAIN}{_brackets(detail)}。"
        f"{why_en} until {en}{until:%H:%M} "
        f"(Japan time); then {_AGAIN_EN}{_brackets(detail)}.",
        wait,
    )


def _brackets(detail: str) -> str:
    return f" ({detail})" if detail else ""
