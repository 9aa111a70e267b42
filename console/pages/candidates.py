"""名寄せ候補: the same person or two, decided by somebody who can see both."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.failures import told
from console.rendering import go, page
from console.views.people import pairs
from console.visit import Editor, Reading
from worker.pipeline.merging import MergeRefused, decide_candidate

router = APIRouter(prefix="/candidates")


@router.get("")
def show(visit: Reading) -> Response:
    """Both sides of each pair."""
    with visit.read() as (session, ctx):
        model = pairs(session, ctx, visit.words, visit.now)
    return page(visit, "candidates.html", pairs=model)


@router.post("/{candidate_id}")
def decide(
    visit: Editor, candidate_id: int, answer: Annotated[Literal["same", "other"], Form()]
) -> Response:
    """Take the person's word."""
    try:
        with visit.act("decide_candidate", f"candidate:{candidate_id}", answer=answer) as (
            session,
            ctx,
        ):
            decide_candidate(
                session, ctx, candidate_id, answer == "same", visit.login.name, visit.now
            )
    except MergeRefused:
        return told(visit.request, 409, "candidate")
    return go("/candidates")
