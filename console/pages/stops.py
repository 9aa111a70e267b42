"""送信を止める: the kill switch by shop, by kind, or for everything."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.lists import channel_of, channel_options, kind_options, pressed
from console.visit import Approver, Editor, Reading
from worker.pipeline import review
from worker.rules.states import MailKind

router = APIRouter(prefix="/stops")


@router.get("")
def show(visit: Reading, recalled: int | None = None, lifted: int | None = None) -> Response:
    """What is stopped, and the form to stop something."""
    with visit.read() as (session, ctx):
        active = pressed(session, ctx, visit.words, visit.now)
        channels = channel_options(session, visit.words)
    told = ""
    if recalled is not None:
        told = visit.words("stops.recalled", n=recalled)
    elif lifted is not None:
        told = visit.words("stops.lifted", n=lifted)
    kinds = kind_options(visit.words)
    return page(visit, "stops.html", active=active, channels=channels, kinds=kinds, told=told)


@router.post("")
def press(
    visit: Editor,
    channel: Annotated[str, Form()] = "",
    kind: Annotated[MailKind | Literal[""], Form()] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Stop; stopping is safe, so an editor may do it."""
    with visit.act("stop", channel=channel, kind=kind) as (session, ctx):
        channel_id = channel_of(session, channel)
        done = review.stop(
            session,
            ctx,
            by=visit.login.name,
            now=visit.now,
            kind=kind or None,
            channel_id=channel_id,
            reason=reason.strip(),
        )
    return go(f"/stops?recalled={len(done.message_ids)}")


@router.post("/{stop_id}/lift")
def lift(visit: Approver, stop_id: int) -> Response:
    """Lift; what was stopped is read again before it goes."""
    with visit.act("lift_stop", f"stop:{stop_id}") as (session, ctx):
        done = review.lift(session, ctx, stop_id, by=visit.login.name, now=visit.now)
    return go(f"/stops?lifted={len(done.message_ids)}")
