"""設定: counting, publishing and throwing away drafts, and the versions that were published."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from console.failures import told
from console.rendering import fragment, go, is_fragment, known, own_path, page
from console.views.settings import version_words
from console.views.settings_history import history_view, version_view
from console.views.settings_panel import panel_view
from console.visit import Admin, Editor, NoSuchPlace, Reading, Visit
from worker.documents import NAMES, DocumentsWrong
from worker.pipeline.settings_drafts import (
    StaleDraft,
    Working,
    check_marks,
    discard,
    keep,
    read_working,
    rebase,
)
from worker.pipeline.settings_edit import Edited, edit_text
from worker.pipeline.settings_publish import CannotPublish, publish_settings, restore
from worker.pipeline.settings_whatif import count, keep_count

router = APIRouter(prefix="/settings")

_TEXT_TOLD = ("saved", "same")
Back = Annotated[str, Form()]


@router.post("/count")
def count_drafts(visit: Editor, request: Request, back: Back = "/settings") -> Response:
    """Count what publishing would change: read in one transaction, kept in another."""
    with visit.read() as (session, ctx):
        working = _working(visit, session)
        try:
            figures = count(session, ctx, working, visit.now) if working.drafts else None
        except DocumentsWrong:
            figures = None  # The panel tells what is wrong.
    if figures is not None:
        with visit.act("settings_count", "settings") as (session, _ctx):
            keep_count(session, working.key, figures, visit.login.name, visit.now)
    if is_fragment(request):
        return _panel(visit, back)
    return go(_back(back))


def _panel(visit: Visit, back: str) -> Response:
    with visit.read() as (session, ctx):
        panel = panel_view(visit, session, ctx, _working(visit, session))
    role = visit.login.role
    return fragment(visit, "_settings_panel.html", p=panel, back=_back(back), role=role, oob=True)


def _back(wanted: str) -> str:
    path = own_path(wanted, "/settings").partition("?")[0]
    return path if path.startswith("/settings/") else "/settings"


@router.post("/publish")
def publish(
    visit: Admin,
    key: Annotated[str, Form()],
    note: Annotated[str, Form(max_length=300)] = "",
    check: Annotated[list[str] | None, Form()] = None,
    back: Back = "/settings",
) -> Response:
    """Publish exactly the drafts that were counted and read."""
    try:
        with visit.act("settings_publish", "settings", checks=check or []) as (session, ctx):
            publish_settings(
                session,
                ctx,
                visit.house.runtime.settings.config_dir,
                key=key,
                ticked=check or (),
                note=note.strip(),
                by=visit.login.name,
                now=visit.now,
            )
    except CannotPublish as refused:
        return told(visit.request, 409, f"settings_{refused.code}")
    except DocumentsWrong:
        return told(visit.request, 409, "settings_wrong")
    return go(f"{_back(back)}?done=published")


@router.post("/discard")
def throw_away(visit: Editor, back: Back = "/settings") -> Response:
    """Throw all drafts of settings away."""
    with visit.act("settings_discard", "settings") as (session, _ctx):
        discard(session)
    return go(f"{_back(back)}?done=discarded")


@router.post("/rebase")
def lay_over(visit: Editor, back: Back = "/settings") -> Response:
    """Keep the drafts over what was published meanwhile."""
    with visit.act("settings_rebase", "settings") as (session, _ctx):
        working = _working(visit, session)
        moved = [name for name, draft in working.drafts.items() if draft.moved]
        rebase(session, working, moved, visit.now)
    return go(f"{_back(back)}?done=rebased")


@router.get("/history")
def history(visit: Reading, before: int = 0) -> Response:
    """Every published version, the newest first."""
    with visit.read() as (session, ctx):
        model = history_view(visit, session, ctx, before)
        version = version_words(session, visit.words, ctx)
    return page(visit, "settings_history.html", h=model, version=version, tab="history")


@router.get("/history/{version_id}")
def version(visit: Reading, version_id: int) -> Response:
    """One version with what it changed."""
    with visit.read() as (session, ctx):
        model = version_view(visit, session, ctx, version_id)
        in_force = version_words(session, visit.words, ctx)
    return page(visit, "settings_version.html", v=model, version=in_force, tab="history")


@router.post("/history/{version_id}/restore")
def bring_back(visit: Editor, version_id: int) -> Response:
    """Lay an earlier version over the document as a draft."""
    folder = visit.house.runtime.settings.config_dir
    try:
        with visit.act("settings_restore", f"document_version:{version_id}") as (session, _ctx):
            name = restore(session, folder, version_id, visit.login.name, visit.now)
    except LookupError as missing:
        raise NoSuchPlace from missing
    except DocumentsWrong:
        return told(visit.request, 409, "settings_wrong")
    return go(f"/settings/{PAGE_OF[name]}?done=restored")


PAGE_OF = {
    "shop": "shop",
    "ranks": "ranks",
    "senders": "ranks",
    "milestones": "milestones",
    "mails": "mails",
    "review": "review",
    "policy": "policy",
}
"""The page on which a document is edited."""


@router.get("/text/{name}")
def text(visit: Reading, name: str, done: str = "") -> Response:
    """A document as it is written, for what has no form."""
    said = visit.words(f"settings.done_{done}") if known(done, _TEXT_TOLD) else ""
    return _text_page(visit, name, said=said)


@router.post("/text/{name}")
def save_text(
    visit: Editor,
    name: str,
    content: Annotated[str, Form(max_length=200_000)],
    mark: Annotated[str, Form()] = "",
) -> Response:
    """Keep a whole text as a draft."""
    if name not in NAMES:
        raise NoSuchPlace
    try:
        with visit.act("settings_draft", f"settings:text:{name}") as (session, _ctx):
            working = _working(visit, session)
            edited = edit_text(working, name, content)
            if edited.errors:
                raise _TextRefused(edited)
            check_marks(working, {name: mark})
            changed = keep(session, working, edited.texts, visit.login.name, visit.now)
    except _TextRefused as refused:
        return _text_page(visit, name, 422, content=content, edited=refused.edited)
    except StaleDraft:
        return _text_page(visit, name, 409, content=content, stale=True)
    return go(f"/settings/text/{name}?done={'saved' if changed else 'same'}")


class _TextRefused(Exception):
    def __init__(self, edited: Edited) -> None:
        super().__init__("refused")
        self.edited = edited


def _text_page(
    visit: Visit,
    name: str,
    status: int = 200,
    *,
    content: str | None = None,
    edited: Edited | None = None,
    stale: bool = False,
    said: str = "",
) -> Response:
    if name not in NAMES:
        raise NoSuchPlace
    with visit.read() as (session, ctx):
        working = _working(visit, session)
        in_force = version_words(session, visit.words, ctx)
        panel = panel_view(visit, session, ctx, working)
    wrongs = edited.errors.get("", ()) if edited else ()
    return page(
        visit,
        "settings_text.html",
        status,
        name=name,
        names=NAMES,
        content=working.text(name) if content is None else content,
        mark=working.mark(name),
        errors=[visit.words(f"settings_error.{wrong.code}", **wrong.values) for wrong in wrongs],
        stale=stale,
        panel=panel,
        version=in_force,
        said=said,
        tab="text",
    )


def _working(visit: Visit, session: Session) -> Working:
    return read_working(session, visit.house.runtime.settings.config_dir)
