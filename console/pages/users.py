"""利用者: invite, change a role, switch off; for admins."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.users import one_user, people, role_options
from console.visit import Admin, AdminReading, Visit
from worker.pipeline import users, users_logins, users_totp
from worker.pipeline.users_words import UserRefused
from worker.rules.states import Role

router = APIRouter(prefix="/users")

_SAID = ("role_changed", "places_ended", "totp_dropped", "off_done", "on_done")


@router.get("")
def show(visit: AdminReading) -> Response:
    """Everybody, and the form to invite somebody."""
    return _show(visit)


def _show(visit: Visit, status: int = 200, **more: Any) -> Response:
    with visit.read() as (session, ctx):
        rows, review = people(session, ctx, visit.now), ctx.documents.review
    around = {"trouble": "", "link": None, "tried": ""} | more
    return page(
        visit, "users.html", status, rows=rows, roles=role_options(), review=review, **around
    )


@router.post("")
def invite(
    visit: Admin,
    name: Annotated[str, Form(max_length=200)],
    role: Annotated[Role, Form()] = Role.EDITOR,
) -> Response:
    """Add a user and show the link by which they come in, once."""
    try:
        with visit.write() as (session, _ctx):
            by = visit.login.name
            user = users.add_user(session, name, role, by=by, now=visit.now)
            token = users.make_link(session, user.id, by=by, now=visit.now)
            added = user.name
    except UserRefused as error:
        return _show(visit, 409, trouble=error.words(visit.locale), tried=name)
    return _show(visit, link=(added, link_address(visit, token)))


def link_address(visit: Visit, token: str) -> str:
    """The link as somebody else can open it; it leads to where a password is chosen."""
    base = str(visit.request.base_url).rstrip("/")
    return f"{base}/login/once/{token}?next={quote('/me?welcome=1', safe='')}"


@router.get("/{user_id:int}")
def one(visit: AdminReading, user_id: int, said: str = "") -> Response:
    """One user."""
    told = visit.words(f"users.{said}") if said in _SAID else ""
    return _one(visit, user_id, told=told)


def _one(visit: Visit, user_id: int, status: int = 200, **more: Any) -> Response:
    with visit.read() as (session, ctx):
        model = one_user(session, ctx, user_id, visit.words, visit.now)
    around = {"told": "", "trouble": "", "link": ""} | more
    own = user_id == visit.login.user_id
    return page(visit, "user.html", status, m=model, roles=role_options(), own=own, **around)


@router.post("/{user_id:int}/role")
def role(visit: Admin, user_id: int, role: Annotated[Role, Form()]) -> Response:
    """Another role, from the next request on."""
    return _changed(visit, user_id, "role_changed", users.change_role, role)


@router.post("/{user_id:int}/off")
def off(visit: Admin, user_id: int) -> Response:
    """Out at once."""
    return _changed(visit, user_id, "off_done", users.deactivate)


@router.post("/{user_id:int}/on")
def on(visit: Admin, user_id: int) -> Response:
    """In again."""
    return _changed(visit, user_id, "on_done", users.reactivate)


@router.post("/{user_id:int}/logins")
def end_logins(visit: Admin, user_id: int) -> Response:
    """Out of every place; they may come in again."""
    return _changed(visit, user_id, "places_ended", users_logins.end_all_logins)


@router.post("/{user_id:int}/totp")
def drop_totp(visit: Admin, user_id: int) -> Response:
    """For somebody who lost the telephone."""
    return _changed(visit, user_id, "totp_dropped", users_totp.drop_totp)


def _changed(visit: Visit, user_id: int, said: str, act: Any, *more: Any) -> Response:
    try:
        with visit.write() as (session, _ctx):
            act(session, user_id, *more, by=visit.login.name, now=visit.now)
    except UserRefused as error:
        if error.code == "user_unknown":
            raise
        return _one(visit, user_id, 409, trouble=error.words(visit.locale))
    return go(f"/users/{user_id}?said={said}")


@router.post("/{user_id:int}/link")
def link(visit: Admin, user_id: int) -> Response:
    """A new link, shown once; the earlier ones no longer work."""
    try:
        with visit.write() as (session, _ctx):
            token = users.make_link(session, user_id, by=visit.login.name, now=visit.now)
    except UserRefused as error:
        if error.code == "user_unknown":
            raise
        return _one(visit, user_id, 409, trouble=error.words(visit.locale))
    return _one(visit, user_id, link=link_address(visit, token))
