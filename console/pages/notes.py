"""対応メモ: a line on the telephone, the fixed form later, open and done."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Response

from console.pages.fields import DayOrNone
from console.rendering import go, own_path, page
from console.views.ledger_card import note_form
from console.visit import Editor, Reading
from worker.pipeline import notes
from worker.pipeline.notes import NoteWords
from worker.pipeline.review_words import Refused
from worker.rules.states import Via
from worker.store.customers import ContactNote

router = APIRouter()

Line = Annotated[str, Form(max_length=4000)]


@router.post("/customers/{customer_id}/notes")
def write(
    visit: Editor,
    customer_id: int,
    said: Line = "",
    is_open: Annotated[bool, Form(alias="open")] = False,
    via: Annotated[Via | Literal[""], Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Response:
    """One line, now."""
    with visit.act("write_note", f"customer:{customer_id}", open=is_open) as (session, _ctx):
        words = NoteWords(said=said, via=via or None)
        notes.write_note(
            session, customer_id, words, is_open=is_open, by=visit.login.name, now=visit.now
        )
    return go(own_path(back, f"/customers/{customer_id}#note"))


@router.get("/notes/{note_id}")
def ask(visit: Reading, note_id: int) -> Response:
    """The fixed form."""
    with visit.read() as (session, _ctx):
        note = session.get(ContactNote, note_id)
        if note is None:
            raise Refused("note_unknown")
        model = note_form(session, note, visit.words)
    return page(visit, "note.html", n=model)


@router.post("/notes/{note_id}")
def save(
    visit: Editor,
    note_id: int,
    version: Annotated[int, Form()],
    said: Line = "",
    gift_received: Line = "",
    ask_next: Line = "",
    ask_by: DayOrNone = None,
    via: Annotated[Via | Literal[""], Form()] = "",
    inquiry: Annotated[bool, Form()] = False,
) -> Response:
    """Write it; where somebody was faster, nothing."""
    words = NoteWords(
        said=said,
        gift_received=gift_received,
        ask_next=ask_next,
        ask_by=ask_by,
        via=via or None,
        inquiry=inquiry,
    )
    with visit.act("edit_note", f"note:{note_id}") as (session, _ctx):
        note = notes.edit_note(
            session, note_id, words, version=version, by=visit.login.name, now=visit.now
        )
        customer_id = note.customer_id
    return go(f"/customers/{customer_id}#note")


@router.post("/notes/{note_id}/done")
def done(
    visit: Editor,
    note_id: int,
    version: Annotated[int, Form()],
    back: Annotated[str, Form()] = "",
) -> Response:
    """Finish it; what it held is let go, to be read."""
    with visit.act("finish_note", f"note:{note_id}") as (session, _ctx):
        note = notes.finish_note(
            session, note_id, version=version, by=visit.login.name, now=visit.now
        )
        customer_id = note.customer_id
    return go(own_path(back, f"/customers/{customer_id}#note"))


@router.post("/notes/{note_id}/reopen")
def reopen(visit: Editor, note_id: int, version: Annotated[int, Form()]) -> Response:
    """It wants something after all."""
    with visit.act("reopen_note", f"note:{note_id}") as (session, _ctx):
        note = notes.reopen_note(
            session, note_id, version=version, by=visit.login.name, now=visit.now
        )
        customer_id = note.customer_id
    return go(f"/customers/{customer_id}#note")
