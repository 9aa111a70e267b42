"""連携: logging a channel in at its marketplace with the browser of whoever is at the desk."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Response

from connectors.contract import NeedsPerson, TryLater
from console.failures import in_words
from console.pages.channels import refused
from console.rendering import go, page
from console.visit import Admin, AdminReading, NoSuchPlace, Visit
from worker.browser_login import Answer, begin, finish, told_redirect
from worker.live import UnknownChannel

router = APIRouter(prefix="/channels")
BACK = "/channels/login/back"
"""Where a marketplace sends the browser back to; the shop registers it there."""


@router.post("/{name}/login")
def ask(visit: Admin, name: str) -> Response:
    """Begin a login; the way to the marketplace is a link, so that no form leaves the desk."""
    runtime, own = visit.house.runtime, f"{str(visit.request.base_url).rstrip('/')}{BACK}"
    try:
        address = told_redirect(runtime, name) or own
        login = begin(
            runtime, name, address, visit.login.name, visit.now,
            session_id=visit.login.session_id,
        )  # fmt: skip
    except UnknownChannel as missing:
        raise NoSuchPlace from missing
    except NeedsPerson as problem:
        return refused(visit, problem)
    return page(visit, "channel_login.html", login=login, own=address == own)


@router.get("/login/back")
def back(visit: AdminReading, code: str = "", state: str = "", error: str = "") -> Response:
    """The marketplace sends the browser back: its state is this login's, once, and no other's."""
    return _finish(visit, Answer(code[:2000], state[:200], error[:200]))


@router.post("/login/paste")
def paste(
    visit: Admin,
    state: Annotated[str, Form(max_length=200)],
    answer: Annotated[str, Form(max_length=4000)],
) -> Response:
    """The address or code that a person copied, where the browser was sent elsewhere."""
    told = Answer.of(answer)
    return _finish(visit, Answer(told.code, state) if told.bare else told)


def _finish(visit: Visit, answer: Answer) -> Response:
    try:
        name = finish(
            visit.house.runtime, answer, visit.login.name, visit.now,
            session_id=visit.login.session_id,
        )  # fmt: skip
    except NeedsPerson as problem:
        return refused(visit, problem)
    except TryLater as problem:
        text = visit.words("channel.later", detail=str(problem))
        return in_words(visit.request, 409, "channel", text)
    return go(f"/channels/{quote(name, safe=':')}?done=login")
