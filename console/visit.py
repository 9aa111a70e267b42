"""One request of a person who is logged in: who, in which language, and the door to the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from console import auth
from console.words import Words, words_of
from worker.pipeline.audit import record, record_export
from worker.pipeline.context import Context
from worker.pipeline.review_verdict import Recheck
from worker.pipeline.users_tokens import mark_used
from worker.rules.states import Role
from worker.runtime import Runtime
from worker.store.engine import reading, writing

COOKIE = "okaeri_login"
LANGUAGES = ("ja", "en")


@dataclass(frozen=True)
class House:
    """What the application was made with; the same for every request."""

    engine: Engine
    ctx_factory: Callable[[Session], Context]
    data_dir: Path
    clock: Callable[[], datetime]
    recheck: Recheck | None
    runtime: Runtime
    """For what talks to marketplaces, outside of every transaction."""


class NotLoggedIn(Exception):
    """Nobody is logged in; pages lead to the login, programs get 401."""


class NotAllowed(Exception):
    """The role does not reach; ``role`` is the one that would."""

    def __init__(self, role: Role) -> None:
        super().__init__(role)
        self.role = role


class NotForPrograms(Exception):
    """A program may not do this, whatever its token's role."""


class NoSuchPlace(Exception):
    """A cursor, channel or other reference in a request that leads nowhere."""


class ForeignRequest(Exception):
    """The request did not come from one of our own pages."""


@dataclass(frozen=True)
class Visit:
    """Handed to the routes; they open a reading or a writing transaction by it."""

    house: House
    request: Request
    login: auth.Login
    now: datetime
    words: Words

    @property
    def locale(self) -> str:
        """``ja`` or ``en``."""
        return self.words.locale

    @contextmanager
    def read(self) -> Iterator[tuple[Session, Context]]:
        """A transaction that only reads."""
        with reading(self.house.engine) as session:
            yield session, self.house.ctx_factory(session)

    @contextmanager
    def act(
        self, action: str, subject: str = "", **detail: Any
    ) -> Iterator[tuple[Session, Context]]:
        """``write`` for what a person does: its row in the audit is part of the same transaction.

        ``subject`` names the row it is about, ``order:12``; nothing personal goes into ``detail``.
        """
        with self.write() as (session, ctx):
            yield session, ctx
            record(
                session,
                by=self.login.name,
                action=action,
                now=self.now,
                subject=subject,
                **detail,
            )

    def tell_export(self, what: str, count: int) -> None:
        """Note that a program took a list of people with it; a person only looks at a page."""
        if self.login.is_program:
            with self.write() as (session, _ctx):
                record_export(
                    session, what=what, form="api", count=count, by=self.login.name, now=self.now
                )

    @contextmanager
    def write(self) -> Iterator[tuple[Session, Context]]:
        """One writing transaction: commits at the end, rolls back on any error."""
        with writing(self.house.engine) as session:
            yield session, self.house.ctx_factory(session)


def house_of(request: Request) -> House:
    """The application's own parts."""
    house: House = request.app.state.house
    return house


def language_of(request: Request, chosen: str = "") -> str:
    """The user's language, else the browser's first that we speak, else Japanese."""
    if chosen in LANGUAGES:
        return chosen
    for part in request.headers.get("accept-language", "").split(","):
        tag = part.split(";")[0].strip().lower()[:2]
        if tag in LANGUAGES:
            return tag
    return LANGUAGES[0]


def check_origin(request: Request) -> None:
    """Refuse a form that another site sent. Raises ForeignRequest.

    A browser names the origin with every form it sends; a program that names none has no
    cookie to borrow, and the token is asked for all the same.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise ForeignRequest
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForeignRequest


def _visit(request: Request, role: Role) -> Visit:
    house = house_of(request)
    now = house.clock()
    login = _login(request, house, now)
    if login is None:
        raise NotLoggedIn
    if now - login.seen_at > auth.SEEN_EVERY:
        with writing(house.engine) as session:
            if login.is_program:
                mark_used(session, login.token_id, now)
            else:
                auth.mark_seen(session, login, now)
    words = words_of(language_of(request, login.locale))
    request.state.words, request.state.login = words, login
    if not login.may(role):
        raise NotAllowed(role)
    return Visit(house, request, login, now, words)


def _login(request: Request, house: House, now: datetime) -> auth.Login | None:
    """A program by its token, and only under ``/api/``; anybody else by the cookie."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and request.url.path.startswith("/api/"):
        with reading(house.engine) as session:
            return auth.find_token(session, secret.strip(), now)
    token = request.cookies.get(COOKIE, "")
    if not token:
        return None
    with reading(house.engine) as session:
        return auth.find_login(session, token, now)


def _reads(request: Request) -> Visit:
    return _visit(request, Role.VIEWER)


Reading = Annotated[Visit, Depends(_reads)]
"""Any role may look."""


def _governs(request: Request) -> Visit:
    return _visit(request, Role.ADMIN)


AdminReading = Annotated[Visit, Depends(_governs)]
"""Pages that only who may change keys needs to see."""


def _acts(role: Role) -> Callable[[Request, str], Visit]:
    def acting(request: Request, csrf: Annotated[str, Form()] = "") -> Visit:
        check_origin(request)
        visit = _visit(request, role)
        if not auth.same_token(csrf, visit.login.csrf):
            raise ForeignRequest
        return visit

    return acting


def _calls(role: Role) -> Callable[[Request], Visit]:
    def calling(request: Request) -> Visit:
        check_origin(request)
        visit = _visit(request, role)
        said = request.headers.get("x-csrf-token", "")
        # A browser sends cookies by itself; nothing sends a program's token by itself.
        if not visit.login.is_program and not auth.same_token(said, visit.login.csrf):
            raise ForeignRequest
        return visit

    return calling


def _calls_as_person(request: Request) -> Visit:
    visit = _calls(Role.ADMIN)(request)
    if visit.login.is_program:
        raise NotForPrograms
    return visit


Anyone = Annotated[Visit, Depends(_acts(Role.VIEWER))]
"""A form of anybody's own concern: language, logout."""
Editor = Annotated[Visit, Depends(_acts(Role.EDITOR))]
Approver = Annotated[Visit, Depends(_acts(Role.APPROVER))]
Admin = Annotated[Visit, Depends(_acts(Role.ADMIN))]
ApiEditor = Annotated[Visit, Depends(_calls(Role.EDITOR))]
ApiApprover = Annotated[Visit, Depends(_calls(Role.APPROVER))]
ApiAdmin = Annotated[Visit, Depends(_calls(Role.ADMIN))]
ApiPerson = Annotated[Visit, Depends(_calls_as_person)]
"""An admin who is logged in: a program must not make itself another way in."""


def cookie_life() -> timedelta:
    """How long a browser keeps the login's cookie."""
    return auth.LIFE
