"""One mail: reading it, and everything a person may do with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse

from console.headers import MAIL_POLICY
from console.pages.reading import taken_by
from console.rendering import go, own_path, page
from console.views.editing import Editing, editing, refused_edit, stale_edit
from console.views.mail import mail_view
from console.views.pane import seen_words, stale_view
from console.visit import Approver, Editor, Reading, Visit
from worker.pipeline import render, review
from worker.pipeline.review import StaleEdit, Words
from worker.rules.states import MessageState
from worker.store.messages import MessageBody

router = APIRouter(prefix="/messages/{message_id}")

Version = Annotated[int, Form()]
Back = Annotated[str, Form()]


@router.get("")
def show(visit: Reading, message_id: str, view: str = "", anew: bool = False) -> Response:
    """The mail on a page of its own, with its life."""
    with visit.read() as (session, ctx):
        mail = mail_view(session, ctx, message_id, visit.words, visit.now, view)
    taken = taken_by(visit, message_id)
    back = f"/messages/{message_id}"
    return page(visit, "mail.html", mail=mail, back=back, anew=anew, taken=taken)


@router.get("/html")
def html(visit: Reading, message_id: str) -> Response:
    """The HTML body alone, for a frame that may run and load nothing."""
    with visit.read() as (session, _ctx):
        body = session.get(MessageBody, message_id)
        html = body.html if body else None
    if not html:
        raise review.Refused("not_found")
    return HTMLResponse(html, headers={"Content-Security-Policy": MAIL_POLICY})


@router.post("/approve")
def approve(
    visit: Approver,
    message_id: str,
    version: Version,
    seen_subject: Annotated[str | None, Form(max_length=998)] = None,
    seen_text: Annotated[str | None, Form(max_length=65536)] = None,
    back: Back = "",
) -> Response:
    """Release exactly what was read; where facts changed meanwhile, write it anew instead."""
    try:
        with visit.act("approve", f"message:{message_id}", version=version) as (session, ctx):
            review.approve(
                session,
                ctx,
                message_id,
                by=visit.login.name,
                now=visit.now,
                version=version,
                seen=seen_words(seen_subject, seen_text),
                recheck=visit.house.recheck,
            )
    except StaleEdit as stale:
        return _stale(visit, stale, back)
    except review.Refused as no:
        if no.code == "being_read":
            return go(f"/messages/{message_id}#mail")
        if no.code != "facts_changed":
            raise
        with visit.act("write_anew", f"message:{message_id}") as (session, ctx):
            render.render_message(session, ctx, message_id, visit.now)
        return go(f"/messages/{message_id}?anew=1#mail")
    return _on(message_id, back)


@router.post("/hold")
def hold(
    visit: Editor,
    message_id: str,
    version: Version,
    reason: Annotated[str, Form(max_length=500)] = "",
    back: Back = "",
) -> Response:
    """Put it aside."""
    with visit.act("hold", f"message:{message_id}") as (session, ctx):
        review.hold(
            session,
            ctx,
            message_id,
            by=visit.login.name,
            now=visit.now,
            reason=reason.strip(),
            version=version,
        )
    return _on(message_id, back)


@router.post("/release")
def release(visit: Editor, message_id: str, version: Version, back: Back = "") -> Response:
    """Take it back to be read."""
    with visit.act("release", f"message:{message_id}") as (session, ctx):
        review.release(
            session, ctx, message_id, by=visit.login.name, now=visit.now, version=version
        )
    return _on(message_id, back)


@router.get("/send-back")
def ask_send_back(visit: Reading, message_id: str, back: str = "") -> Response:
    """The question for the reason."""
    return _reason(visit, message_id, back, "send_back")


@router.post("/send-back")
def send_back(
    visit: Editor,
    message_id: str,
    version: Version,
    reason: Annotated[str, Form(max_length=500)] = "",
    back: Back = "",
) -> Response:
    """Give it back to whoever writes."""
    with visit.act("send_back", f"message:{message_id}") as (session, ctx):
        review.send_back(
            session,
            ctx,
            message_id,
            reason=reason,
            by=visit.login.name,
            now=visit.now,
            version=version,
        )
    return _on(message_id, back)


@router.get("/cancel")
def ask_cancel(visit: Reading, message_id: str, back: str = "") -> Response:
    """The question for the reason; cancelling cannot be taken back."""
    return _reason(visit, message_id, back, "cancel")


@router.post("/cancel")
def cancel(
    visit: Approver,
    message_id: str,
    version: Version,
    reason: Annotated[str, Form(max_length=500)] = "",
    back: Back = "",
) -> Response:
    """Decide that it never goes."""
    with visit.act("cancel", f"message:{message_id}") as (session, ctx):
        review.cancel(
            session,
            ctx,
            message_id,
            reason=reason,
            by=visit.login.name,
            now=visit.now,
            version=version,
        )
    return _on(message_id, back)


@router.post("/undo")
def undo(visit: Approver, message_id: str, version: Version) -> Response:
    """Take an approval back within its window."""
    with visit.act("undo", f"message:{message_id}") as (session, ctx):
        review.undo(session, ctx, message_id, by=visit.login.name, now=visit.now, version=version)
    return _on(message_id, "")


@router.post("/again")
def again(visit: Approver, message_id: str) -> Response:
    """Draft a sent or failed mail again, as a new one that must be read."""
    with visit.act("send_again", f"message:{message_id}") as (session, ctx):
        new = review.send_again(session, ctx, message_id, by=visit.login.name, now=visit.now).id
    return go(f"/messages/{new}")


@router.get("/edit")
def ask_edit(visit: Reading, message_id: str, back: str = "", saved: bool = False) -> Response:
    """Subject and words in fields."""
    taken = taken_by(visit, message_id)
    with visit.read() as (session, ctx):
        model = editing(session, ctx, message_id, visit.words, visit.now)
    back = own_path(back, f"/messages/{message_id}")
    return page(visit, "edit.html", e=replace(model, saved=saved), back=back, taken=taken)


@router.post("/edit")
def edit(
    visit: Editor,
    message_id: str,
    version: Version,
    subject: Annotated[str, Form(max_length=998)],
    text: Annotated[str, Form(max_length=65536)],
    html: Annotated[str | None, Form(max_length=524288)] = None,
    stay: Annotated[Literal["", "yes"], Form()] = "",
    back: Back = "",
) -> Response:
    """Save; where somebody was faster, show the difference and keep these words on the page."""
    words = Words(subject, text, html or None)
    back = own_path(back, f"/messages/{message_id}")
    try:
        with visit.act("edit", f"message:{message_id}", version=version) as (session, ctx):
            review.edit(
                session,
                ctx,
                message_id,
                words,
                by=visit.login.name,
                now=visit.now,
                version=version,
            )
    except StaleEdit as stale:
        with visit.read() as (session, ctx):
            model = stale_edit(session, ctx, stale, words, visit.words, visit.now)
        return _edit_again(visit, model, back)
    except review.Refused as no:
        if no.code != "text_refused":
            raise
        said = no.words(visit.locale)
        with visit.read() as (session, ctx):
            model = refused_edit(session, ctx, message_id, words, said, visit.words, visit.now)
        return _edit_again(visit, model, back)
    return go(f"/messages/{message_id}/edit?saved=1&back={quote(back)}") if stay else go(back)


def _edit_again(visit: Visit, model: Editing, back: str) -> Response:
    taken = taken_by(visit, model.id)
    return page(visit, "edit.html", 409, e=model, back=back, taken=taken)


def _stale(visit: Visit, stale: StaleEdit, back: str) -> Response:
    """The question again, with what somebody else made of the mail that was read."""
    with visit.read() as (session, ctx):
        model = stale_view(session, ctx, stale, visit.words, visit.now)
    here = f"/messages/{stale.message_id}#mail"
    return page(visit, "stale.html", 409, s=model, here=here, back=own_path(back, here))


def _reason(visit: Reading, message_id: str, back: str, what: str) -> Response:
    with visit.read() as (session, ctx):
        mail = mail_view(session, ctx, message_id, visit.words, visit.now)
    held = mail.state == MessageState.ON_HOLD
    return page(
        visit,
        "reason.html",
        mail=mail,
        what=what,
        may_hold=what == "send_back" and not held,
        back=own_path(back, f"/messages/{message_id}"),
    )


def _on(message_id: str, back: str) -> Response:
    return go(own_path(back, f"/messages/{message_id}"))
