"""操作ログ: the list, its filter and its file; for admins."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Response

from console.rendering import page
from console.views.audit import Asked, audit_csv, audit_view
from console.visit import AdminReading
from worker.pipeline.audit import record_export

router = APIRouter(prefix="/users/audit")

LARGEST_ID = 2**63 - 1


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        # An address that people may type: what is no day asks for nothing.
        return None


def asked_of(
    by: str = "", action: str = "", subject: str = "", since: str = "", until: str = ""
) -> Asked:
    """The filter from the address."""
    return Asked(by[:80], action[:60], subject.strip()[:200], _day(since), _day(until))


Filter = Annotated[Asked, Depends(asked_of)]


@router.get("")
def show(visit: AdminReading, asked: Filter, before: str = "") -> Response:
    """A page of acts, the newest first."""
    place = int(before) if before.isascii() and before.isdigit() else None
    with visit.read() as (session, ctx):
        model = audit_view(
            session,
            asked,
            visit.words,
            ctx.zone,
            before=min(place, LARGEST_ID) if place is not None else None,
        )
    return page(visit, "audit.html", m=model, asked=asked)


@router.get(".csv")
def as_csv(visit: AdminReading, asked: Filter) -> Response:
    """The same acts as a file; taking it is an act of its own."""
    with visit.write() as (session, ctx):
        content, count = audit_csv(session, asked, visit.words, ctx.zone)
        record_export(
            session,
            what="audit",
            form="csv",
            count=count,
            by=visit.login.name,
            now=visit.now,
            filter=asked.query(),
        )
    named = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=named)
