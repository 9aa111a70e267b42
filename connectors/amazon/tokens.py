"""Login with Amazon: a refresh token that stays buys access tokens of an hour."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.amazon import credentials
from connectors.contract import BadRecord, ConnectorError, NeedsPerson, Vault
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer, Http
from connectors.kit.secrets import needed

TOKEN, UNTIL = "access_token", "access_token_until"
"""Names in the vault. The token renews itself: its end is no date for people to watch."""

_EARLY = timedelta(minutes=5)
_HOUR = 3600
_JUDGED = frozenset({400, 401, 403})
_WORD = re.compile(r"[A-Za-z_]{1,60}")


class Tokens:
    """Hands out the access token of one channel; renewed by one worker at a time."""

    def __init__(self, login_url: str, vault: Vault, http: Http) -> None:
        self._url = f"{login_url.rstrip('/')}/auth/o2/token"
        self._vault, self._http = vault, http

    def access(self) -> str:
        """A token that has not ended. Raises NeedsPerson or TryLater."""
        token, until = self._vault.get(TOKEN), self._vault.get(UNTIL)
        if token and until and datetime.fromisoformat(until) - _EARLY > datetime.now(UTC):
            return token
        return self.renewed(token)

    def renewed(self, old: str | None) -> str:
        """Replace ``old``, or take what another worker has put there meanwhile."""
        with self._vault.refreshing():
            present = self._vault.get(TOKEN)
            if present and present != old:
                return present
            return self._bought()

    def _bought(self) -> str:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": needed(self._vault, credentials.REFRESH_TOKEN),
            "client_id": needed(self._vault, credentials.CLIENT_ID),
            "client_secret": needed(self._vault, credentials.CLIENT_SECRET),
        }
        answer = self._http.request("POST", self._url, judged=_JUDGED, data=form)
        try:
            told = Fields(_json(answer))
            if answer.status >= 400:
                raise _refusal(told.text("error") or "", answer)
            return self._keep(told, form["refresh_token"])
        except Unreadable as error:
            raise waiting.unreadable(f"Login with Amazon: {error.field}") from error

    def _keep(self, told: Fields, refresh: str) -> str:
        token, seconds = told.text("access_token"), told.whole("expires_in")
        if token is None:
            raise waiting.unreadable("Login with Amazon: no token")
        if (renewed := told.text("refresh_token")) and renewed != refresh:
            self._vault.put(credentials.REFRESH_TOKEN.name, renewed)
        lasts = seconds if seconds and seconds > 0 else _HOUR
        self._vault.put(UNTIL, (datetime.now(UTC) + timedelta(seconds=lasts)).isoformat())
        self._vault.put(TOKEN, token)
        return token


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except BadRecord as error:
        raise waiting.unreadable(f"HTTP {answer.status}, {error.code}") from error


def _refusal(error: str, answer: Answer) -> ConnectorError:
    shown = error if _WORD.fullmatch(error) else f"HTTP {answer.status}"
    if error in {"invalid_client", "unauthorized_client"}:
        return NeedsPerson(
            f"AmazonがクライアントIDかシークレットを受け付けません ({shown})。"
            "The client id or its secret is refused.",
            "シークレットは180日で切れます。セラーセントラルの「アプリを開発」で新しいものを発行し、"
            "登録してください。Rotate the secret in Seller Central and enter the new one.",
        )
    return NeedsPerson(
        f"Amazonの認証が無効です ({shown})。Amazon's authorisation has ended.",
        "セラーセントラルの「アプリを開発」でアプリをもう一度認証し、新しいリフレッシュトークンを"
        "登録してください。Authorise the app again and enter the new refresh token.",
    )
