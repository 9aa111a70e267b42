"""取込できなかった受注: kept records, to be mended, taken in again or closed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.failures import in_words
from console.rendering import go, known, page
from console.views.lists import broken
from console.visit import Editor, Reading
from worker.pipeline import quarantine
from worker.pipeline.quarantine import CaseRefused, ReplayReport

router = APIRouter(prefix="/quarantine")

_TOLD = ("fixed", "still", "dismissed")


@router.get("")
def show(visit: Reading, done: str = "") -> Response:
    """Every open case."""
    with visit.read() as (session, ctx):
        cases = broken(session, ctx, visit.words, visit.now)
    result = known(done, _TOLD)
    told = visit.words(f"quarantine.{result}") if result else ""
    return page(visit, "quarantine.html", cases=cases, told=told)


@router.post("/replay")
def replay_all(visit: Editor) -> Response:
    """Take every kept record in again."""
    with visit.act("replay_all") as (session, ctx):
        report = quarantine.replay(session, ctx, "all", visit.login.name, visit.now)
    return _after(report)


@router.post("/{case_id}/fix")
def fix(
    visit: Editor,
    case_id: int,
    field: Annotated[str, Form(max_length=80)],
    value: Annotated[str, Form(max_length=1000)],
) -> Response:
    """Correct one value and take the record in."""
    try:
        with visit.act("fix_record", f"quarantine:{case_id}", field=field) as (session, ctx):
            report = quarantine.fix(
                session, ctx, case_id, {field: value}, visit.login.name, visit.now
            )
    except CaseRefused as no:
        return in_words(visit.request, 409, "case_refused", str(no))
    return _after(report)


@router.post("/{case_id}/replay")
def replay(visit: Editor, case_id: int) -> Response:
    """Take the record in as it is, after a profile was mended."""
    try:
        with visit.act("replay", f"quarantine:{case_id}") as (session, ctx):
            report = quarantine.replay(session, ctx, [case_id], visit.login.name, visit.now)
    except CaseRefused as no:
        return in_words(visit.request, 409, "case_refused", str(no))
    return _after(report)


@router.post("/{case_id}/dismiss")
def dismiss(visit: Editor, case_id: int) -> Response:
    """Let it go: it is no order."""
    try:
        with visit.act("dismiss", f"quarantine:{case_id}") as (session, _ctx):
            quarantine.dismiss(session, [case_id], visit.login.name, visit.now)
    except CaseRefused as no:
        return in_words(visit.request, 409, "case_refused", str(no))
    return go("/quarantine?done=dismissed")


def _after(report: ReplayReport) -> Response:
    return go(f"/quarantine?done={'still' if report.failed else 'fixed'}")
