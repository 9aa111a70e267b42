"""自分の設定: one's own name, language, keys, password, second step and logins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Response
from sqlalchemy.orm import Session

from console import auth
from console.rendering import go, page
from console.views.me import me_view
from console.visit import LANGUAGES, Anyone, Reading, Visit
from worker.pipeline import users, users_logins, users_totp
from worker.pipeline.context import Context
from worker.pipeline.users_secrets import check_password, hash_password, is_password
from worker.pipeline.users_words import UserRefused
from worker.store.running import User

router = APIRouter(prefix="/me")

_SAID = ("saved", "password_done", "stopped", "ended")
Code = Annotated[str, Form(max_length=40)]
Password = Annotated[str, Form(max_length=1000)]


@router.get("")
def show(visit: Reading, said: str = "", welcome: str = "") -> Response:
    """Everything on one page."""
    told = visit.words(f"me.{said}") if said in _SAID else ""
    return _show(visit, told=told, welcome=bool(welcome))


def _show(visit: Visit, status: int = 200, **more: Any) -> Response:
    with visit.read() as (session, ctx):
        login = visit.login
        model = me_view(session, ctx, login.user_id, login.session_id, visit.words, visit.now)
    around = {"told": "", "welcome": False, "trouble": {}, "codes": ()} | more
    return page(visit, "me.html", status, m=model, languages=LANGUAGES, **around)


def _refused(visit: Visit, part: str, error: UserRefused) -> Response:
    return _show(visit, 409, trouble={part: error.words(visit.locale)})


@router.post("/screen")
def screen(
    visit: Anyone,
    name: Annotated[str, Form(max_length=200)],
    language: Annotated[str, Form()] = "",
    shortcuts: Annotated[Literal["on", ""], Form()] = "",
) -> Response:
    """Name, language and single keys."""
    try:
        with visit.write() as (session, _ctx):
            own = visit.login.user_id
            user = users.rename(session, own, name, by=visit.login.name, now=visit.now)
            user.locale = language if language in LANGUAGES else ""
            user.shortcuts = bool(shortcuts)
    except UserRefused as error:
        return _refused(visit, "screen", error)
    return go("/me?said=saved")


@router.post("/password")
def password(
    visit: Anyone, old: Password = "", new: Password = "", again: Password = ""
) -> Response:
    """Change the password; every other login ends. Hashes outside of any transaction."""
    try:
        _change_password(visit, old, new, again)
    except auth.TooManyTries:
        return _show(visit, 429, trouble={"password": visit.words("error.too_many")})
    except UserRefused as error:
        return _refused(visit, "password", error)
    return go("/me?said=password_done")


def _change_password(visit: Visit, old: str, new: str, again: str) -> None:
    own, name = visit.login.user_id, visit.login.name
    mark, place = f"password:{own}", f"me:{visit.login.session_id}"
    with visit.write() as (session, ctx):
        key = ctx.key
        auth.count_try(session, key, mark, place, visit.now)
        stored = session.get_one(User, own).password_hash
    if stored and not is_password(stored, old):
        raise UserRefused("password_wrong")
    if new != again:
        raise UserRefused("passwords_differ")
    check_password(name, new)
    hashed = hash_password(new)
    with visit.write() as (session, _ctx):
        auth.forget_tries(session, key, mark, place)
        users_logins.change_password(
            session,
            own,
            hashed,
            expected=stored,
            keep=visit.login.session_id,
            by=name,
            now=visit.now,
        )


@router.post("/totp")
def begin(visit: Anyone) -> Response:
    """Make a secret and show it; nothing is asked for until a code of it was seen."""
    with suppress(UserRefused), visit.write() as (session, ctx):
        # Two presses are one: whoever has it already sees it as it stands.
        users_totp.begin_totp(session, ctx, visit.login.user_id)
    return go("/me#second")


@router.post("/totp/confirm")
def confirm(visit: Anyone, code: Code = "") -> Response:
    """From now on the code is asked; the recovery codes are shown this once."""
    return _codes(visit, code, users_totp.confirm_totp)


@router.post("/totp/renew")
def renew(visit: Anyone, code: Code = "") -> Response:
    """New recovery codes, for who still has the telephone or one of the old ones."""

    def renewed(session: Session, ctx: Context, own: int, code: str, **told: Any) -> list[str]:
        _take(session, ctx, visit, code)
        return users_totp.renew_codes(session, ctx, own, **told)

    return _codes(visit, code, renewed)


@router.post("/totp/stop")
def stop(visit: Anyone, code: Code = "") -> Response:
    """Ask for no code any more; whoever sits at an open screen needs one for that."""

    def stopped(session: Session, ctx: Context, own: int, code: str, **told: Any) -> list[str]:
        _take(session, ctx, visit, code)
        users_totp.drop_totp(session, own, **told)
        return []

    return _codes(visit, code, stopped)


def _take(session: Session, ctx: Context, visit: Visit, code: str) -> None:
    if not users_totp.takes_code(session, ctx, visit.login.user_id, code, visit.now):
        raise UserRefused("code_wrong")


def _codes(visit: Visit, code: str, act: Callable[..., list[str]]) -> Response:
    """Count the attempt, act, and show the codes that come of it."""
    own = visit.login.user_id
    mark, place = f"code:{own}", f"me:{visit.login.session_id}"
    try:
        with visit.write() as (session, ctx):
            auth.count_try(session, ctx.key, mark, place, visit.now)
        with visit.write() as (session, ctx):
            codes = act(session, ctx, own, code, by=visit.login.name, now=visit.now)
            auth.forget_tries(session, ctx.key, mark, place)
    except auth.TooManyTries:
        return _show(visit, 429, trouble={"second": visit.words("error.too_many")})
    except UserRefused as error:
        return _refused(visit, "second", error)
    return _show(visit, codes=codes) if codes else go("/me?said=stopped")


@router.post("/logins/{login_id}/end")
def end(visit: Anyone, login_id: int) -> Response:
    """End one of one's own logins."""
    with visit.write() as (session, _ctx):
        users_logins.end_login(
            session, visit.login.user_id, login_id, by=visit.login.name, now=visit.now
        )
    return go("/me?said=ended")


@router.post("/logins/others")
def end_others(visit: Anyone) -> Response:
    """End every login but this one."""
    with visit.write() as (session, _ctx):
        users_logins.end_other_logins(
            session,
            visit.login.user_id,
            visit.login.session_id,
            by=visit.login.name,
            now=visit.now,
        )
    return go("/me?said=ended")
