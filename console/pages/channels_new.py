"""連携: a channel is added, and its keys are entered anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from connectors.contract import NeedsPerson
from connectors.registry import kinds
from console.pages.channels import channel_page, tried
from console.rendering import go, known, page
from console.views.channel_words import in_language
from console.views.channels_form import entered, form_view, kind_options, setup_of
from console.visit import Admin, AdminReading, NoSuchPlace, Visit
from worker.live import keyring
from worker.pipeline.channel_admin import Setup, awaiting_login, set_up
from worker.pipeline.channel_names import find_channel

router = APIRouter(prefix="/channels")


async def _entries(request: Request) -> dict[str, str]:
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


Entries = Annotated[dict[str, str], Depends(_entries)]
"""What the form holds; its fields follow from the kind."""


@router.get("/new")
def choose(visit: AdminReading, kind: str = "") -> Response:
    """Which marketplace, then its form."""
    if not known(kind, kinds()):
        return page(visit, "channel_kinds.html", options=kind_options(visit.words))
    return page(visit, "channel_new.html", f=form_view(kind, visit.words, {}), trouble="")


@router.post("/new")
def add(visit: Admin, given: Entries) -> Response:
    """Set it up, then try it, or go on to the login that brings its last key."""
    kind = known(given.get("kind", ""), kinds())
    if not kind:
        raise NoSuchPlace
    try:
        trouble, name = _added(visit, kind, given)
    except NeedsPerson as problem:
        trouble, name = in_language(f"{problem.problem} {problem.remedy}", visit.locale), ""
    except ValueError:
        trouble, name = visit.words("new_channel.bad_date"), ""
    if trouble:
        model = form_view(kind, visit.words, given)
        return page(visit, "channel_new.html", 409, f=model, trouble=trouble)
    return _try(visit, name, "added")


def _added(visit: Visit, kind: str, given: dict[str, str]) -> tuple[str, str]:
    """Trouble, if any, and the name of the channel that was made."""
    form = form_view(kind, visit.words, given)
    if form.warnings and not given.get("understood"):
        return visit.words("new_channel.read_first"), ""
    missing = [
        field.label
        for field in (*form.settings, *form.keys)
        if field.required and not given.get(field.name, "").strip()
    ]
    if missing:
        return visit.words("new_channel.missing", names=visit.words("app.comma").join(missing)), ""
    with visit.write() as (session, ctx):
        setup = setup_of(kind, given, ctx.zone)
        if find_channel(session, setup.name) is not None:
            return visit.words("new_channel.exists", name=setup.name), ""
        set_up(session, ctx, keyring(visit.house.runtime), setup, visit.login.name, visit.now)
    return "", setup.name


@router.get("/{name}/keys")
def keys(visit: AdminReading, name: str) -> Response:
    """The keys of a channel, to be entered anew."""
    return _keys(visit, name, {}, "")


@router.post("/{name}/keys")
def enter(visit: Admin, name: str, given: Entries) -> Response:
    """Take over what was entered; an empty entry leaves the key as it is."""
    try:
        with visit.write() as (session, ctx):
            channel = find_channel(session, name)
            if channel is None:
                raise NoSuchPlace
            told = entered(channel.kind, given, ctx.zone)
            setup = Setup(name, channel.kind, **told)
            if not setup.secrets:
                return go(f"/channels/{name}")
            set_up(session, ctx, keyring(visit.house.runtime), setup, visit.login.name, visit.now)
    except ValueError:
        return _keys(visit, name, given, visit.words("new_channel.bad_date"))
    return _try(visit, name, "keys")


def _keys(visit: Visit, name: str, given: dict[str, str], trouble: str) -> Response:
    with visit.read() as (session, _ctx):
        channel = find_channel(session, name)
        if channel is None:
            raise NoSuchPlace
        model = form_view(channel.kind, visit.words, given, channel)
    status = 409 if trouble else 200
    return page(visit, "channel_keys.html", status, f=model, name=name, trouble=trouble)


def _try(visit: Visit, name: str, done: str) -> Response:
    """Say at once whether what was entered works; a login that is left is said instead."""
    with visit.read() as (session, _ctx):
        channel = find_channel(session, name)
        waits = channel is not None and awaiting_login(channel)
    if waits:
        return go(f"/channels/{name}?done={done}")
    said, works = tried(visit, name)
    return channel_page(visit, name, said, "ok" if works else "bad")
