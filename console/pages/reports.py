"""分析: sales, ranks, second orders, coupons; each report as a file too."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from console.failures import told
from console.rendering import go, page
from console.views.report_tables import as_csv
from console.views.reports import Chosen, chosen_from, reports_view, section_of
from console.visit import Editor, Reading
from worker.pipeline.reports import count_figures, keep_figures

router = APIRouter(prefix="/reports")


def chosen_of(months: str = "", shop: str = "") -> Chosen:
    """The filter from the address; what it does not know asks for nothing."""
    return chosen_from(months, shop)


Filter = Annotated[Chosen, Depends(chosen_of)]


@router.get("")
def show(visit: Reading, chosen: Filter) -> Response:
    """All reports of the period and the shop."""
    with visit.read() as (session, ctx):
        model = reports_view(session, ctx, chosen, visit.words, visit.now)
    return page(visit, "reports.html", m=model)


@router.post("/count")
def count(visit: Editor) -> Response:
    """Count afresh: a large ledger is read first and written to only for the result."""
    with visit.read() as (session, ctx):
        figures = count_figures(session, ctx, visit.now)
    with visit.act("count_reports") as (session, _ctx):
        keep_figures(session, figures, visit.now)
    return go("/reports")


@router.get("/{name}.csv")
def as_file(visit: Reading, name: str, chosen: Filter) -> Response:
    """One report as CSV; where people are named in it, its export stands in the audit."""
    with visit.read() as (session, ctx):
        section = section_of(session, ctx, chosen, name, visit.words, visit.now)
    if section is None:
        return told(visit.request, 404, "not_found")
    if section.personal:
        rows = len(section.rows)
        with visit.act("export_report", f"report:{name}", count=rows, form="csv"):
            pass
    named = {"Content-Disposition": f'attachment; filename="report-{name}.csv"'}
    return Response(as_csv(section), media_type="text/csv; charset=utf-8", headers=named)
