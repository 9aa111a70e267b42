"""設定: forms over the shop documents; what is saved is a draft until it is published."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from console.rendering import go, known, page
from console.views.settings import Stale, settings_view, shop_of, stale_view
from console.visit import Editor, NoSuchPlace, Reading, Visit
from worker.pipeline.settings_drafts import StaleDraft, check_marks, keep, read_working
from worker.pipeline.settings_edit import Edited, UnknownAct, edit_page
from worker.pipeline.settings_tabs import TABS, documents_of

router = APIRouter(prefix="/settings")

_TOLD = ("saved", "same", "published", "discarded", "rebased", "restored")


async def _typed(request: Request) -> dict[str, list[str]]:
    form = await request.form()
    return {name: [str(value) for value in form.getlist(name)] for name in form}


Typed = Annotated[dict[str, list[str]], Depends(_typed)]
"""Every field of the form; which ones there are depends on the documents."""


class _Refused(Exception):
    """The form is wrong or stale: nothing is kept, and the page comes back with what was typed."""

    def __init__(self, edited: Edited, stale: Stale | None = None) -> None:
        super().__init__("refused")
        self.edited, self.stale = edited, stale


@router.get("")
def first(visit: Reading, done: str = "", propose: bool = False) -> Response:
    """Ranks and senders."""
    return show(visit, "ranks", done, propose=propose)


@router.get("/{tab}")
def show(visit: Reading, tab: str, done: str = "", propose: bool = False) -> Response:
    """One page of the settings."""
    _known(tab)
    with visit.read() as (session, ctx):
        model = settings_view(visit, session, ctx, tab, proposing=propose)
    result = known(done, _TOLD)
    said = visit.words(f"settings.done_{result}") if result else ""
    return page(visit, f"settings_{tab}.html", s=model, said=said)


@router.post("/{tab}")
def save(visit: Editor, tab: str, typed: Typed) -> Response:
    """Keep what was typed as a draft, or come back with every mistake at its field."""
    _known(tab)
    folder = visit.house.runtime.settings.config_dir
    marks = {name: typed.get(f"mark.{name}", [""])[-1] for name in documents_of(tab)}
    try:
        with visit.act("settings_draft", f"settings:{tab}") as (session, ctx):
            working = read_working(session, folder)
            edited = edit_page(working, shop_of(session), tab, typed, act_of(typed))
            if edited.errors:
                raise _Refused(edited)
            try:
                check_marks(working, marks)
            except StaleDraft as stale:
                told = stale_view(visit, ctx, working, stale, edited.texts)
                raise _Refused(edited, told) from stale
            changed = keep(session, working, edited.texts, visit.login.name, visit.now)
    except UnknownAct as unknown:
        raise NoSuchPlace from unknown
    except _Refused as refused:
        return _again(visit, tab, typed, refused)
    return go(f"/settings/{tab}?done={'saved' if changed else 'same'}")


def act_of(typed: dict[str, list[str]]) -> str:
    """The button that was pressed, with the fields that belong to it."""
    act = typed.get("do", [""])[-1]
    if act == "add_busy":
        ends = [typed.get(f"new_busy_{end}", [""])[-1] for end in ("first", "last")]
        return "/".join(["add_busy", *ends])
    if act == "split":
        return f"split/{typed.get('new_split', [''])[-1]}"
    return act


def _again(visit: Visit, tab: str, typed: dict[str, list[str]], refused: _Refused) -> Response:
    with visit.read() as (session, ctx):
        model = settings_view(
            visit,
            session,
            ctx,
            tab,
            typed=typed,
            errors=refused.edited.errors,
            stale=refused.stale,
        )
    status = 409 if refused.stale else 422
    return page(visit, f"settings_{tab}.html", status, s=model, said="")


def _known(tab: str) -> None:
    if tab not in TABS:
        raise NoSuchPlace
