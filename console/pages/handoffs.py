"""モール配信の準備: mailings that staff run in the marketplace's own tool, and the tick."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.lists import campaigns
from console.visit import Approver, Reading
from worker.pipeline import review

router = APIRouter(prefix="/handoffs")


@router.get("")
def show(visit: Reading) -> Response:
    """What is to be run, and what was."""
    with visit.read() as (session, ctx):
        waiting = campaigns(session, visit.words, done=False)
        past = campaigns(session, visit.words, done=True)
        today = visit.now.astimezone(ctx.zone).date()
    return page(visit, "handoffs.html", waiting=waiting, past=past, today=today.isoformat())


@router.post("/{message_id}")
def done(
    visit: Approver,
    message_id: str,
    version: Annotated[int, Form()],
    done_on: Annotated[date, Form()],
    count: Annotated[int, Form()],
) -> Response:
    """Note the day and the number."""
    with visit.write() as (session, ctx):
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
