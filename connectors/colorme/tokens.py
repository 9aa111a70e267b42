"""The access token, which a login of the owner brings once and which does not end by itself."""

from __future__ import annotations

from urllib.parse import urlencode

from connectors.colorme import credentials
from connectors.colorme.refusals import app_refused, error_of, without_right
from connectors.contract import BadRecord, TryLater, Vault
from connectors.kit import waiting
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.http import Answer, Http
from connectors.kit.secrets import needed

SCOPE = "read_sales"
_JUDGED = frozenset({400, 401, 403, 422})


class Tokens:
    """Gives the access token, and gets it by a login."""

    def __init__(self, base_url: str, vault: Vault, http: Http) -> None:
        self._base_url, self._vault, self._http = base_url, vault, http

    def access(self) -> str:
        """The token. Raises NeedsPerson where none is entered."""
        return needed(self._vault, credentials.ACCESS_TOKEN)

    def login_url(self, redirect_uri: str, state: str) -> str:
        """Where the owner logs in and grants read_sales; the answer brings a code."""
        question = {
            "response_type": "code",
            "client_id": needed(self._vault, credentials.CLIENT_ID),
            "redirect_uri": redirect_uri,
            "scope": SCOPE,
            "state": state,
        }
        return f"{self._base_url}/oauth/authorize?{urlencode(question)}"

    def log_in(self, code: str, redirect_uri: str) -> None:
        """Turn the code of a login into the token and keep it. Raises NeedsPerson, TryLater."""
        question = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": needed(self._vault, credentials.CLIENT_ID),
            "client_secret": needed(self._vault, credentials.CLIENT_SECRET),
        }
        with self._vault.refreshing():
            told = self._asked(question)
            self._vault.put(credentials.ACCESS_TOKEN.name, _token(told))

    def _asked(self, question: dict[str, str]) -> Fields:
        answer = self._http.request(
            "POST", f"{self._base_url}/oauth/token", judged=_JUDGED, data=question
        )
        try:
            told = answer.json()
        except (BadRecord, TryLater) as error:
            if answer.status >= 400:
                raise app_refused(f"HTTP {answer.status}") from error
            raise waiting.unreadable("Color Me Shop: no token") from error
        if answer.status >= 400 or error_of(told)[1]:
            raise app_refused(_shown(answer, told))
        return Fields(told)


def _token(told: Fields) -> str:
    """The token of an answer that grants what is needed; a scope that is unsaid is believed."""
    try:
        token, scope = told.text("access_token"), told.text("scope")
    except Unreadable as error:
        raise waiting.unreadable(f"Color Me Shop token: {error.field}") from error
    if token is None:
        raise waiting.unreadable("Color Me Shop: no token")
    if scope and SCOPE not in scope.replace(",", " ").split():
        raise without_right()
    return token


def _shown(answer: Answer, told: object) -> str:
    code = error_of(told)[1]
    return f"HTTP {answer.status} {code}".rstrip()
