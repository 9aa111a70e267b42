"""はじめの一週間: the rehearsal beside another system, and the list of what that one sent."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Response, UploadFile

from console.failures import told
from console.rendering import go, known, page
from console.views.guide_rehearsal import rehearsal_view
from console.visit import Editor, NoSuchPlace, Reading
from worker.pipeline.channel_names import find_channel
from worker.pipeline.rehearsal import KINDS
from worker.pipeline.rehearsal_hub import (
    ListWrong,
    decode,
    forget_hub_mails,
    numbers_in,
    tell_hub_mails,
)
from worker.rules.states import MailKind

router = APIRouter(prefix="/guide/rehearsal")
_BYTES = 4_000_000


@router.get("")
def show(
    visit: Reading,
    channel: str = "",
    kind: str = "",
    first: str = "",
    last: str = "",
    done: str = "",
) -> Response:
    """The two side by side."""
    with visit.read() as (session, ctx):
        model = rehearsal_view(
            session, ctx, visit.words, visit.now, channel=channel, kind=known(kind, KINDS),
            first=_day(first), last=_day(last),
        )  # fmt: skip
    said = known(done, ("told", "forgotten"))
    text = visit.words(f"rehearsal.done_{said}") if said else ""
    return page(visit, "guide_rehearsal.html", r=model, said=text)


@router.post("")
def tell(
    visit: Editor,
    channel: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    first: Annotated[str, Form()] = "",
    last: Annotated[str, Form()] = "",
    numbers: Annotated[str, Form(max_length=400_000)] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Take in the numbers of the orders that the other system wrote about."""
    try:
        content = file.file.read(_BYTES + 1) if file and file.filename else b""
        if len(content) > _BYTES:
            raise ListWrong("too_long")
        found = numbers_in(decode(content) if content else numbers)
        with visit.write() as (session, _ctx):
            row = find_channel(session, channel)
            if row is None:
                raise NoSuchPlace
            tell_hub_mails(session, row, _kind(kind), found, by=visit.login.name, now=visit.now)
    except ListWrong as wrong:
        return told(visit.request, 422, f"list_{wrong.code}")
    return go(_back(channel, kind, first, last, "told"))


@router.post("/forget")
def take_back(
    visit: Editor, channel: Annotated[str, Form()], kind: Annotated[str, Form()]
) -> Response:
    """Take the list of a channel and kind back."""
    with visit.write() as (session, _ctx):
        row = find_channel(session, channel)
        if row is None:
            raise NoSuchPlace
        forget_hub_mails(session, row, _kind(kind), by=visit.login.name, now=visit.now)
    return go(_back(channel, kind, "", "", "forgotten"))


def _kind(value: str) -> MailKind:
    if value not in KINDS:
        raise NoSuchPlace
    return MailKind(value)


def _back(channel: str, kind: str, first: str, last: str, done: str) -> str:
    fields = {"channel": channel, "kind": kind, "first": first, "last": last, "done": done}
    return f"/guide/rehearsal?{urlencode({k: v for k, v in fields.items() if v})}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
