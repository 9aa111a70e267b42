"""同梱物: the list at the packing bench."""

from __future__ import annotations

from fastapi import APIRouter, Response

from console.rendering import page
from console.views.packing import parcels
from console.visit import Reading

router = APIRouter(prefix="/packing")


@router.get("")
def show(visit: Reading) -> Response:
    """What lies in which parcel today."""
    with visit.read() as (session, ctx):
        boxes = parcels(session, ctx, visit.words, visit.now)
    done = sum(1 for box in boxes if box.packed)
    return page(visit, "packing.html", boxes=boxes, done=done)
