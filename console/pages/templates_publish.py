"""公開: the question before drafts come into force, with what it does to waiting mails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from console.rendering import go, page
from console.views.templates_publish import publish_view
from console.visit import Approver, Reading, Visit
from worker.documents import DocumentsWrong
from worker.pipeline.review_words import Refused
from worker.pipeline.template_publish import (
    Done,
    drafts_named,
    publish_drafts,
    pull_back_mails,
    rewrite_mails,
    try_all,
)

router = APIRouter(prefix="/templates/publish")

_CHUNK = 25
"""Mails written anew in one transaction: other writers must not wait for all of them."""


@router.get("")
def ask(visit: Reading, draft: Annotated[list[int] | None, Query()] = None) -> Response:
    """What would come into force, and which mails it touches."""
    return _question(visit, draft, {})


def _question(
    visit: Visit, wanted: list[int] | None, given: dict[str, str], trouble: str = ""
) -> Response:
    with visit.read() as (session, ctx):
        model = publish_view(session, ctx, visit.words, visit.now, wanted)
    code = 409 if trouble else 200
    return page(visit, "templates_publish.html", code, v=model, given=given, trouble=trouble)


@router.post("")
def publish(
    visit: Approver,
    draft: Annotated[list[str] | None, Form()] = None,
    number: Annotated[int, Form()] = 0,
    waiting: Annotated[str, Form()] = "rewrite",
    pull_back: Annotated[bool, Form()] = False,
    note: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Publish, then write the waiting mails anew, as was asked."""
    wanted = _versions(draft or [])
    folder = visit.house.runtime.settings.config_dir
    try:
        with visit.read() as (session, ctx):
            try_all(session, ctx, drafts_named(session, wanted))
        with visit.act("publish_templates", drafts=sorted(wanted), number=number) as (session, ctx):
            done = publish_drafts(
                session,
                ctx,
                folder,
                wanted,
                note=note,
                by=visit.login.name,
                now=visit.now,
                expected=number,
                rewrite=waiting == "rewrite",
                pull_back=pull_back,
            )
    except Refused as no:
        return _question(visit, sorted(wanted), {"note": note}, no.words(visit.locale))
    except DocumentsWrong as wrong:
        said = visit.words("templates.documents_wrong", first=str(wrong.problems[0]))
        return _question(visit, sorted(wanted), {"note": note}, said)
    return go(f"/templates?done=published&n={follow(visit, done)}")


def _versions(written: Sequence[str]) -> dict[int, int]:
    """``id.version`` of each draft of the form."""
    pairs = (each.partition(".") for each in written)
    return {int(a): int(b) for a, _, b in pairs if a.isdigit() and b.isdigit()}


def follow(visit: Visit, done: Done) -> int:
    """Let the mails follow, some at a time; gives how many were written anew."""
    count = 0
    by, now = visit.login.name, visit.now
    for part in _chunks(done.rewrite):
        with visit.write() as (session, ctx):
            count += rewrite_mails(session, ctx, part, by=by, now=now)
    for part in _chunks(done.pull_back):
        with visit.write() as (session, ctx):
            count += pull_back_mails(session, ctx, part, by=by, now=now)
    return count


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[at : at + _CHUNK] for at in range(0, len(ids), _CHUNK)]
