"""The first week for programs: its steps, the rehearsal's lists, and the beginning of a kind."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from console.failures import in_words, told
from console.visit import ApiAdmin, ApiEditor, NoSuchPlace, Reading, Visit
from worker.pipeline.channel_names import find_channel
from worker.pipeline.first_week import first_week
from worker.pipeline.go_live import CannotBegin, begin, count_beginning
from worker.pipeline.plan_window import WindowCount
from worker.pipeline.rehearsal import compare
from worker.pipeline.rehearsal_hub import MOST, ListWrong, tell_hub_mails
from worker.rules.states import MailKind
from worker.store.channels import Channel

router = APIRouter(prefix="/api/v1", tags=["first week"])
_DAYS = 31
Number = Annotated[str, Field(min_length=1, max_length=80)]


class Reached(BaseModel):
    """People at a visit number, and how many of them agreed to advertising."""

    number: int
    reached: int
    agreed: int


class Week(BaseModel):
    """Which steps are done; ``table`` names the table of senders as it stands."""

    steps: dict[str, bool]
    table: str
    consent: list[Reached]
    days_compared: int


class Sent(BaseModel):
    """Orders that another system wrote about."""

    channel: str
    kind: MailKind
    numbers: Annotated[list[Number], Field(min_length=1, max_length=MOST)]


class Taken(BaseModel):
    """Numbers that were new, and those told before."""

    new: int
    known: int


class Sides(BaseModel):
    """Okaeri beside another system; the counts are of orders, ``mails`` of Okaeri's mails."""

    orders: int
    mails: int
    both: int
    ours_only: int
    theirs_only: int
    neither: int


class Start(BaseModel):
    """A beginning; ``messages`` must be the number that is true when it arrives."""

    channel: str
    kind: MailKind
    start: AwareDatetime
    messages: Annotated[int, Field(ge=0)]
    switched_off: bool = False


class Count(BaseModel):
    """What a beginning makes at once, what waits first, and what is older than three days."""

    messages: int
    waiting: int
    old: int


def _channel(session: Session, name: str) -> Channel:
    row = find_channel(session, name)
    if row is None:
        raise NoSuchPlace
    return row


def _counted(found: WindowCount) -> Count:
    return Count(messages=found.messages, waiting=found.waiting, old=found.old)


def _refused(visit: Visit, problem: CannotBegin) -> Response:
    text = visit.words(f"go_live_refused.{problem.code}")
    return in_words(visit.request, 409, problem.code, text)


@router.get("/first-week")
def steps(visit: Reading) -> Week:
    """How far each step is, from the store."""
    with visit.read() as (session, ctx):
        week = first_week(session, ctx, visit.now)
    lines = (week.consent.everybody, *week.consent.milestones)
    return Week(
        steps=week.states,
        table=week.senders.key,
        consent=[Reached(number=x.number, reached=x.reached, agreed=x.agreed) for x in lines],
        days_compared=week.rehearsal.days,
    )


@router.post("/rehearsal", response_model=Taken)
def tell(visit: ApiEditor, sent: Sent) -> Taken | Response:
    """Take in the numbers of the orders that another system wrote about."""
    try:
        with visit.write() as (session, _ctx):
            found = tell_hub_mails(
                session, _channel(session, sent.channel), sent.kind, sent.numbers,
                by=visit.login.name, now=visit.now,
            )  # fmt: skip
    except ListWrong as wrong:
        return told(visit.request, 422, f"list_{wrong.code}")
    return Taken(new=found.new, known=found.known)


@router.get("/rehearsal", response_model=Sides)
def sides(
    visit: Reading, channel: str, kind: MailKind, first: date, last: date
) -> Sides | Response:
    """Compare the orders of these days, a month at most."""
    if not 0 <= (last - first).days < _DAYS:
        return told(visit.request, 422, "invalid")
    with visit.read() as (session, ctx):
        row = _channel(session, channel)
        found = compare(session, ctx, row, kind, first, last, visit.now)
    return Sides(**{name: getattr(found, name) for name in Sides.model_fields})


@router.get("/go-live", response_model=Count)
def count(
    visit: Reading, channel: str, kind: MailKind, start: Annotated[AwareDatetime, Query()]
) -> Count | Response:
    """How many mails a beginning would make; nothing begins."""
    try:
        with visit.read() as (session, ctx):
            row = _channel(session, channel)
            return _counted(count_beginning(session, ctx, row, kind, start, visit.now))
    except CannotBegin as problem:
        return _refused(visit, problem)


@router.post("/go-live", response_model=Count)
def go_live(visit: ApiAdmin, wanted: Start) -> Count | Response:
    """Begin, where the number is the true one; what is made waits to be read."""
    try:
        with visit.write() as (session, ctx):
            found = begin(
                session, ctx, _channel(session, wanted.channel), wanted.kind, wanted.start,
                typed=wanted.messages, switched_off=wanted.switched_off,
                by=visit.login.name, now=visit.now,
            )  # fmt: skip
    except CannotBegin as problem:
        return _refused(visit, problem)
    return _counted(found)
