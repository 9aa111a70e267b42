"""OAuth tokens of BASE: each refresh token buys an hour of access and its own successor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from connectors.contract import BadRecord, NeedsPerson, Pace, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer, Http
from connectors.kit.secrets import needed
from connectors.thebase import credentials
from connectors.thebase.refusals import error_of, later

ACCESS_TOKEN, UNTIL = "access_token", "access_token_until"
"""Names in the vault."""

_JUDGED = frozenset({400, 401, 403})
_EARLY = timedelta(minutes=5)
_HOUR = 3600
_APP_REFUSED = frozenset({"invalid_client", "unauthorized_client"})


class Tokens:
    """Gives the access token, and buys a new one where it has ended or is refused."""

    def __init__(
        self, base_url: str, vault: Vault, pace: Pace, http: Http, clock: Callable[[], datetime]
    ) -> None:
        self._base_url, self._http = base_url, http
        self._vault, self._pace, self._clock = vault, pace, clock

    def access(self) -> str:
        """A token that has not ended yet. Raises NeedsPerson, TryLater."""
        token, until = self._vault.get(ACCESS_TOKEN), self._vault.get(UNTIL)
        if token and until and datetime.fromisoformat(until) - _EARLY > self._clock():
            return token
        return self.renewed(token or "")

    def renewed(self, refused: str) -> str:
        """A token other than the one refused: another worker's, else a new one."""
        with self._vault.refreshing():
            present = self._vault.get(ACCESS_TOKEN)
            if present and present != refused:
                return present
            token = needed(self._vault, credentials.REFRESH_TOKEN)
            redirect_uri = needed(self._vault, credentials.REDIRECT_URI)
            question = {"grant_type": "refresh_token", "refresh_token": token}
            return self._bought(question | {"redirect_uri": redirect_uri})

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where the owner logs in and grants read_orders; the answer brings a code."""
        question = {
            "response_type": "code",
            "client_id": needed(self._vault, credentials.CLIENT_ID),
            "redirect_uri": redirect_uri,
            "scope": "read_orders",
            "state": state,
        }
        return f"{self._base_url}/1/oauth/authorize?{urlencode(question)}"

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Turn the code of a login into tokens and keep them. Raises NeedsPerson, TryLater."""
        question = {"grant_type": "authorization_code", "code": code}
        with self._vault.refreshing():
            self._bought(question | {"redirect_uri": redirect_uri})
            self._vault.put(credentials.REDIRECT_URI.name, redirect_uri)

    def _bought(self, question: dict[str, str]) -> str:
        now = self._clock()
        told = Fields(self._asked(question))
        try:
            token, refresh = told.text("access_token"), told.text("refresh_token")
            seconds = told.whole("expires_in") or _HOUR
        except Unreadable as error:
            raise waiting.unreadable(f"BASE token: {error.field}") from error
        if token is None:
            raise waiting.unreadable("BASE: no token")
        if refresh:  # first: without it the next hour has no token
            ends = now + timedelta(days=credentials.REFRESH_DAYS)
            self._vault.put(credentials.REFRESH_TOKEN.name, refresh, ends)
        # Without its end as a date to watch: it renews itself.
        self._vault.put(UNTIL, (now + timedelta(seconds=seconds)).isoformat())
        self._vault.put(ACCESS_TOKEN, token)
        return token

    def _asked(self, question: dict[str, str]) -> object:
        client = {
            one.name: needed(self._vault, one)
            for one in (credentials.CLIENT_ID, credentials.CLIENT_SECRET)
        }
        answer = self._http.request(
            "POST", f"{self._base_url}/1/oauth/token", judged=_JUDGED, data=client | question
        )
        return self._told(answer)

    def _told(self, answer: Answer) -> object:
        try:
            told = answer.json()
        except (BadRecord, TryLater) as error:
            raise waiting.unreadable(f"HTTP {answer.status}, no token") from error
        code = error_of(told)
        if code or answer.status >= 400:
            problem = later(code, self._pace, self._clock())
            raise problem or _refusal(code or f"HTTP {answer.status}")
        return told


def _refusal(code: str) -> NeedsPerson:
    if code in _APP_REFUSED:
        return NeedsPerson(
            f"BASEがアプリのIDかシークレットを受け付けません ({code})。"
            "The client id or its secret is refused.",
            "BASE Developers の値を登録し直してください。Enter both again.",
        )
    return NeedsPerson(
        f"BASEのログインの期限が切れました ({code})。The login at BASE has ended.",
        "ショップのオーナーがもう一度ログインし、新しいリフレッシュトークンを登録してください。"
        "コールバックURLがアプリの登録と同じかも確認してください。"
        "The owner must log in again; enter the new refresh token, and check the callback URL.",
    )
