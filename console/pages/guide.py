"""はじめの一週間: the steps, the table of senders, and the beginning of each kind of mail."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Response

from console import formats
from console.failures import told
from console.rendering import go, known, page
from console.views.guide import guide_view
from console.views.names import shop_labels
from console.visit import Admin, NoSuchPlace, Reading, Visit
from worker.pipeline.channel_names import find_channel
from worker.pipeline.first_week import TableChanged, confirm_senders
from worker.pipeline.go_live import KINDS, CannotBegin, begin, count_beginning
from worker.pipeline.plan_window import WindowCount
from worker.rules.states import MailKind

router = APIRouter(prefix="/guide")


@router.get("")
def show(visit: Reading, done: str = "") -> Response:
    """All steps."""
    with visit.read() as (session, ctx):
        model = guide_view(session, ctx, visit.words, visit.now)
    said = known(done, ("senders", "live"))
    return page(
        visit, "guide.html", g=model, said=visit.words(f"guide.done_{said}") if said else ""
    )


@router.post("/senders")
def senders(visit: Admin, table: Annotated[str, Form()] = "") -> Response:
    """Confirm the table of who sends which mail, as it was shown."""
    try:
        with visit.write() as (session, ctx):
            confirm_senders(session, ctx, table, by=visit.login.name, now=visit.now)
    except TableChanged:
        return told(visit.request, 409, "stale")
    return go("/guide?done=senders#senders")


@router.get("/live")
def ask(visit: Reading, channel: str, kind: str, start: str = "") -> Response:
    """The question before a kind begins, with the exact number."""
    return _question(visit, channel, _kind(kind), start)


@router.post("/live")
def answer(
    visit: Admin,
    channel: Annotated[str, Form()],
    kind: Annotated[str, Form()],
    start: Annotated[str, Form()],
    typed: Annotated[str, Form(max_length=12)] = "",
    switched_off: Annotated[bool, Form()] = False,
) -> Response:
    """Begin, where the number that was typed is the true one."""
    chosen = _kind(kind)
    try:
        moment = datetime.fromisoformat(start)
        number = int(typed.strip() or "-1")
    except ValueError:
        return told(visit.request, 422, "invalid")
    if moment.tzinfo is None:
        return told(visit.request, 422, "invalid")
    try:
        with visit.write() as (session, ctx):
            row = find_channel(session, channel)
            if row is None:
                raise NoSuchPlace
            begin(
                session, ctx, row, chosen, moment, typed=number, switched_off=switched_off,
                by=visit.login.name, now=visit.now,
            )  # fmt: skip
    except CannotBegin as refused:
        return _question(visit, channel, chosen, start, refused.code)
    return go("/guide?done=live#live")


def _kind(value: str) -> MailKind:
    if value not in KINDS:
        raise NoSuchPlace
    return MailKind(value)


def _question(
    visit: Visit, channel: str, kind: MailKind, start: str, refused: str = ""
) -> Response:
    """The page of the question; what stands against it above."""
    words, code = visit.words, refused
    count: WindowCount | None = None
    with visit.read() as (session, ctx):
        row = find_channel(session, channel)
        if row is None:
            raise NoSuchPlace
        moment = _moment(start, visit, ctx.zone)
        try:
            count = count_beginning(session, ctx, row, kind, moment, visit.now)
        except CannotBegin as problem:
            code = problem.code
        shop = shop_labels(session, words).get(channel, channel)
        zone = ctx.zone
    return page(
        visit,
        "guide_live.html",
        409 if refused else 200,
        channel=channel,
        kind=kind.value,
        shop=shop,
        kind_label=words(f"kind.{kind}"),
        start=moment.isoformat(),
        day=moment.astimezone(zone).date().isoformat(),
        when=formats.moment(moment, zone, words.locale),
        count=count,
        problem=words(f"go_live_refused.{code}") if code else "",
    )


def _moment(start: str, visit: Visit, zone: ZoneInfo) -> datetime:
    """An instant as the form carries it, the begin of a day in the shop's zone, or now."""
    try:
        found = datetime.fromisoformat(start)
    except ValueError:
        return visit.now
    return found if found.tzinfo else datetime.combine(found.date(), time(), zone)
