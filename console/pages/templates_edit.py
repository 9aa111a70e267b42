"""One text in the editor: its words, what was found in them, and the mail they make."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from console import formats
from console.headers import MAIL_POLICY, PAGE_POLICY
from console.rendering import fragment, go, page
from console.views.templates_edit import (
    EditView,
    Written,
    edit_view,
    for_script,
    opened,
    refused_words,
    stale_view,
    with_mend,
)
from console.visit import Editor, Reading, Visit
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import StaleDraft, drop_draft, save_draft
from worker.pipeline.template_names import TextName, text_name
from worker.pipeline.template_preview import Shown, show_order, show_sample
from worker.pipeline.template_trial import send_test
from worker.store.engine import reading

router = APIRouter(prefix="/templates")

_LONG = 65536
_Long = Annotated[str, Form(max_length=_LONG)]
_Short = Annotated[str, Form(max_length=200)]


def _written(
    subject: Annotated[str, Form(max_length=998)] = "",
    text: _Long = "",
    html: _Long = "",
    preheader: Annotated[str, Form(max_length=998)] = "",
    follows: Annotated[bool, Form()] = False,
    version: Annotated[int, Form()] = 0,
    stamp: _Short = "",
    note: Annotated[str, Form(max_length=500)] = "",
    sample: _Short = "",
    order: _Short = "",
    number: _Short = "",
) -> Written:
    return Written(
        subject, text, html, preheader, follows, version, stamp, note, sample, order, number
    )


Words = Annotated[Written, Depends(_written)]


@router.get("/edit/{name:path}")
def edit(visit: Reading, name: str, sample: str = "", order: str = "", done: str = "") -> Response:
    """The text as it is drafted or in force."""
    text = text_name(name)
    with visit.read() as (session, ctx):
        begun = opened(session, ctx, text, visit.words)
        written = Written(**{**_fields(begun), "sample": sample, "order": order})
        view = edit_view(session, ctx, text, written, visit.words, visit.now)
    told = {"saved": "templates.done_saved", "tried": "templates.done_tried"}.get(done)
    return _editor(visit, view, visit.words(told) if told else "")


def _fields(written: Written) -> dict[str, Any]:
    return {name: getattr(written, name) for name in Written.__dataclass_fields__}


@router.post("/look/{name:path}")
def look_over(
    visit: Editor,
    request: Request,
    name: str,
    written: Words,
    mend: _Short = "",
    pick: _Short = "",
) -> Response:
    """Look over the words on the page without keeping them; a button of a finding mends one."""
    text = text_name(name)
    with visit.read() as (session, ctx):
        if pick:
            written = replace(written, sample=pick, order="")
        if mend:
            written = with_mend(session, ctx, text, written, mend, visit.now)
        view = edit_view(session, ctx, text, written, visit.words, visit.now)
    if "application/json" in request.headers.get("accept", ""):
        drawn = fragment(visit, "_templates_paper.html", p=view.paper)
        return JSONResponse(for_script(view) | {"paper": bytes(drawn.body).decode()})
    return _editor(visit, view)


@router.post("/frame/{name:path}")
def framed(visit: Editor, name: str, written: Words) -> Response:
    """The HTML part of the words on the page alone, for a frame that may run and load nothing."""
    text = text_name(name)
    with visit.read() as (_session, _ctx):
        shown = _shown(visit, text, written)
    html = shown.mail.body_html if shown.mail else None
    told = html or f"<p>{visit.words('templates.no_html')}</p>"
    return HTMLResponse(told, headers={"Content-Security-Policy": MAIL_POLICY})


def _shown(visit: Visit, text: TextName, written: Written) -> Shown:
    parts = written.parts(text)
    with reading(visit.house.engine) as session:
        ctx = visit.house.ctx_factory(session)
        if written.order.isdigit():
            return show_order(session, ctx, text, parts, int(written.order), visit.now)
        return show_sample(session, ctx, text, parts, written.sample)


@router.post("/save/{name:path}")
def save(visit: Editor, name: str, written: Words, then: _Short = "") -> Response:
    """Keep the words as a draft; where somebody was faster, keep them on the page."""
    text = text_name(name)
    try:
        with visit.act("draft_template", f"template:{text}") as (session, ctx):
            draft = save_draft(
                session,
                ctx,
                text,
                written.parts(text),
                by=visit.login.name,
                now=visit.now,
                version=written.version,
                stamp=written.stamp,
                note=written.note,
            )
            draft_id = draft.id
    except StaleDraft as stale:
        return _stale(visit, text, written, stale)
    except Refused as no:
        return _again(visit, text, written, refused_words(no, visit.words))
    if then == "publish":
        return go(f"/templates/publish?draft={draft_id}")
    return go(f"/templates/edit/{text}?done=saved&sample={written.sample}&order={written.order}")


def _again(visit: Visit, text: TextName, written: Written, trouble: str) -> Response:
    with visit.read() as (session, ctx):
        view = edit_view(session, ctx, text, written, visit.words, visit.now)
    return _editor(visit, view, trouble=trouble, code=409)


def _stale(visit: Visit, text: TextName, written: Written, stale: StaleDraft) -> Response:
    """The words stay; saving once more, after looking, takes the place of the other's."""
    with visit.read() as (session, ctx):
        present = opened(session, ctx, text, visit.words)
        mine = Written(**{**_fields(written), "version": present.version, "stamp": present.stamp})
        view = edit_view(session, ctx, text, mine, visit.words, visit.now)
        when = formats.near(stale.at, visit.now, ctx.zone) if stale.at else ""
    return _editor(visit, stale_view(view, stale.theirs, stale.by, when, visit.words), code=409)


@router.post("/drop/{name:path}")
def drop(visit: Editor, name: str, version: Annotated[int, Form()]) -> Response:
    """Forget the draft; the published text stays as it is."""
    text = text_name(name)
    with visit.act("drop_draft", f"template:{text}") as (session, _ctx):
        drop_draft(session, text, version=version)
    return go("/templates?done=dropped")


@router.post("/test/{name:path}")
def try_out(visit: Editor, name: str, written: Words, to: _Short = "") -> Response:
    """Send the words on the page to one of the shop's own mailboxes."""
    text = text_name(name)
    shown = _shown(visit, text, written)
    try:
        with visit.act("test_template", f"template:{text}") as (session, ctx):
            send_test(session, ctx, text, shown, to=to, by=visit.login.name, now=visit.now)
    except Refused as no:
        return _again(visit, text, written, refused_words(no, visit.words))
    with visit.read() as (session, ctx):
        view = edit_view(session, ctx, text, written, visit.words, visit.now)
    return _editor(visit, view, visit.words("templates.done_tried", to=to))


def _editor(
    visit: Visit, view: EditView, said: str = "", trouble: str = "", code: int = 200
) -> Response:
    """The page with a policy of its own: the editor's style sheet carries a number used once."""
    nonce = secrets.token_urlsafe(16)
    answer = page(
        visit,
        "templates_edit.html",
        code,
        e=view,
        data=for_script(view),
        said=said,
        trouble=trouble,
        nonce=nonce,
    )
    answer.headers["Content-Security-Policy"] = f"{PAGE_POLICY}; style-src 'self' 'nonce-{nonce}'"
    answer.headers["X-Frame-Options"] = "DENY"
    return answer
