"""What has no place of its own: language, key sheet, the rest of the menu on a phone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.rendering import go, own_path, page
from console.visit import LANGUAGES, Anyone, Reading
from worker.store.running import User

router = APIRouter()


@router.get("/more")
def more(visit: Reading) -> Response:
    """The whole menu, for a phone."""
    return page(visit, "more.html")


@router.get("/keys")
def keys(visit: Reading) -> Response:
    """The key sheet as a page, where no script opens it as a dialog."""
    return page(visit, "keys.html")


@router.post("/language")
def language(
    visit: Anyone, to: Annotated[str, Form()], back: Annotated[str, Form()] = "/"
) -> Response:
    """Remember the user's language."""
    with visit.write() as (session, _ctx):
        user = session.get_one(User, visit.login.user_id)
        user.locale = to if to in LANGUAGES else ""
    return go(own_path(back))
