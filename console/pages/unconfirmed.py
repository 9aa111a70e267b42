"""送信結果が不明: sends that died on the way, settled by a person with evidence."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.rendering import go, page
from console.views.lists import doubts
from console.visit import Approver, Reading
from worker.pipeline import review

router = APIRouter(prefix="/unconfirmed")


@router.get("")
def show(visit: Reading) -> Response:
    """All of them with what is known."""
    with visit.read() as (session, ctx):
        model = doubts(session, ctx, visit.words)
    return page(visit, "unconfirmed.html", doubts=model)


@router.post("/{message_id}")
def settle(
    visit: Approver,
    message_id: str,
    version: Annotated[int, Form()],
    how: Annotated[Literal["was_sent", "was_not_sent", "abandon"], Form()],
    evidence: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Say what became of it."""
    with visit.act("settle_unconfirmed", f"message:{message_id}", how=how) as (session, ctx):
        review.resolve_unconfirmed(
            session,
            ctx,
            message_id,
            how=how,
            by=visit.login.name,
            now=visit.now,
            evidence=evidence.strip(),
            version=version,
        )
    return go("/unconfirmed")
