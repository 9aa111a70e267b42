"""同梱物: the list at the packing bench, its ticks and its CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.failures import told
from console.rendering import go, page
from console.views.packing import packing_view
from console.visit import Editor, Reading
from worker.pipeline import packing

router = APIRouter()


@router.get("/packing")
def show(visit: Reading, item: str = "") -> Response:
    """What lies in which parcel today, and the cards to print."""
    with visit.read() as (session, ctx):
        model = packing_view(session, ctx, visit.words, visit.now, item)
    return page(visit, "packing.html", m=model)


@router.post("/packing/printed")
def printed(visit: Editor, card: Annotated[list[int], Form(max_length=1000)]) -> Response:
    """The sheets came out well: exactly the cards that were on them are printed."""
    with visit.act("print_cards", cards=sorted(card)) as (session, _ctx):
        packing.mark_printed(session, card, visit.now)
    return go("/packing")


@router.post("/packing/{item_id}/unprinted")
def unprinted(visit: Editor, item_id: int) -> Response:
    """Put a card back among those to print."""
    try:
        with visit.act("unprint_card", f"packing:{item_id}") as (session, _ctx):
            packing.mark_unprinted(session, item_id)
    except packing.ItemGone:
        return told(visit.request, 409, "item_gone")
    return go("/packing")


@router.post("/packing/{item_id}")
def tick(visit: Editor, item_id: int, packed: Annotated[bool, Form()] = True) -> Response:
    """Tick a thing, or take the tick back."""
    try:
        with visit.act("pack" if packed else "unpack", f"packing:{item_id}") as (session, _ctx):
            if packed:
                packing.tick(session, item_id, visit.login.name, visit.now)
            else:
                packing.untick(session, item_id)
    except packing.ItemGone:
        return told(visit.request, 409, "item_gone")
    return go("/packing")


@router.get("/packing.csv")
def as_csv(visit: Reading) -> Response:
    """The list for the order hub's slips."""
    with visit.act("export_packing") as (session, ctx):
        rows = packing.packing_list(session, ctx, visit.now.astimezone(ctx.zone).date())
        content = packing.packing_csv(rows)
    named = {"Content-Disposition": 'attachment; filename="packing.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=named)
