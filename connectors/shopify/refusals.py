"""What Shopify's refusals mean for us: by HTTP status, and by code inside an answer of 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.http import Answer, retry_after
from connectors.kit.redaction import redact_text
from connectors.kit.waiting import busy

_REFUSED = {
    401: (
        "Shopifyのアクセストークンが無効です",
        "Shopify refuses the access token",
        "トークンを登録し直してください。Enter the token again.",
    ),
    402: (
        "ショップが凍結されています",
        "The shop is frozen",
        "Shopifyの請求を確認してください。See its bill at Shopify.",
    ),
    403: (
        "Shopifyのアプリの権限が足りません",
        "Shopify's app lacks a scope",
        "アプリの権限 (read_orders など) を確認してください。Check the app's scopes.",
    ),
    404: (
        "Shopifyにこのショップが見つかりません",
        "Shopify knows no such shop",
        "設定 shop と api_version を確認してください。Check the settings shop and api_version.",
    ),
    423: (
        "ショップがロックされています",
        "The shop is locked",
        "Shopifyに問い合わせてください。Ask Shopify.",
    ),
    430: (
        "Shopifyがこのサーバーを拒んでいます",
        "Shopify refuses this server",
        "Shopifyに問い合わせてください。Ask Shopify.",
    ),
}
_REFUSED_OTHERWISE = (
    "Shopifyが問い合わせを断りました",
    "Shopify refuses the question",
    "チャネルの設定を確認してください。Check the channel's settings.",
)
_LATER = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


class TooCostly(Exception):
    """One operation asks for more points than Shopify ever grants: ask for less at once."""


def refused(answer: Answer) -> NeedsPerson | TryLater:
    """The error for an answer that is not 200. What its body says is never shown."""
    shown = f"HTTP {answer.status}"
    if answer.status in {429, 503}:
        return busy(shown, retry_after(answer.headers))
    problem, problem_en, remedy = _REFUSED.get(answer.status, _REFUSED_OTHERWISE)
    return NeedsPerson(f"{problem} ({shown})。{problem_en} ({shown}).", remedy)


def raise_for_errors(data: Mapping[str, Any]) -> bool:
    """Look at ``errors``; True: throttled, nothing was run; False: there is no error.

    Raises TooCostly, TryLater or NeedsPerson for every other error, also where data came
    with it: half an answer is none.
    """
    errors = data.get("errors")
    if not errors:
        return False
    codes = _codes(errors)
    if "THROTTLED" in codes:
        return True
    if "MAX_COST_EXCEEDED" in codes:
        raise TooCostly
    told = redact_text(_messages(errors))
    if "ACCESS_DENIED" in codes:
        raise NeedsPerson(
            f"Shopifyのアプリに、注文や顧客を読む権限がありません (ACCESS_DENIED: {told})。"
            f"Shopify's app may not read orders or customers (ACCESS_DENIED: {told}).",
            "アプリの権限 (read_orders, read_customers) と、"
            "保護された顧客データの利用申請を確認してください。"
            "Check the app's scopes and its access to protected customer data.",
        )
    if codes & _LATER:
        raise busy(f"Shopify {', '.join(sorted(codes))}")
    raise NeedsPerson(
        f"Shopifyが質問の形を受け付けません ({told})。"
        f"Shopify refuses the form of the question ({told}).",
        "設定 api_version を確認してください。Check the setting api_version.",
    )


def _codes(errors: Any) -> set[str]:
    found: set[str] = set()
    for error in errors if isinstance(errors, list) else []:
        extensions = error.get("extensions") if isinstance(error, Mapping) else None
        if isinstance(extensions, Mapping):
            found.add(str(extensions.get("code") or ""))
    return found - {""}


def _messages(errors: Any) -> str:
    if not isinstance(errors, list):
        return str(errors)[:200]
    told = [str(e.get("message") or "") for e in errors if isinstance(e, Mapping)]
    return "; ".join(told)[:300]
