"""Logs a channel in at its marketplace with a person's browser; talks outside of transactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from connectors.contract import Connector, NeedsPerson, TryLater
from connectors.kit.live import LogsIn
from connectors.registry import connector_class
from worker.live import channel_config, open_channel_connector, vault_of
from worker.pipeline.channel_login import begin_login, login_failed, login_worked, take_login
from worker.runtime import Runtime

REDIRECT = "redirect_uri"
"""Credential of a kind whose marketplace must be told the address beforehand, else a setting."""


@dataclass(frozen=True)
class Answer:
    """What a marketplace sends the browser back with."""

    code: str = ""
    state: str = ""
    error: str = ""
    bare: bool = False
    """A person copied the code alone: it names no login."""

    @classmethod
    def of(cls, told: str) -> Answer:
        """Read the address that the browser was sent to, or a bare code."""
        told = told.strip()
        if "://" not in told and "=" not in told:
            return cls(code=told, bare=True)
        query = parse_qs(urlsplit(told).query or told.partition("?")[2] or told)
        first = {name: values[0] for name, values in query.items()}
        return cls(first.get("code", ""), first.get("state", ""), first.get("error", ""))


@dataclass(frozen=True)
class Login:
    """A login that a person goes through now: ``address`` is for the browser."""

    channel: str
    address: str
    redirect_uri: str
    state: str


def logs_in(kind: str) -> bool:
    """Whether the credentials of a kind come by a login in the browser."""
    return issubclass(connector_class(kind), LogsIn)  # type: ignore[arg-type]


def told_redirect(runtime: Runtime, name: str) -> str:
    """The address that the marketplace was told of beforehand; empty where none was noted.

    Raises UnknownChannel, NeedsPerson.
    """
    config = channel_config(runtime, name)
    return vault_of(runtime, name).get(REDIRECT) or str(config.settings.get(REDIRECT) or "")


def begin(
    runtime: Runtime,
    name: str,
    redirect_uri: str,
    by: str,
    now: datetime,
    *,
    session_id: int | None = None,
) -> Login:
    """Begin a login. Raises UnknownChannel, and NeedsPerson where the kind has none or lacks
    what the address is made of.
    """
    connector = _connector(runtime, name)
    connector.login_url(redirect_uri, "")  # what is missing is said before anything is noted
    with runtime.transaction() as session:
        state = begin_login(session, name, redirect_uri, by, now, session_id=session_id)
    return Login(name, connector.login_url(redirect_uri, state), redirect_uri, state)


def finish(
    runtime: Runtime, answer: Answer, by: str, now: datetime, *, session_id: int | None = None
) -> str:
    """Take the answer of a marketplace, once, and keep the tokens it buys; gives the channel.

    Raises NeedsPerson or TryLater; the tokens of before are then as they were.
    """
    with runtime.transaction() as session:
        begun = take_login(session, answer.state, now, session_id=session_id)
    try:
        if not answer.code:
            raise _not_granted(answer.error)
        _connector(runtime, begun.channel).log_in(answer.code, begun.redirect_uri)
    except (NeedsPerson, TryLater) as problem:
        with runtime.transaction() as session:
            told = problem.problem if isinstance(problem, NeedsPerson) else str(problem)
            login_failed(session, begun.channel, by, now, told)
        raise
    with runtime.transaction() as session:
        login_worked(session, begun.channel, by, now)
    return begun.channel


def _connector(runtime: Runtime, name: str) -> LogsIn:
    config = channel_config(runtime, name)
    connector: Connector = open_channel_connector(runtime, config)
    if not isinstance(connector, LogsIn):
        raise NeedsPerson(
            f"「{config.kind}」にはブラウザでのログインがありません。"
            f"There is no login in the browser for {config.kind}.",
            f"okaeri channels add {name} --kind {config.kind} で鍵を登録してください。"
            "Enter its keys with that command.",
        )
    return connector


def _not_granted(error: str) -> NeedsPerson:
    # The word of the source is shown only where it is one: it came through the address bar.
    plain = error if error.isascii() and error.replace("_", "").isalnum() else "no code"
    return NeedsPerson(
        f"モール側で許可されませんでした ({plain[:60]})。The login was not granted there.",
        "ショップの担当者でログインし、「許可」を選んでください。"
        "Log in as the shop's staff and choose to allow it.",
    )
