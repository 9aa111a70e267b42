"""連携: the channels, and what a clerk does with one: pull now, pause, try, read the past."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated

from fastapi import APIRouter, Form, Response

from connectors.contract import ConnectorError, NeedsPerson, TryLater
from console.failures import in_words, told
from console.rendering import fragment, go, known, page
from console.views.channel_words import in_language
from console.views.channels_list import channels_view
from console.views.channels_one import channel_view, past_view
from console.visit import Editor, NoSuchPlace, Reading, Visit
from worker.live import UnknownChannel, channel_config, open_channel_connector
from worker.pipeline.backfill_wish import stop_backfill, wish_backfill
from worker.pipeline.channel_admin import note, pause, pull_soon, resume
from worker.pipeline.channel_names import find_channel
from worker.pipeline.pull import channel_named

router = APIRouter(prefix="/channels")

_TOLD = (
    "pull", "paused", "resumed", "backfill", "backfill_stopped", "login", "added", "keys",
    "imported",
)  # fmt: skip


@router.get("")
def show(visit: Reading) -> Response:
    """Every channel at a glance."""
    with visit.read() as (session, _ctx):
        lines = channels_view(session, visit.words, visit.now)
    return page(visit, "channels.html", lines=lines)


@router.get("/{name}")
def one(visit: Reading, name: str, done: str = "") -> Response:
    """One channel."""
    result = known(done, _TOLD)
    return channel_page(visit, name, visit.words(f"channel.done_{result}") if result else "")


def channel_page(visit: Visit, name: str, said: str = "", look: str = "ok") -> Response:
    """The page of a channel with what has just happened above it."""
    with visit.read() as (session, ctx):
        model = channel_view(session, ctx, visit.words, visit.now, name)
    return page(visit, "channel.html", c=model, said=said, said_look=look)


@router.get("/{name}/now")
def now(visit: Reading, name: str) -> Response:
    """The part of the page that changes by itself; asked for by htmx."""
    with visit.read() as (session, ctx):
        model = channel_view(session, ctx, visit.words, visit.now, name)
    return fragment(visit, "_channel_now.html", c=model, moving=True)


@router.get("/{name}/past")
def past(visit: Reading, name: str) -> Response:
    """How far the reading of the past is; asked for by htmx."""
    with visit.read() as (session, ctx):
        channel = find_channel(session, name)
        if channel is None:
            raise NoSuchPlace
        model = past_view(channel, visit.words, visit.now, ctx.zone)
    return fragment(visit, "_past.html", p=model, name=name)


@router.post("/{name}/pull")
def pull(visit: Editor, name: str) -> Response:
    """Have it polled at the next sweep, within half a minute."""
    _known(visit, name)
    with visit.write() as (session, _ctx):
        pull_soon(session, name, visit.login.name, visit.now)
    return go(f"/channels/{name}?done=pull")


@router.post("/{name}/pause")
def stop(visit: Editor, name: str, reason: Annotated[str, Form(max_length=300)] = "") -> Response:
    """Poll it no more until it is resumed."""
    _known(visit, name)
    with visit.write() as (session, _ctx):
        pause(session, name, reason.strip(), visit.login.name, visit.now)
    return go(f"/channels/{name}?done=paused")


@router.post("/{name}/resume")
def go_on(visit: Editor, name: str) -> Response:
    """Poll it again, at once."""
    _known(visit, name)
    with visit.write() as (session, _ctx):
        resume(session, name, visit.login.name, visit.now)
    return go(f"/channels/{name}?done=resumed")


@router.post("/{name}/check")
def check(visit: Editor, name: str) -> Response:
    """Make a harmless call, outside of any transaction, and say what came of it."""
    said, works = tried(visit, name)
    with visit.write() as (session, _ctx):
        channel = channel_named(session, name)
        note(session, "channel_check", channel, visit.login.name, visit.now, works=works)
    return channel_page(visit, name, said, "ok" if works else "bad")


def tried(visit: Visit, name: str) -> tuple[str, bool]:
    """What the check of a channel says, in the visitor's language, and whether it works."""
    runtime = visit.house.runtime
    try:
        text = open_channel_connector(runtime, channel_config(runtime, name)).check()
    except UnknownChannel as missing:
        raise NoSuchPlace from missing
    except NeedsPerson as problem:
        return in_language(f"{problem.problem} {problem.remedy}", visit.locale), False
    except TryLater as problem:
        return visit.words("channel.later", detail=str(problem)), False
    except ConnectorError as problem:
        return in_language(str(problem), visit.locale), False
    return in_language(text, visit.locale), True


@router.post("/{name}/backfill")
def backfill(visit: Editor, name: str, since: Annotated[str, Form()] = "") -> Response:
    """Read the past, from a day on or as far back as the source tells; plans no mail."""
    _known(visit, name)
    try:
        begin = date.fromisoformat(since) if since else None
    except ValueError:
        return told(visit.request, 422, "invalid")
    try:
        with visit.write() as (session, ctx):
            at = datetime.combine(begin, time(), ctx.zone) if begin else None
            wish_backfill(session, name, at, visit.login.name, visit.now)
    except NeedsPerson as problem:
        return refused(visit, problem)
    return go(f"/channels/{name}?done=backfill#past")


@router.post("/{name}/backfill/stop")
def backfill_stop(visit: Editor, name: str) -> Response:
    """Read no further; it goes on from there when asked again."""
    _known(visit, name)
    with visit.write() as (session, _ctx):
        stop_backfill(session, name, visit.login.name, visit.now)
    return go(f"/channels/{name}?done=backfill_stopped#past")


def refused(visit: Visit, problem: NeedsPerson) -> Response:
    """What stands against it and what to do, in the visitor's language."""
    text = in_language(f"{problem.problem} {problem.remedy}", visit.locale)
    return in_words(visit.request, 409, "channel", text)


def _known(visit: Visit, name: str) -> None:
    with visit.read() as (session, _ctx):
        if find_channel(session, name) is None:
            raise NoSuchPlace
