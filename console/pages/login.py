"""Coming in and going out: password, one-time link, logout."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request, Response

from console import auth
from console.agents import agent_of
from console.rendering import go, own_path, plain_page
from console.visit import (
    COOKIE,
    Anyone,
    House,
    check_origin,
    cookie_life,
    house_of,
    language_of,
)
from console.words import words_of
from worker.pipeline.users_totp import takes_code
from worker.store.engine import reading, writing

router = APIRouter()

HALF_WAY = "okaeri_half_way"
"""The cookie between the password and the telephone's code; it opens nothing."""


@router.get("/login")
def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address's own word
    """The form."""
    return _form(request, next)


def _form(request: Request, wanted: str, trouble: str = "", name: str = "") -> Response:
    words = words_of(language_of(request))
    status = {"login.too_many": 429, "login.wrong": 401, "login.link_over": 410}.get(trouble, 200)
    told = words(trouble) if trouble else ""
    return plain_page(words, "login.html", status, wanted=own_path(wanted), trouble=told, name=name)


@router.post("/login")
def enter(
    request: Request,
    name: Annotated[str, Form(max_length=80)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the form's own word
) -> Response:
    """Look at the password outside of any transaction: it is slow on purpose."""
    check_origin(request)
    house = house_of(request)
    now = house.clock()
    if not _may_try(request, house, name):
        return _form(request, next, "login.too_many", name)
    user_id = auth.check_password(house.engine, name, password)
    if user_id is None:
        return _form(request, next, "login.wrong", name)
    with writing(house.engine) as session:
        auth.forget_tries(session, house.ctx_factory(session).key, name, _place(request))
        token, asks = auth.open_login(session, user_id, now, _agent(request))
    return _halted(request, token, next) if asks else _entered(request, token, own_path(next))


def _place(request: Request) -> str:
    return request.client.host if request.client else ""


def _agent(request: Request) -> str:
    return agent_of(request.headers.get("user-agent", ""))


def _may_try(request: Request, house: House, name: str) -> bool:
    """Count the attempt before anything is looked at; False where there were too many."""
    try:
        with writing(house.engine) as session:
            key = house.ctx_factory(session).key
            auth.count_try(session, key, name, _place(request), house.clock())
    except auth.TooManyTries:
        return False
    return True


@router.get("/login/once/{token}")
def once(request: Request, token: str, next: str = "/") -> Response:  # noqa: A002 - as above
    """Take a one-time link: it becomes a login, and nothing the next time."""
    house = house_of(request)
    with writing(house.engine) as session:
        opened = auth.take_link(session, token, house.clock(), _agent(request))
    if opened is None:
        return _form(request, "/", "login.link_over")
    login, asks = opened
    return _halted(request, login, next) if asks else _entered(request, login, own_path(next))


@router.get("/login/code")
def ask_code(request: Request, next: str = "/") -> Response:  # noqa: A002 - as above
    """The form for the telephone's code."""
    house = house_of(request)
    with reading(house.engine) as session:
        user = auth.half_way(session, request.cookies.get(HALF_WAY, ""), house.clock())
    return _code_form(request, next) if user is not None else go("/login")


def _code_form(request: Request, wanted: str, trouble: str = "") -> Response:
    words = words_of(language_of(request))
    status = {"login.too_many": 429, "login.code_wrong": 401}.get(trouble, 200)
    told = words(trouble) if trouble else ""
    return plain_page(words, "login_code.html", status, wanted=own_path(wanted), trouble=told)


@router.post("/login/code")
def enter_code(
    request: Request,
    code: Annotated[str, Form(max_length=40)] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the form's own word
) -> Response:
    """Take the code of the telephone, or one of the kept codes; each works once."""
    check_origin(request)
    house, half = house_of(request), request.cookies.get(HALF_WAY, "")
    now = house.clock()
    with reading(house.engine) as session:
        user = auth.half_way(session, half, now)
        user_id = user.id if user else 0
    if not user_id:
        return go("/login")
    mark = f"code:{user_id}"
    if not _may_try(request, house, mark):
        return _code_form(request, next, "login.too_many")
    with writing(house.engine) as session:
        ctx = house.ctx_factory(session)
        right = takes_code(session, ctx, user_id, code, now)
        token = auth.pass_on(session, half, now) if right else None
        if token is not None:
            auth.forget_tries(session, ctx.key, mark, _place(request))
    if token is None:
        return _code_form(request, next, "login.code_wrong")
    answer = _entered(request, token, own_path(next))
    answer.delete_cookie(HALF_WAY, path="/login")
    return answer


@router.post("/logout")
def leave(visit: Anyone) -> Response:
    """End this login; its cookie is worth nothing from now on."""
    with visit.write() as (session, _ctx):
        auth.close_login(session, visit.login, visit.now)
    answer = go("/login")
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _halted(request: Request, token: str, wanted: str) -> Response:
    """The password was right; the code is asked on a page of its own."""
    answer = go(f"/login/code?next={quote(own_path(wanted), safe='')}")
    _set_cookie(request, answer, HALF_WAY, token, auth.CODE_LIFE, "/login")
    return answer


def _entered(request: Request, token: str, wanted: str) -> Response:
    answer = go(wanted)
    _set_cookie(request, answer, COOKIE, token, cookie_life(), "/")
    return answer


def _set_cookie(
    request: Request, answer: Response, name: str, token: str, life: timedelta, path: str
) -> None:
    answer.set_cookie(
        name,
        token,
        max_age=int(life.total_seconds()),
        path=path,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
