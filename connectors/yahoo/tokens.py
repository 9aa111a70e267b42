"""YConnect tokens: a refresh token of 28 days buys access tokens of an hour."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from connectors.contract import BadRecord, ConnectorError, NeedsPerson, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.fields import Fields
from connectors.kit.http import Answer, Http, retries
from connectors.kit.secrets import needed
from connectors.yahoo import credentials

LOGIN_URL = "https://auth.login.yahoo.co.jp"
ACCESS_TOKEN = "access_token"  # noqa: S105 -- the name under which it is kept
_JUDGED = frozenset({400, 401, 403})


class Tokens:
    """Gives the access token, and buys a new one when the present one is refused."""

    def __init__(self, base_url: str, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._base_url, self._vault, self._clock = base_url.rstrip("/"), vault, clock

    def access(self) -> str:
        """The present access token, bought where there is none. Raises NeedsPerson, TryLater."""
        return self._vault.get(ACCESS_TOKEN) or self.renewed("")

    def renewed(self, refused: str) -> str:
        """A token other than the one refused: another worker's, else a new one."""
        with self._vault.refreshing():
            present = self._vault.get(ACCESS_TOKEN)
            if present and present != refused:
                return present
            token = needed(self._vault, credentials.REFRESH_TOKEN)
            return self._bought({"grant_type": "refresh_token", "refresh_token": token})

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where staff log in with the store's Yahoo! JAPAN ID; the answer brings a code."""
        question = {
            "response_type": "code",
            "client_id": needed(self._vault, credentials.CLIENT_ID),
            "redirect_uri": redirect_uri,
            "scope": "openid profile",
            "bail": "1",
            "state": state,
        }
        return f"{self._base_url}/yconnect/v2/authorization?{urlencode(question)}"

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Turn the code of a login into tokens and keep them. Raises NeedsPerson, TryLater."""
        question = {"grant_type": "authorization_code", "code": code}
        self._bought(question | {"redirect_uri": redirect_uri})

    def _bought(self, question: dict[str, str]) -> str:
        told = Fields(self._asked(question))
        token = told.word("access_token")
        if token is None:
            raise waiting.unreadable("Yahoo! JAPAN: no token")
        if refresh := told.word("refresh_token"):  # only a login brings one
            ends = self._clock() + timedelta(days=credentials.REFRESH_DAYS)
            self._vault.put(credentials.REFRESH_TOKEN.name, refresh, ends)
        self._vault.put(ACCESS_TOKEN, token)  # without its end: nobody needs to renew it by hand
        return token

    def _asked(self, question: dict[str, str]) -> object:
        client = needed(self._vault, credentials.CLIENT_ID)
        secret = needed(self._vault, credentials.CLIENT_SECRET)
        http = Http(user_agent="okaeri", retry=retries(total=0))
        try:
            answer = http.request(
                "POST",
                f"{self._base_url}/yconnect/v2/token",
                judged=_JUDGED,
                data=question,
                auth=(client, secret),
            )
        finally:
            http.close()
        return _told(answer)


def _told(answer: Answer) -> object:
    try:
        told = answer.json()
    except (BadRecord, TryLater) as error:
        raise waiting.unreadable(f"HTTP {answer.status}, no token") from error
    if answer.status >= 400:
        raise _refusal(Fields(told).word("error") or f"HTTP {answer.status}")
    return told


def _refusal(error: str) -> ConnectorError:
    if error == "invalid_client":
        return NeedsPerson(
            f"Yahoo!がアプリケーションIDかシークレットを受け付けません ({error})。"
            "The client id or its secret is refused.",
            "Yahoo!デベロッパーネットワークの値を登録し直してください。Enter both again.",
        )
    return NeedsPerson(
        f"Yahoo!のログインの期限が切れました ({error})。The login at Yahoo! has ended.",
        "ストアの担当者がもう一度ログインし、新しいリフレッシュトークンを登録してください。"
        "パスワードの変更や連携の解除でも切れます。"
        "Staff must log in again and enter the new refresh token.",
    )
