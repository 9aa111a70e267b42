"""Yahoo!'s order API over HTTP: signed XML questions, their answers, its refusals in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from connectors.contract import ConnectorError, NeedsPerson, Pace, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.clock import skew
from connectors.kit.fields import TOKYO, Fields
from connectors.kit.http import TIMEOUT, Answer, Http, Lane, retries
from connectors.kit.markup import BrokenXml, Tree, parse
from connectors.kit.secrets import needed
from connectors.yahoo import credentials
from connectors.yahoo.signing import public_key, signature
from connectors.yahoo.tokens import LOGIN_URL, Tokens

BASE_URL = "https://circus.shopping.yahooapis.jp"
PATH = "/ShoppingWebService/V1/"
LANE = "calls"

_JUDGED = frozenset({400, 401, 403, 404})
_OLD_TOKEN = "px-04102"  # noqa: S105 -- a code
_OUT_OF_QUOTA = "Your Request was Forbidden"
_USED_UP = (
    "Yahoo!に今日尋ねられる回数を使い切りました。"
    "午前0時 (日本時間) のあと、自動でもう一度試します。"
    "Yahoo!: the calls of today are used up until midnight (Japan time); "
    "it is tried again by itself then."
)


class OrderRefused(Exception):
    """One order that the API does not tell, by its code; the others can be asked for."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class YahooService:
    """Sends one question at a time, always signed: an unsigned one would spoil the token."""

    def __init__(
        self,
        settings: Mapping[str, Any],
        vault: Vault,
        pace: Pace,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._base_url = str(settings.get("base_url") or BASE_URL).rstrip("/")
        self._timeout = (5.0, float(settings.get("timeout") or TIMEOUT[1]))
        self._vault, self._pace, self._clock = vault, pace, clock
        self.tokens = Tokens(str(settings.get("login_url") or LOGIN_URL), vault, clock)
        self.skew = timedelta(0)
        """The source's clock less ours, by its latest answer."""

    @cached_property
    def seller_id(self) -> str:
        """The store's account. Raises NeedsPerson where it is not entered."""
        return needed(self._vault, credentials.SELLER_ID)

    @cached_property
    def _key(self) -> RSAPublicKey:
        return public_key(needed(self._vault, credentials.PUBLIC_KEY))

    @property
    def behind(self) -> timedelta:
        """How far the source's clock is behind ours; zero where it is ahead."""
        return max(timedelta(0), -self.skew)

    @cached_property
    def _http(self) -> Http:
        lane = Lane(self._pace, LANE)
        return Http(user_agent="okaeri", timeout=self._timeout, retry=retries(total=0), lane=lane)

    def ask(self, call: str, question: str) -> Tree:
        """Post a question and read the answer.

        Raises NeedsPerson, TryLater, and OrderRefused for an order error (``od…``).
        """
        token = self.tokens.access()
        answer = self._send(call, question, token)
        if _is_old_token(answer):
            answer = self._send(call, question, self.tokens.renewed(token))
        return self._read(answer)

    def _send(self, call: str, question: str, token: str) -> Answer:
        now = self._clock()
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/xml; charset=utf-8",
            "X-sws-signature": signature(self.seller_id, self._key, now),
            "X-sws-signature-version": needed(self._vault, credentials.KEY_VERSION),
        }
        self._pace.take(LANE)
        answer = self._http.request(
            "POST",
            self._base_url + PATH + call,
            judged=_JUDGED,
            data=question.encode(),
            headers=headers,
        )
        self.skew = skew(answer.headers, now)
        return answer

    def _read(self, answer: Answer) -> Tree:
        try:
            told = parse(answer.body)
        except BrokenXml as error:
            if answer.status >= 400:
                raise self._refusal(answer, "", answer.excerpt()) from error
            if error.cut or _is_page(answer):
                raise waiting.unreadable(f"no XML: {error}") from error
            raise OrderRefused("bad_xml") from error
        code, message = _error(told)
        if code or message or answer.status >= 400:
            raise self._refusal(answer, code, message)
        return told

    def _refusal(self, answer: Answer, code: str, message: str) -> Exception:
        if _OUT_OF_QUOTA in message or _OUT_OF_QUOTA in answer.excerpt(500):
            return self._until_midnight()
        if _is_old_token(answer):
            return _login_ended(code or _OLD_TOKEN)
        shown = code or f"HTTP {answer.status}"
        if code.startswith("od"):
            return OrderRefused(code)
        return _known(code, shown) or (
            _refused(shown) if answer.status >= 400 else waiting.busy(f"Yahoo! {shown}")
        )

    def _until_midnight(self) -> TryLater:
        """The day's 50,000 calls are used up; they are given anew at midnight in Japan."""
        now = self._clock()
        tomorrow = now.astimezone(TOKYO).date() + timedelta(days=1)
        until = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=TOKYO)
        self._pace.exhausted(LANE, until, _USED_UP)
        return TryLater(_USED_UP, retry_after=(until - now).total_seconds())


def _is_page(answer: Answer) -> bool:
    head = answer.body.lstrip()[:15].lower()
    return head.startswith((b"<!doctype html", b"<html")) or "html" in answer.headers.get(
        "content-type", ""
    )


def _is_old_token(answer: Answer) -> bool:
    if answer.status < 400:
        return False
    said = answer.headers.get("www-authenticate", "")
    told = answer.excerpt(500)
    return answer.status == 401 or "invalid_token" in said or _OLD_TOKEN in told


def _error(told: Tree) -> tuple[str, str]:
    """Code and message of an answer that is an error, wherever they stand; else empty."""
    root = Fields(next(iter(told.values()), None))
    place = root.node("Error") if "Error" in root else root
    status = (root.word("Status") if "Status" in root else root.node("Result").word("Status")) or ""
    code, message = place.word("Code") or "", place.word("Message") or ""
    if not code and not message and status.upper() not in {"", "OK"}:
        code = status
    return code, message


def _known(code: str, shown: str) -> ConnectorError | None:
    if code == "px-04306":
        return NeedsPerson(
            f"このサーバーのIPアドレスがYahoo!に登録されていません ({shown})。"
            "This server's address is not registered.",
            "注文APIの利用申請で、送信元の固定IPアドレスを登録してください。"
            "Register the fixed outgoing IP address for the order API.",
        )
    if code == "px-04303":
        return NeedsPerson(
            f"アプリケーションIDで注文APIを使えません ({shown})。"
            "The client id may not use the order API.",
            "ストアから注文APIの利用を申請してください。Apply for the order API.",
        )
    return None


def _login_ended(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"Yahoo!がログインを受け付けません ({shown})。Yahoo! does not accept the login.",
        "公開鍵とバージョンの期限、サーバーの時計を確認し、担当者がもう一度ログインしてください。"
        "Check the public key, its version and this server's clock; then log in again.",
    )


def _refused(shown: str) -> NeedsPerson:
    return NeedsPerson(
        f"Yahoo!が問い合わせを受け付けません ({shown})。Yahoo! refuses the question.",
        "ストアアカウントと設定を確認し、コードを添えて開発者へ知らせてください。"
        "Check the store account and the settings, and report the code.",
    )
