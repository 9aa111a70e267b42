"""取込できなかった受注: kept records, to be mended, taken in again or closed."""

from __future__ import annotations

from fastapi import APIRouter, Response

from console.rendering import page
from console.views.lists import broken
from console.visit import Reading

router = APIRouter(prefix="/quarantine")


@router.get("")
def show(visit: Reading) -> Response:
    """Every open case."""
    with visit.read() as (session, ctx):
        cases = broken(session, ctx, visit.words, visit.now)
    return page(visit, "quarantine.html", cases=cases)
