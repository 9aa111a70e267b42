"""モール配信の準備: mailings that staff run in the marketplace's own tool, and the tick."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.campaigns import campaigns
from console.views.requests import requests_view
from console.visit import Approver, Reading
from worker.pipeline import review
from worker.pipeline.solicit import release_requests, resolve_request

router = APIRouter(prefix="/handoffs")
RequestAnswer = Literal["was_asked", "was_not_asked", "abandon"]


@router.get("")
def show(visit: Reading) -> Response:
    """What is to be run, and what was."""
    with visit.read() as (session, ctx):
        waiting = campaigns(session, visit.words, done=False)
        past = campaigns(session, visit.words, done=True)
        asked = requests_view(session, ctx, visit.words, visit.now)
        today = visit.now.astimezone(ctx.zone).date()
    return page(
        visit, "handoffs.html", waiting=waiting, past=past, requests=asked, today=today.isoformat()
    )


@router.post("/requests")
def release(
    visit: Approver,
    number: Annotated[int, Form()],
    item: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Leave exactly the ticked orders to the marketplace, if they are as many as was written."""
    with visit.act("release_requests", count=number) as (session, ctx):
        release_requests(
            session, ctx, item or [], expected=number, by=visit.login.name, now=visit.now
        )
    return go("/handoffs")


@router.post("/requests/{request_id}")
def resolve(visit: Approver, request_id: int, how: Annotated[RequestAnswer, Form()]) -> Response:
    """Say what became of a request that nobody could confirm."""
    with visit.act("resolve_request", f"request:{request_id}", how=how) as (session, _ctx):
        resolve_request(session, request_id, how=how, by=visit.login.name, now=visit.now)
    return go("/handoffs")


@router.post("/{message_id}")
def done(
    visit: Approver,
    message_id: str,
    version: Annotated[int, Form()],
    done_on: Annotated[date, Form()],
    count: Annotated[int, Form()],
    ticked: Annotated[Literal["yes"], Form()],
) -> Response:
    """The box 配信した, with the day and the number."""
    del ticked  # asked for, so that nobody notes by accident what was not run
    with visit.act(
        "hand_off", f"message:{message_id}", done_on=done_on.isoformat(), count=count
    ) as (session, ctx):
        review.hand_off_done(
            session,
            ctx,
            message_id,
            done_on=done_on,
            count=count,
            by=visit.login.name,
            now=visit.now,
            version=version,
        )
    return go("/handoffs")
