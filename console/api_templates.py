"""Texts of mails for programs: the field, drafts, what was found in them, and publishing."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from console.failures import told
from console.pages.templates_publish import follow
from console.visit import ApiApprover, ApiEditor, NoSuchPlace, Reading, Visit
from worker.documents import DocumentsWrong
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import (
    StaleDraft,
    drafted_parts,
    drafts,
    drop_draft,
    name_of,
    open_writing,
    save_draft,
)
from worker.pipeline.template_lint import inspect
from worker.pipeline.template_matrix import matrix
from worker.pipeline.template_names import TextName, text_name
from worker.pipeline.template_publish import (
    drafts_named,
    effect_of,
    publish_drafts,
    try_all,
    with_drafts,
)
from worker.pipeline.template_versions import releases

router = APIRouter(prefix="/api/v1/templates", tags=["templates"])

_Part = Annotated[str, Field(max_length=65536)]


class FieldCell(BaseModel):
    """One field: whose text its mails are written from."""

    name: str
    state: str
    taken: str | None


class Parts(BaseModel):
    """The parts of a text, placeholders by their one name; a part left out is not there."""

    subject: _Part | None = None
    text: _Part | None = None
    html: _Part | None = None

    def given(self) -> dict[str, str]:
        """Only the parts that are there."""
        return {name: value for name, value in self if value is not None}


class Text(BaseModel):
    """A text as it is drafted, else in force; ``version`` and ``stamp`` go back with a save."""

    name: str
    parts: Parts
    in_force: Parts
    drafted: bool
    outdated: bool
    version: int
    stamp: str


class Save(BaseModel):
    """New words, and what they were written on."""

    parts: Parts
    version: int = Field(ge=0, le=2**31 - 1)
    stamp: str = Field(max_length=16)
    note: str = Field(default="", max_length=500)


class Drop(BaseModel):
    """The draft's version that was read."""

    version: int = Field(ge=1, le=2**31 - 1)


class Found(BaseModel):
    """One thing to mend (``error``) or to know of (``warning``); lines count from 1, 0 is none."""

    part: str
    line: int
    code: str
    severity: str
    what: str


class Draft(BaseModel):
    """A text in writing."""

    id: int
    version: int
    name: str
    author: str
    at: datetime
    note: str
    errors: int


class Effect(BaseModel):
    """All drafts and what publishing them would do to waiting mails."""

    drafts: list[Draft]
    rewritten: int
    edited_by_hand: int
    approved: int


class Publish(BaseModel):
    """Drafts by id with their version, and the number of mails to be rewritten as it was told."""

    drafts: dict[int, int] = Field(max_length=500)
    number: int = Field(ge=0)
    note: str = Field(max_length=500)
    waiting: Literal["rewrite", "leave"] = "rewrite"
    pull_back: bool = False


class Published(BaseModel):
    """The release, and how many mails were written anew."""

    release: int
    rewritten: int


class Version(BaseModel):
    """One release with the texts it changed."""

    release: int
    number: int
    at: datetime
    by: str
    note: str
    texts: list[str]


@router.get("")
def field(visit: Reading, locale: Literal["ja", "en"] = "ja") -> list[FieldCell]:
    """Every field of one language."""
    with visit.read() as (session, ctx):
        found = matrix(session, ctx, locale)
    return [
        FieldCell(name=str(c.name), state=c.state, taken=str(c.taken) if c.taken else None)
        for row in found.rows
        for c in row.cells
    ]


@router.get("/drafts")
def in_writing(visit: Reading) -> Effect:
    """What is in writing, and what publishing all of it would do."""
    with visit.read() as (session, ctx):
        written = drafts(session)
        then = with_drafts(ctx, written)
        rewritten, by_hand, approved = effect_of(session, ctx, written).numbers
        rows = [
            Draft(
                id=d.id,
                version=d.version,
                name=str(name_of(d)),
                author=d.author,
                at=d.at,
                note=d.note,
                errors=inspect(session, then, name_of(d), drafted_parts(d), visit.now).errors,
            )
            for d in written
        ]
    return Effect(drafts=rows, rewritten=rewritten, edited_by_hand=by_hand, approved=approved)


@router.get("/versions")
def versions(
    visit: Reading, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None
) -> list[Version]:
    """Releases, the newest first; ``before`` goes on behind one."""
    with visit.read() as (session, _ctx):
        return [
            Version(
                release=each.release.id,
                number=each.release.number,
                at=each.release.at,
                by=each.release.by,
                note=each.release.note,
                texts=[str(name) for name in each.texts],
            )
            for each in releases(session, before=before)
        ]


def _named(written: str) -> TextName:
    try:
        return text_name(written)
    except Refused as unknown:
        raise NoSuchPlace from unknown


@router.get("/texts/{name:path}")
def one(visit: Reading, name: str) -> Text:
    """One text."""
    return _text(visit, _named(name))


def _text(visit: Visit, name: TextName) -> Text:
    with visit.read() as (session, ctx):
        writing = open_writing(session, ctx, name)
        return Text(
            name=str(name),
            parts=Parts(**writing.parts),
            in_force=Parts(**writing.in_force),
            drafted=writing.draft is not None,
            outdated=writing.outdated,
            version=writing.version,
            stamp=writing.stamp,
        )


@router.post("/texts/{name:path}", response_model=Text)
def save(visit: ApiEditor, request: Request, name: str, new: Save) -> Any:
    """Keep words as a draft. 409 where somebody saved or published meanwhile."""
    text = _named(name)
    try:
        with visit.act("draft_template", f"template:{text}") as (session, ctx):
            save_draft(
                session,
                ctx,
                text,
                new.parts.given(),
                by=visit.login.name,
                now=visit.now,
                version=new.version,
                stamp=new.stamp,
                note=new.note,
            )
    except StaleDraft:
        return told(request, 409, "stale")
    return _text(visit, text)


@router.post("/look/{name:path}")
def look(visit: ApiEditor, name: str, parts: Parts) -> list[Found]:
    """Look words over without keeping them."""
    text = _named(name)
    with visit.read() as (session, ctx):
        seen = inspect(session, ctx, text, _fitting(text, parts), visit.now)
    return [
        Found(part=f.part, line=f.line, code=f.code, severity=f.severity, what=f.what)
        for f in seen.findings
    ]


def _fitting(name: TextName, parts: Parts) -> dict[str, str]:
    return {part: words for part, words in parts.given().items() if part in name.paths}


@router.post("/drop/{name:path}", response_model=Text)
def drop(visit: ApiEditor, name: str, old: Drop) -> Any:
    """Forget a draft; the published text stays."""
    text = _named(name)
    with visit.act("drop_draft", f"template:{text}") as (session, _ctx):
        drop_draft(session, text, version=old.version)
    return _text(visit, text)


@router.post("/publish", response_model=Published)
def publish(visit: ApiApprover, request: Request, new: Publish) -> Any:
    """Put drafts into force; approved mails keep their words unless they are pulled back."""
    folder = visit.house.runtime.settings.config_dir
    try:
        with visit.read() as (session, ctx):
            try_all(session, ctx, drafts_named(session, new.drafts))
        with visit.act("publish_templates", number=new.number) as (session, ctx):
            done = publish_drafts(
                session,
                ctx,
                folder,
                new.drafts,
                note=new.note,
                by=visit.login.name,
                now=visit.now,
                expected=new.number,
                rewrite=new.waiting == "rewrite",
                pull_back=new.pull_back,
            )
    except DocumentsWrong:
        return told(request, 409, "settings_wrong")
    return Published(release=done.release_id, rewritten=follow(visit, done))
