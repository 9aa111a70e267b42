"""What Shopify's refusals mean for us: by HTTP status, and by code inside an answer of 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import NeedsPerson, TryLater
from connectors.kit.http import Answer, retry_after
from connectors.kit.redaction import redact_text

_REMEDIES = {
    401: "アクセストークンが無効です。登録し直してください。The token is refused: enter it again.",
    402: "ショップが凍結されています。請求を確認してください。The shop is frozen: see its bill.",
    403: "アプリの権限が足りません。A scope is missing: see the app's scopes.",
    404: "設定 shop と api_version を確認してください。Check the settings shop and api_version.",
    423: "ショップがロックされています。The shop is locked: ask Shopify.",
    430: "このサーバーが拒まれています。Shopify refuses this server: ask Shopify.",
}
_LATER = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


class TooCostly(Exception):
    """One operation asks for more points than Shopify ever grants: ask for less at once."""


def refused(answer: Answer) -> NeedsPerson | TryLater:
    """The error for an answer that is not 200."""
    where = f"{answer.url}: HTTP {answer.status}"
    if answer.status in {429, 503}:
        return TryLater(where, retry_after(answer.headers))
    remedy = _REMEDIES.get(answer.status, "チャネルの設定を確認してください。Check the settings.")
    return NeedsPerson(f"{where} {redact_text(answer.excerpt())}".rstrip(), remedy)


def raise_for_errors(data: Mapping[str, Any], where: str) -> bool:
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
            f"{where}: ACCESS_DENIED {told}",
            "アプリの権限 (read_orders, read_customers) と、"
            "保護された顧客データの利用申請を確認してください。"
            "Check the app's scopes and its access to protected customer data.",
        )
    if codes & _LATER:
        raise TryLater(f"{where}: {', '.join(sorted(codes))}")
    raise NeedsPerson(
        f"{where}: {told}",
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
