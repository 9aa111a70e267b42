"""Settings for programs: read, kept as drafts, counted and published by the desk's steps."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from console.failures import told
from console.views.settings import shop_of
from console.visit import ApiAdmin, ApiEditor, NoSuchPlace, Reading, Visit
from worker.documents import NAMES, DocumentsWrong
from worker.pipeline.settings_drafts import StaleDraft, check_marks, discard, keep, read_working
from worker.pipeline.settings_edit import Edited, UnknownAct, edit_page
from worker.pipeline.settings_publish import CannotPublish, publish_settings
from worker.pipeline.settings_tabs import TABS, documents_of, fields_of
from worker.pipeline.settings_toml import value_at
from worker.pipeline.settings_whatif import checks, count, keep_count
from worker.store import draft_queries

router = APIRouter(prefix="/api/v1/settings", tags=["settings"])


class FieldRow(BaseModel):
    """One field of a page: what is in the hand, what is in force, and how it is typed."""

    name: str
    kind: str
    value: Any
    in_force: Any
    choices: list[Any]


class PageRow(BaseModel):
    """A page of settings; ``marks`` go back with a change, so that no other's is overwritten."""

    page: str
    marks: dict[str, str]
    fields: list[FieldRow]


class DraftRow(BaseModel):
    """A document that is in writing."""

    document: str
    author: str
    at: datetime
    moved: bool


class Drafts(BaseModel):
    """All drafts; ``key`` names exactly these and is given to publish them."""

    release: int | None
    key: str
    drafts: list[DraftRow]
    counted: dict[str, Any] | None
    checks: list[str]


class Change(BaseModel):
    """Values as they are typed into the page, by field name; a list for several ticks."""

    marks: dict[str, str]
    values: dict[str, Annotated[str, Field(max_length=4000)] | list[str]] = Field(max_length=400)


class Published(BaseModel):
    """The drafts that were counted, what a person confirms, and why."""

    key: str
    checks: list[str] = []
    note: str = Field(min_length=1, max_length=300)


class Wrong(BaseModel):
    """What is wrong with which field; nothing was kept."""

    error: str = "settings_fields"
    words: str
    fields: dict[str, list[str]]


@router.get("")
def drafts(visit: Reading) -> Drafts:
    """What is in writing, what was counted for it and what must be confirmed."""
    return _drafts(visit)


def _drafts(visit: Visit) -> Drafts:
    with visit.read() as (session, ctx):
        working = read_working(session, visit.house.runtime.settings.config_dir)
        release = draft_queries.newest_release(session)
        counted = draft_queries.count_for(session, working.key)
        figures = counted.figures if counted else None
        needed = []
        if working.drafts:
            needed = [c.name for c in checks(ctx.documents, working.documents(), figures)]
        rows = [
            DraftRow(document=name, author=each.author, at=each.at, moved=each.moved)
            for name, each in working.drafts.items()
        ]
        number = release.id if release else None
    return Drafts(release=number, key=working.key, drafts=rows, counted=figures, checks=needed)


@router.get("/pages/{name}")
def one_page(visit: Reading, name: str) -> PageRow:
    """A page with all its fields."""
    if name not in TABS:
        raise NoSuchPlace
    with visit.read() as (session, _ctx):
        working = read_working(session, visit.house.runtime.settings.config_dir)
        fields = fields_of(name, working.data, shop_of(session))
    rows = [
        FieldRow(
            name=field.name,
            kind=field.kind,
            value=_plain(value_at(working.data[field.document], field.path, field.default)),
            in_force=_plain(
                value_at(working.published_data[field.document], field.path, field.default)
            ),
            choices=list(field.choices),
        )
        for field in fields.values()
    ]
    marks = {each: working.mark(each) for each in documents_of(name)}
    return PageRow(page=name, marks=marks, fields=rows)


def _plain(value: Any) -> Any:
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(each) for each in value] if isinstance(value, list) else value


class _Refused(Exception):
    def __init__(self, edited: Edited) -> None:
        super().__init__("refused")
        self.edited = edited


@router.post("/pages/{name}", response_model=Drafts)
def change(visit: ApiEditor, request: Request, name: str, new: Change) -> Any:
    """Keep values as a draft. 422 with each wrong field; 409 where somebody else was first."""
    if name not in TABS:
        raise NoSuchPlace
    typed = {
        field: value if isinstance(value, list) else [value] for field, value in new.values.items()
    }
    try:
        with visit.act("settings_draft", f"settings:{name}") as (session, _ctx):
            working = read_working(session, visit.house.runtime.settings.config_dir)
            marks = {each: new.marks.get(each, "") for each in documents_of(name)}
            check_marks(working, marks)
            edited = edit_page(working, shop_of(session), name, typed)
            if edited.errors:
                raise _Refused(edited)
            keep(session, working, edited.texts, visit.login.name, visit.now)
    except StaleDraft:
        return told(request, 409, "stale")
    except UnknownAct as unknown:
        raise NoSuchPlace from unknown
    except _Refused as refused:
        return _wrong(visit, refused.edited)
    return _drafts(visit)


def _wrong(visit: Visit, edited: Edited) -> Response:
    fields = {
        name: [visit.words(f"settings_error.{one.code}", **one.values) for one in wrongs]
        for name, wrongs in edited.errors.items()
    }
    words = visit.words("settings.wrong", n=sum(map(len, fields.values())))
    body = Wrong(words=words, fields=fields)
    return Response(body.model_dump_json(), 422, media_type="application/json")


@router.post("/count", response_model=Drafts)
def count_now(visit: ApiEditor, request: Request) -> Any:
    """Count what publishing would change; may take as long as a ranking of everybody."""
    with visit.read() as (session, ctx):
        working = read_working(session, visit.house.runtime.settings.config_dir)
        if not working.drafts:
            return told(request, 409, "settings_nothing")
        try:
            figures = count(session, ctx, working, visit.now)
        except DocumentsWrong:
            return told(request, 409, "settings_wrong")
    with visit.act("settings_count", "settings") as (session, _ctx):
        keep_count(session, working.key, figures, visit.login.name, visit.now)
    return _drafts(visit)


@router.post("/publish", response_model=Drafts)
def publish(visit: ApiAdmin, request: Request, new: Published) -> Any:
    """Publish exactly the drafts that were counted."""
    try:
        with visit.act("settings_publish", "settings", checks=new.checks) as (session, ctx):
            publish_settings(
                session,
                ctx,
                visit.house.runtime.settings.config_dir,
                key=new.key,
                ticked=new.checks,
                note=new.note.strip(),
                by=visit.login.name,
                now=visit.now,
            )
    except CannotPublish as refused:
        return told(request, 409, f"settings_{refused.code}")
    except DocumentsWrong:
        return told(request, 409, "settings_wrong")
    return _drafts(visit)


@router.post("/discard")
def throw_away(visit: ApiEditor) -> Drafts:
    """Throw all drafts away."""
    with visit.act("settings_discard", "settings") as (session, _ctx):
        discard(session, NAMES)
    return _drafts(visit)
