"""The question before a batch approve, and its answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response
from sqlalchemy.orm import Session

from console.failures import told
from console.pages.queue import Filter
from console.rendering import go, own_path, page
from console.views.batch import batch_view, items_of
from console.visit import Approver, Reading
from worker.pipeline import review

router = APIRouter()


@router.get("/queue/batch")
def ask(visit: Reading, chosen: Filter) -> Response:
    """How many, whose, what is left out."""
    with visit.read() as (session, ctx):
        model = batch_view(session, ctx, chosen, visit.words, visit.now)
    if not model.number:
        return told(visit.request, 409, "batch_empty")
    return page(visit, "batch.html", b=model)


@router.post("/queue/batch")
def answer(
    visit: Approver,
    number: Annotated[int, Form()],
    item: Annotated[list[str], Form()],
    back: Annotated[str, Form()] = "/queue",
) -> Response:
    """Approve exactly what was shown; where anything changed meanwhile, nothing."""
    ids = [each.partition(":")[0] for each in item]
    with visit.act("approve_batch", count=number, ids=ids) as (session, ctx):
        unchanged = _unchanged(session, item)
        if number != len(item) or unchanged != len(item):
            raise review.Refused("count_differs", expected=number, found=unchanged)
        done = review.approve_many(
            session,
            ctx,
            expected=number,
            by=visit.login.name,
            now=visit.now,
            ids=ids,
            recheck=visit.house.recheck,
        )
    if done.refused:
        return page(visit, "batch_done.html", done=done, back=own_path(back, "/queue"))
    return go(own_path(back, "/queue"))


def _unchanged(session: Session, items: list[str]) -> int:
    """How many still stand as they were shown: a mail edited meanwhile was not read by anybody."""
    now = set(items_of(session, [item.partition(":")[0] for item in items]))
    return sum(1 for item in set(items) if item in now)
