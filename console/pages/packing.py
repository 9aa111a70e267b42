"""同梱物: the list at the packing bench, its ticks and its CSV."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.failures import told
from console.rendering import go, page
from console.views.packing import parcels
from console.visit import Editor, Reading
from worker.pipeline import packing

router = APIRouter()


@router.get("/packing")
def show(visit: Reading) -> Response:
    """What lies in which parcel today."""
    with visit.read() as (session, ctx):
        boxes = parcels(session, ctx, visit.words, visit.now)
    done = sum(1 for box in boxes if box.packed)
    return page(visit, "packing.html", boxes=boxes, done=done)


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
