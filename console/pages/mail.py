"""One mail: reading it, and everything a person may do with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import HTMLResponse

from console.headers import MAIL_POLICY
from console.rendering import go, own_path, page
from console.views.editing import editing, refused_edit, stale_edit
from console.views.mail import mail_view
from console.visit import Approver, Editor, Reading
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
    return page(visit, "mail.html", mail=mail, back=f"/messages/{message_id}", anew=anew)


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
def approve(visit: Approver, message_id: str, version: Version, back: Back = "") -> Response:
    """Release exactly what stands there; where facts changed meanwhile, write it anew instead."""
    try:
        with visit.act("approve", f"message:{message_id}", version=version) as (session, ctx):
            review.approve(
                session,
                ctx,
                message_id,
                by=visit.login.name,
                now=visit.now,
                version=version,
                recheck=visit.house.recheck,
            )
    except review.Refused as no:
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
def ask_edit(visit: Reading, message_id: str, back: str = "") -> Response:
    """Subject and words in fields."""
    with visit.read() as (session, ctx):
        model = editing(session, ctx, message_id, visit.words, visit.now)
    return page(visit, "edit.html", e=model, back=own_path(back, f"/messages/{message_id}"))


@router.post("/edit")
def edit(
    visit: Editor,
    message_id: str,
    version: Version,
    subject: Annotated[str, Form(max_length=998)],
    text: Annotated[str, Form(max_length=65536)],
    html: Annotated[str | None, Form(max_length=524288)] = None,
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
        return page(visit, "edit.html", 409, e=model, back=back)
    except review.Refused as no:
        if no.code != "text_refused":
            raise
        said = no.words(visit.locale)
        with visit.read() as (session, ctx):
            model = refused_edit(session, ctx, message_id, words, said, visit.words, visit.now)
        return page(visit, "edit.html", 409, e=model, back=back)
    return go(back)


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
