"""The access token: one that stays, or one for 24 hours renewed by id and secret."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import BadRecord, NeedsPerson, Vault
from connectors.kit import waiting
from connectors.kit.http import Http
from connectors.kit.secrets import needed
from connectors.shopify.credentials import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET

TOKEN, UNTIL = "session_token", "session_token_until"
"""Names in the vault. The token renews itself: its end is no date for people to watch."""

_EARLY = timedelta(minutes=5)
_DAY = 86_400


class Tokens:
    """Hands out the token of one channel; renewed by one worker at a time."""

    def __init__(self, base_url: str, vault: Vault, http: Http) -> None:
        self._url = f"{base_url}/admin/oauth/access_token"
        self._vault, self._http = vault, http

    def current(self) -> str:
        """A token that has not ended. Raises NeedsPerson where nothing is entered."""
        fixed = self._vault.get(ACCESS_TOKEN.name)
        if fixed:
            return fixed
        if not self.renewable():
            return needed(self._vault, CLIENT_SECRET if self._has_id() else CLIENT_ID)
        token, until = self._vault.get(TOKEN), self._vault.get(UNTIL)
        if token and until and datetime.fromisoformat(until) - _EARLY > datetime.now(UTC):
            return token
        return self.renewed(token)

    def _has_id(self) -> bool:
        return bool(self._vault.get(CLIENT_ID.name))

    def renewable(self) -> bool:
        """Tell whether a refused token can be replaced without a person."""
        fixed = self._vault.get(ACCESS_TOKEN.name)
        return not fixed and self._has_id() and bool(self._vault.get(CLIENT_SECRET.name))

    def renewed(self, old: str | None) -> str:
        """Replace ``old``, or take what another worker has put there meanwhile."""
        with self._vault.refreshing() as mine:
            now = self._vault.get(TOKEN)
            if not mine and now and now != old:
                return now
            return self._fetch()

    def _fetch(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_id": needed(self._vault, CLIENT_ID),
            "client_secret": needed(self._vault, CLIENT_SECRET),
        }
        answer = self._http.request("POST", self._url, judged={400, 401, 403, 404}, data=form)
        if answer.status >= 300:
            raise NeedsPerson(
                f"Shopifyのトークンを取得できません (HTTP {answer.status})。"
                f"Shopify gives no token (HTTP {answer.status}).",
                "クライアント ID とシークレットを確認し、アプリが同じ組織のもので、"
                "このショップにインストールされていることを確かめてください。"
                "Check id and secret, and that the app is installed in this shop and of the same "
                "organisation.",
            )
        try:
            return self._kept(answer.json())
        except BadRecord as error:
            raise waiting.unreadable(error.code) from error

    def _kept(self, told: Any) -> str:
        token = told.get("access_token") if isinstance(told, Mapping) else None
        if not isinstance(token, str) or not token:
            raise waiting.unreadable("Shopify: no token")
        seconds = told.get("expires_in")
        lasts = seconds if isinstance(seconds, int) and seconds > 0 else _DAY
        self._vault.put(UNTIL, (datetime.now(UTC) + timedelta(seconds=lasts)).isoformat())
        self._vault.put(TOKEN, token)
        return token
