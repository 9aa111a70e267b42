"""テンプレート: every text at a glance, what was published when, and the way back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response

from console.rendering import go, known, page
from console.views.templates import LEGEND, LEGEND_LOOKS, templates_view
from console.views.templates_versions import history_view, versions_view
from console.visit import Editor, Reading
from worker.pipeline.template_names import LOCALES, text_name
from worker.pipeline.template_versions import restore as restore_version

router = APIRouter(prefix="/templates")

_TOLD = ("published", "dropped")


@router.get("")
def show(visit: Reading, locale: str = "", done: str = "", n: int = 0) -> Response:
    """The field of all texts, the drafts, and what publishing them would do."""
    with visit.read() as (session, ctx):
        chosen = known(locale, LOCALES, known(ctx.documents.shop.locale, LOCALES, "ja"))
        model = templates_view(session, ctx, visit.words, visit.now, chosen)
    told = known(done, _TOLD)
    said = visit.words(f"templates.done_{told}", n=n) if told else ""
    legend = [(state, *LEGEND_LOOKS[state]) for state in LEGEND]
    return page(visit, "templates.html", v=model, said=said, legend=legend)


@router.get("/versions")
def versions(visit: Reading, before: int | None = None) -> Response:
    """What was published when, by whom and why."""
    with visit.read() as (session, ctx):
        model = versions_view(session, ctx, visit.words, visit.now, before)
    return page(visit, "templates_versions.html", v=model)


@router.get("/history/{name:path}")
def history(visit: Reading, name: str) -> Response:
    """Every version of one text, with what it changed."""
    with visit.read() as (session, ctx):
        model = history_view(session, ctx, text_name(name), visit.words, visit.now)
    return page(visit, "templates_history.html", v=model)


@router.post("/restore/{name:path}")
def restore(visit: Editor, name: str, release: Annotated[int, Form()] = 0) -> Response:
    """Draft an earlier wording, 0 for the shipped one; publishing it makes a new version."""
    text = text_name(name)
    with visit.act("restore_template", f"template:{text}", release=release) as (session, ctx):
        number = visit.words("templates.restored")
        draft = restore_version(
            session,
            ctx,
            text,
            release or None,
            note=number,
            by=visit.login.name,
            now=visit.now,
        )
        draft_id = draft.id
    return go(f"/templates/publish?draft={draft_id}")
