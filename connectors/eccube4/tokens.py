"""OAuth tokens of a shop: each refresh token buys an hour of access and its own successor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from connectors.contract import BadRecord, NeedsPerson, TryLater, Vault
from connectors.eccube4 import credentials
from connectors.eccube4.refusals import JUDGED, refused
from connectors.eccube4.settings import TalkSettings
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer, Http
from connectors.kit.secrets import needed

ACCESS_TOKEN, UNTIL = "access_token", "access_token_until"
"""Names in the vault."""

_EARLY = timedelta(minutes=5)
_HOUR = 3600


class Tokens:
    """Gives the access token, and buys a new one where it has ended or is refused."""

    def __init__(
        self, settings: TalkSettings, vault: Vault, http: Http, clock: Callable[[], datetime]
    ) -> None:
        self._settings, self._vault, self._http, self._clock = settings, vault, http, clock

    def access(self) -> str:
        """A token that has not ended yet. Raises NeedsPerson, TryLater."""
        token, until = self._vault.get(ACCESS_TOKEN), self._vault.get(UNTIL)
        if token and until and datetime.fromisoformat(until) - _EARLY > self._clock():
            return token
        return self.renewed(token or "")

    def renewed(self, refused_token: str) -> str:
        """A token other than the one refused: another worker's, else a new one."""
        with self._vault.refreshing():
            present = self._vault.get(ACCESS_TOKEN)
            if present and present != refused_token:
                return present
            token = needed(self._vault, credentials.REFRESH_TOKEN)
            return self._bought({"grant_type": "refresh_token", "refresh_token": token})

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where an administrator logs in and grants ``read``; the answer brings a code."""
        question = {
            "response_type": "code",
            "client_id": needed(self._vault, credentials.CLIENT_ID),
            "redirect_uri": redirect_uri,
            "scope": "read",
            "state": state,
        }
        place = f"{self._settings.base_url}/{self._settings.admin_path}/authorize"
        return f"{place}?{urlencode(question)}"

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
            raise waiting.unreadable(f"EC-CUBE token: {error.field}") from error
        if token is None:
            raise waiting.unreadable("EC-CUBE: no token")
        if refresh:  # first: the one just used works no more
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
        url = f"{self._settings.base_url}/token"
        return _told(self._http.request("POST", url, judged=JUDGED, data=client | question))


def _told(answer: Answer) -> object:
    try:
        told = answer.json()
    except (BadRecord, TryLater) as error:
        if answer.status in JUDGED:
            raise refused(answer) from error
        raise waiting.unreadable(f"HTTP {answer.status}, no token") from error
    code = told.get("error") if isinstance(told, Mapping) else None
    if code or answer.status >= 400:
        raise _refusal(str(code or f"HTTP {answer.status}"))
    return told


def _refusal(code: str) -> NeedsPerson:
    if code in {"invalid_client", "unauthorized_client"}:
        return NeedsPerson(
            f"EC-CUBEがクライアントIDかシークレットを受け付けません ({code})。"
            "The client id or its secret is refused.",
            "管理画面の 設定 > API管理 > OAuth管理 の値を登録し直してください。"
            "Enter both again from the admin's OAuth page.",
        )
    return NeedsPerson(
        f"EC-CUBEのログインの期限が切れました ({code})。The login at EC-CUBE has ended.",
        "システム管理者がもう一度ログインして許可してください。"
        "リダイレクトURIがクライアントの登録と同じかも確認してください。"
        "A system administrator must log in again; check the redirect URI too.",
    )
