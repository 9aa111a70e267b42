"""今日: the first page."""

from __future__ import annotations

from fastapi import APIRouter, Response

from console.rendering import page
from console.views.guide import progress
from console.views.today import today_view
from console.visit import Reading

router = APIRouter()


@router.get("/")
def show(visit: Reading) -> Response:
    """What needs me."""
    with visit.read() as (session, ctx):
        model = today_view(session, ctx, visit.words, visit.now)
        left = progress(session, ctx, visit.words, visit.now)
    return page(visit, "today.html", d=model, g=left)
