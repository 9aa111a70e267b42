"""APIトークン: what programs show instead of a login; for admins."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.users import TOKEN_DAYS, role_options, tokens
from console.visit import Admin, AdminReading, Visit
from worker.pipeline import users_tokens
from worker.pipeline.users_words import UserRefused
from worker.rules.states import Role

router = APIRouter(prefix="/users/tokens")


@router.get("")
def show(visit: AdminReading, said: str = "") -> Response:
    """Every token, and the form to make one."""
    return _show(visit, told=visit.words("tokens.stopped") if said == "stopped" else "")


def _show(visit: Visit, status: int = 200, **more: Any) -> Response:
    with visit.read() as (session, ctx):
        rows = tokens(session, ctx, visit.words, visit.now)
    around = {"told": "", "trouble": "", "tried": "", "made": None} | more
    roles = role_options()
    return page(
        visit, "users_tokens.html", status, rows=rows, roles=roles, days=TOKEN_DAYS, **around
    )


@router.post("")
def make(
    visit: Admin,
    name: Annotated[str, Form(max_length=200)] = "",
    role: Annotated[Role, Form()] = Role.VIEWER,
    days: Annotated[int, Form()] = TOKEN_DAYS[1],
) -> Response:
    """Make a token and show it, once."""
    try:
        with visit.write() as (session, _ctx):
            row, secret = users_tokens.make_token(
                session, name, role, days, by=visit.login.name, now=visit.now
            )
            made = (row.name, secret)
    except UserRefused as error:
        return _show(visit, 409, trouble=error.words(visit.locale), tried=name)
    return _show(visit, made=made)


@router.post("/{token_id:int}/revoke")
def revoke(visit: Admin, token_id: int) -> Response:
    """Worthless at once."""
    with visit.write() as (session, _ctx):
        users_tokens.revoke_token(session, token_id, by=visit.login.name, now=visit.now)
    return go("/users/tokens?said=stopped")
