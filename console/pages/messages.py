"""送信履歴: every message, found by name, address, order number or its words; and as a file."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response

from console.rendering import known, page
from console.views.history import Chosen, history_file, history_view
from console.visit import Editor, Reading
from worker.rules.states import MailKind, MessageState

router = APIRouter()


def chosen_of(
    state: str = "",
    kind: str = "",
    channel: str = "",
    since: str = "",
    until: str = "",
    q: str = "",
    among: str = "",
) -> Chosen:
    """The filter from the address; what it does not know asks for nothing."""
    return Chosen(
        state=known(state, tuple(MessageState)),
        kind=known(kind, tuple(MailKind)),
        channel=channel if channel.isascii() and channel.isdigit() and len(channel) < 10 else "",
        since=_day(since),
        until=_day(until),
        q=q.replace("\x00", "").strip()[:80],
        among="words" if among == "words" else "people",
    )


def _day(said: str) -> str:
    try:
        found = date.fromisoformat(said)
    except ValueError:
        return ""
    # Outside of these years a shop's midnight is no instant any more.
    return found.isoformat() if 1970 < found.year < 9000 else ""


Filter = Annotated[Chosen, Depends(chosen_of)]


@router.get("/messages")
def show(visit: Reading, chosen: Filter, after: str = "") -> Response:
    """A page of the list."""
    with visit.read() as (session, ctx):
        model = history_view(session, ctx, visit.words, visit.now, chosen, after)
    return page(visit, "messages.html", m=model)


@router.post("/messages/file")
def as_file(
    visit: Editor,
    state: Annotated[str, Form()] = "",
    kind: Annotated[str, Form()] = "",
    channel: Annotated[str, Form()] = "",
    since: Annotated[str, Form()] = "",
    until: Annotated[str, Form()] = "",
    q: Annotated[str, Form()] = "",
    among: Annotated[str, Form()] = "",
) -> Response:
    """The same list as a CSV; that somebody took personal data along stands in the audit."""
    chosen = chosen_of(state, kind, channel, since, until, q, among)
    with visit.act(
        "export_messages",
        state=chosen.state,
        kind=chosen.kind,
        channel=chosen.channel,
        since=chosen.since,
        until=chosen.until,
        searched=bool(chosen.q),
    ) as (session, ctx):
        content = history_file(session, ctx, visit.words, chosen)
    named = {"Content-Disposition": 'attachment; filename="messages.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=named)
