"""A mail in somebody's hands: who has it open, taking over, and the lines a clerk adds to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from console.rendering import fragment, go, own_path, page
from console.views.lines import lines_form, reached
from console.views.pane import changed_since
from console.visit import Approver, Editor, Reading, Visit
from worker.pipeline import review
from worker.pipeline.customer_edits import write_lines
from worker.pipeline.review_reading import is_told
from worker.rules.states import REVIEWABLE, Role
from worker.store.messages import Message

router = APIRouter(prefix="/messages/{message_id}")

Line = Annotated[str, Form(max_length=2000)]


def taken_by(visit: Visit, message_id: str) -> str:
    """Tell that this person has the mail open; gives who else had it first, or nobody.

    A viewer decides nothing, and so is in nobody's way.
    """
    by, now = visit.login.name, visit.now
    with visit.read() as (session, _ctx):
        message = session.get(Message, message_id)
        if message is None or message.state not in REVIEWABLE:
            return ""
        other = review.reader_of(session, message_id, but=by, now=now)
        if not visit.login.may(Role.EDITOR) or is_told(session, message_id, by=by, now=now):
            return other
    with visit.write() as (session, _ctx):
        return review.read_mail(session, message_id, by=by, now=now)


@router.get("/here")
def here(
    visit: Reading, message_id: str, v: Annotated[int, Query(ge=0)] = 0, back: str = ""
) -> Response:
    """Asked for by htmx while the page is open: it tells so, and learns what others did."""
    taken = taken_by(visit, message_id)
    with visit.read() as (session, ctx):
        changed = changed_since(session, ctx, message_id, v, visit.words, visit.now)
    back = own_path(back, f"/messages/{message_id}#mail")
    return fragment(
        visit,
        "_pane_news.html",
        taken=taken,
        changed=changed,
        message_id=message_id,
        here=back,
        may_take=visit.login.may(Role.APPROVER),
    )


@router.post("/take")
def take(visit: Approver, message_id: str, back: Annotated[str, Form()] = "") -> Response:
    """Take it over from whoever has it open; their page says so."""
    with visit.act("take_over", f"message:{message_id}") as (session, _ctx):
        review.take_over(session, message_id, by=visit.login.name, now=visit.now)
    return go(own_path(back, f"/messages/{message_id}#mail"))


@router.get("/lines")
def ask_lines(visit: Reading, message_id: str, back: str = "") -> Response:
    """The two lines that may stand in this person's mail."""
    back = own_path(back, f"/messages/{message_id}")
    with visit.read() as (session, ctx):
        model = lines_form(session, ctx, message_id, visit.words, visit.now)
    return page(visit, "lines.html", f=model, back=back)


@router.post("/lines")
def write(
    visit: Editor,
    message_id: str,
    personal_line: Line = "",
    question_line: Line = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """Write them into what waits; a text that has no place for them is said so, not passed over."""
    back = own_path(back, f"/messages/{message_id}")
    with visit.act("write_lines", f"message:{message_id}") as (session, ctx):
        message = session.get(Message, message_id)
        if message is None or message.customer_id is None:
            raise review.Refused("not_found")
        write_lines(session, ctx, message.customer_id, personal_line, question_line, now=visit.now)
        missed = not reached(session, message_id, personal_line, question_line)
    if missed:
        with visit.read() as (session, ctx):
            model = lines_form(session, ctx, message_id, visit.words, visit.now)
        return page(visit, "lines.html", f=model, back=back, missed=True)
    return go(back)
