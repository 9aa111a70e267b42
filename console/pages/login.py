"""Coming in and going out: password, one-time link, logout."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from console import auth
from console.rendering import go, own_path, plain_page
from console.visit import COOKIE, Anyone, check_origin, cookie_life, house_of, language_of
from console.words import words_of
from worker.store.engine import writing

router = APIRouter()


@router.get("/login")
def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - the address's own word
    """The form."""
    return _form(request, next)


def _form(request: Request, wanted: str, trouble: str = "", name: str = "") -> Response:
    words = words_of(language_of(request))
    status = {"login.too_many": 429, "login.wrong": 401}.get(trouble, 200)
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
    house, place = house_of(request), request.client.host if request.client else ""
    now = house.clock()
    try:
        with writing(house.engine) as session:
            key = house.ctx_factory(session).key
            auth.count_try(session, key, name, place, now)
    except auth.TooManyTries:
        return _form(request, next, "login.too_many", name)
    user_id = auth.check_password(house.engine, name, password)
    if user_id is None:
        return _form(request, next, "login.wrong", name)
    with writing(house.engine) as session:
        token = auth.open_login(session, user_id, now, forget=(key, name, place))
    return _entered(request, token, own_path(next))


@router.get("/login/once/{token}")
def once(request: Request, token: str) -> Response:
    """Take a one-time link: it becomes a login, and nothing the next time."""
    house = house_of(request)
    with writing(house.engine) as session:
        opened = auth.take_link(session, token, house.clock())
    if opened is None:
        words = words_of(language_of(request))
        return plain_page(
            words, "login.html", 410, wanted="/", trouble=words("login.link_over"), name=""
        )
    return _entered(request, opened, "/")


@router.post("/logout")
def leave(visit: Anyone) -> Response:
    """End this login; its cookie is worth nothing from now on."""
    with visit.write() as (session, _ctx):
        auth.close_login(session, visit.login, visit.now)
    answer = go("/login")
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _entered(request: Request, token: str, wanted: str) -> Response:
    answer = go(wanted)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(cookie_life().total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return answer
