"""送信履歴: every message by state, found by name or order number."""

from __future__ import annotations

from fastapi import APIRouter, Response

from console.rendering import known, page
from console.views.lists import messages_view
from console.visit import Reading
from worker.rules.states import MessageState

router = APIRouter()


@router.get("/messages")
def show(visit: Reading, state: str = "", q: str = "", at: int = 0) -> Response:
    """A page of the list."""
    with visit.read() as (session, ctx):
        model = messages_view(
            session,
            ctx,
            visit.words,
            visit.now,
            known(state, tuple(MessageState)),
            q.strip()[:80],
            max(at, 0),
        )
    return page(visit, "messages.html", m=model)
