"""Asks a shop's wc/v3 routes: signs, keeps the pace, and sorts refusals by what must happen."""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from urllib3.util.retry import Retry

from connectors.contract import NeedsPerson, Pace, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.http import Answer, Http, retry_after
from connectors.kit.secrets import needed
from connectors.woocommerce.credentials import CONSUMER_KEY, CONSUMER_SECRET
from connectors.woocommerce.settings import TalkSettings
from connectors.woocommerce.signing import WINDOW_SECONDS, signed

log = logging.getLogger(__name__)

LANE = "requests"
AGENT = "Okaeri"
ONCE = Retry(1, connect=1, read=0, status=0, other=0, redirect=0, respect_retry_after_header=False)
"""A broken connection is tried again at once; everything else waits for the next poll."""

_JUDGED = frozenset({400, 401, 403, 404, 429, 503})
_DATA = re.compile(rb'\[\s*\{\s*"|\[\s*\]|\{\s*"')


@dataclass(frozen=True, slots=True)
class Told:
    """What the shop answered: its data, how many records match in all, and its clock's error."""

    data: Any
    total: int | None
    skew: timedelta


class ShopError(Exception):
    """The shop refused one request in its own words: ``code`` such as ``rest_invalid_param``."""

    def __init__(self, status: int, code: str, params: tuple[str, ...] = ()) -> None:
        super().__init__(f"HTTP {status} {code}")
        self.status, self.code, self.params = status, code, params


class Client:
    """One channel's way to its shop."""

    def __init__(self, settings: TalkSettings, vault: Vault, pace: Pace) -> None:
        self._settings, self._vault, self._pace = settings, vault, pace
        self._http: Http | None = None

    def get(self, route: str, params: Mapping[str, str]) -> Told:
        """Read a route such as ``orders``. Raises ShopError, NeedsPerson or TryLater."""
        return self._ask("GET", route, params, None)

    def send(self, method: str, route: str, body: Mapping[str, Any]) -> Told:
        """Write to a route. Raises ShopError, NeedsPerson or TryLater; never tried twice."""
        return self._ask(method, route, {}, body)

    def _ask(
        self, method: str, route: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> Told:
        self._pace.take(LANE)
        url, arguments = self._place(route, params)
        options: dict[str, Any] = {} if body is None else {"json": body}
        key, secret = needed(self._vault, CONSUMER_KEY), needed(self._vault, CONSUMER_SECRET)
        if self._settings.auth == "basic":
            options["auth"] = (key.encode(), secret.encode())
        elif self._settings.auth == "query":
            arguments |= {"consumer_key": key, "consumer_secret": secret}
        else:
            arguments = signed(
                method, url, arguments, key=key, secret=secret,
                timestamp=int(time.time()), nonce=secrets.token_hex(16),
            )  # fmt: skip
        answer = self._talker(key, secret).request(
            method, url, judged=_JUDGED, params=arguments, **options
        )
        self._judge(answer)
        return Told(read_json(answer), _number(answer, "x-wp-total"), skew(answer.headers))

    def _place(self, route: str, params: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        base = self._settings.base_url
        if self._settings.plain_permalinks:
            return f"{base}/", {"rest_route": f"/wc/v3/{route}", **params}
        return f"{base}/wp-json/wc/v3/{route}", dict(params)

    def _talker(self, key: str, secret: str) -> Http:
        if self._http is None:
            self._http = Http(
                user_agent=AGENT,
                timeout=(min(5.0, self._settings.timeout), self._settings.timeout),
                retry=ONCE,
            )
        return self._http

    def _judge(self, answer: Answer) -> None:
        if answer.status < 300:
            return
        if answer.status in {429, 503}:
            raise self._busy(answer)
        code, params = _refusal(answer)
        if answer.status in {401, 403}:
            raise _no_entry(answer, code)
        if answer.status == 404 and code in {"", "rest_no_route"}:
            raise NeedsPerson(
                f"WooCommerce の REST API が見つかりません (HTTP {answer.status})。"
                f"There is no WooCommerce REST API at this address (HTTP {answer.status}).",
                "base_url、WooCommerce が有効か、パーマリンク設定を確かめてください "
                "(基本の場合は plain_permalinks)。Check base_url, that WooCommerce runs, and the "
                "permalink setting (plain permalinks: set plain_permalinks).",
            )
        raise ShopError(answer.status, code, params)

    def _busy(self, answer: Answer) -> TryLater:
        wait = retry_after(answer.headers)
        if wait is not None:
            self._pace.exhausted(LANE, datetime.now(UTC) + timedelta(seconds=wait))
        return waiting.busy(f"HTTP {answer.status}", wait)


def read_json(answer: Answer) -> Any:
    """Read the data, past a PHP notice printed before it.

    Raises TryLater for a web page, for data that break off and for an answer that is none:
    a shop in maintenance gives all of these, and none of them tells anything of orders.
    """
    text = answer.body.removeprefix(b"\xef\xbb\xbf").strip()
    start = _DATA.search(text)
    if start is None:
        raise waiting.unreadable("a web page or nothing")
    if start.start():
        log.warning("woocommerce_notice_before_data", extra={"url": answer.url})
    try:
        return json.loads(text[start.start() :])
    except ValueError as error:
        raise waiting.unreadable("half an answer") from error


def _refusal(answer: Answer) -> tuple[str, tuple[str, ...]]:
    """The shop's own code and the arguments it names; empty where a shield answered."""
    try:
        told = read_json(answer)
    except TryLater:
        return "", ()
    if not isinstance(told, Mapping):
        return "", ()
    data = told.get("data")
    params = data.get("params") if isinstance(data, Mapping) else None
    return str(told.get("code") or ""), tuple(params) if isinstance(params, Mapping) else ()


def _no_entry(answer: Answer, code: str) -> NeedsPerson | TryLater:
    apart = skew(answer.headers)
    if not code:
        return TryLater(
            "ショップの代わりにウェブページが返りました (セキュリティ用プラグインや CDN の遮断)。"
            "自動でもう一度試しますが、続くときはこのサーバーのアドレスを許可してください "
            f"(HTTP {answer.status})。A web page came: a security plugin or CDN refuses this "
            "server. It is tried again by itself; allow its address if this lasts "
            f"(HTTP {answer.status})."
        )
    shown = f"HTTP {answer.status} {code}"
    signed_late = abs(apart).total_seconds() > WINDOW_SECONDS
    if code == "woocommerce_rest_authentication_error" and signed_late:
        minutes = round(apart.total_seconds() / 60)
        return NeedsPerson(
            f"時計がショップと {minutes} 分ずれています ({shown})。"
            f"The clocks differ by {minutes} min ({shown}).",
            "このサーバーかショップの時計を合わせてください。"
            "Set this server's or the shop's clock.",
        )
    return NeedsPerson(
        f"鍵が正しくないか、読み取りの権限がありません ({shown})。"
        f"The key is wrong or may not read orders ({shown}).",
        "WooCommerce > 設定 > 高度な設定 > REST API で鍵を作り直し、登録してください。鍵を作った"
        "ユーザーが削除されていないかも確かめてください。"
        "https の手前に代理サーバーがある場合は auth を query か oauth1 にします。"
        "Make a new key there and enter it; behind a TLS proxy set auth to query or oauth1.",
    )


def _number(answer: Answer, name: str) -> int | None:
    told = answer.headers.get(name, "").strip()
    return int(told) if told.isdigit() else None
