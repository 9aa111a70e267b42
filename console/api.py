"""The desk for programs: the same functions as JSON, by the same login and roles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from console.rendering import known
from console.views.lists import PAGE, channel_of
from console.views.queue import page_of
from console.visit import ApiApprover, ApiEditor, Reading, Visit
from worker.pipeline import review
from worker.pipeline.review import QueueFilter, QueueRow
from worker.rules.states import MailKind, MessageState
from worker.store.messages import Message
from worker.store.running import Stop

router = APIRouter(prefix="/api/v1", tags=["desk"])


class Me(BaseModel):
    """Who asks; ``csrf`` goes into the header ``X-CSRF-Token`` of every change."""

    name: str
    role: str
    csrf: str


class Row(BaseModel):
    """One message of a list; ``cursor`` given as ``after`` goes on behind it."""

    id: str
    kind: MailKind
    state: MessageState
    channel: str
    customer: str
    order_numbers: list[str]
    subject: str
    rank: str | None
    visit_number: int | None
    flags: list[dict[str, Any]]
    due_at: datetime
    expires_at: datetime | None
    version: int
    cursor: str


class Detail(BaseModel):
    """One message with its words and what may be done with it now."""

    id: str
    kind: MailKind
    state: MessageState
    version: int
    channel: str
    customer: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str | None
    flags: list[dict[str, Any]]
    hold_reason: str
    due_at: datetime
    expires_at: datetime | None
    moves: list[str]


class Change(BaseModel):
    """What every change names: the version that was read, and a reason where one is asked."""

    version: int
    reason: str = Field(default="", max_length=500)


class Edit(BaseModel):
    """New words; a part left out stays as it is."""

    version: int
    subject: str | None = Field(default=None, max_length=998)
    text: str | None = Field(default=None, max_length=65536)
    html: str | None = Field(default=None, max_length=524288)


class Standing(BaseModel):
    """Where a message stands after a change."""

    id: str
    state: MessageState
    version: int


class NewStop(BaseModel):
    """What to stop: a channel, a kind, both, or with neither the whole shop."""

    channel_id: int | None = None
    kind: MailKind | None = None
    reason: str = Field(default="", max_length=500)


class StopRow(BaseModel):
    """One pressed kill switch."""

    id: int
    channel_id: int | None
    kind: MailKind | None
    reason: str
    by: str
    at: datetime


class Moved(BaseModel):
    """A kill switch and how many messages pressing or lifting it moved."""

    stop_id: int
    messages: int


@router.get("/me")
def me(visit: Reading) -> Me:
    """Who is logged in."""
    return Me(name=visit.login.name, role=visit.login.role, csrf=visit.login.csrf)


@router.get("/messages")
def messages(
    visit: Reading,
    state: str = MessageState.IN_REVIEW,
    kind: str = "",
    q: str = "",
    after: str = "",
    limit: Annotated[int, Query(ge=1, le=200)] = PAGE,
) -> list[Row]:
    """Messages of one state in reading order."""
    wanted = MessageState(known(state, tuple(MessageState), MessageState.IN_REVIEW))
    kinds = frozenset({MailKind(kind)} if known(kind, tuple(MailKind)) else ())
    filters = QueueFilter(states=frozenset({wanted}), kinds=kinds, search=q)
    with visit.read() as (session, _ctx):
        rows = page_of(session, filters, now=visit.now, after=after, limit=limit)
    visit.tell_export("messages", len(rows))
    return [_row(row) for row in rows]


def _row(row: QueueRow) -> Row:
    return Row(
        id=row.id,
        kind=row.kind,
        state=row.state,
        channel=row.channel,
        customer=row.customer_name,
        order_numbers=list(row.order_numbers),
        subject=row.subject,
        rank=row.rank,
        visit_number=row.visit_number,
        flags=list(row.flags),
        due_at=row.due_at,
        expires_at=row.expires_at,
        version=row.version,
        cursor=row.cursor,
    )


@router.get("/messages/{message_id}")
def message(visit: Reading, message_id: str) -> Detail:
    """One message."""
    with visit.read() as (session, ctx):
        return _detail(review.detail(session, ctx, message_id, now=visit.now))


def _detail(found: review.MessageDetail) -> Detail:
    one, body = found.message, found.body
    return Detail(
        id=one.id,
        kind=one.kind,
        state=one.state,
        version=one.version,
        channel=found.channel,
        customer=(found.customer.name if found.customer else None) or "",
        sender=body.sender if body else "",
        recipient=body.recipient if body else "",
        subject=body.subject if body else "",
        text=body.text if body else "",
        html=body.html if body else None,
        flags=list(one.flags),
        hold_reason=one.hold_reason,
        due_at=one.due_at,
        expires_at=one.expires_at,
        moves=list(found.moves),
    )


def standing_of(message: Message) -> Standing:
    """Where the message stands now."""
    return Standing(id=message.id, state=message.state, version=message.version)


def _done(
    visit: Visit, act: Callable[..., Message], message_id: str, version: int, **more: Any
) -> Standing:
    """Let a function of the review do its work on one message, with the row in the audit."""
    with visit.act(act.__name__, f"message:{message_id}", version=version) as (session, ctx):
        told = {"by": visit.login.name, "now": visit.now, "version": version, **more}
        return standing_of(act(session, ctx, message_id, **told))


@router.post("/messages/{message_id}/approve")
def approve(visit: ApiApprover, message_id: str, change: Change) -> Standing:
    """Release exactly the version that was read."""
    recheck = visit.house.recheck
    return _done(visit, review.approve, message_id, change.version, recheck=recheck)


@router.post("/messages/{message_id}/hold")
def hold(visit: ApiEditor, message_id: str, change: Change) -> Standing:
    """Put it aside."""
    return _done(visit, review.hold, message_id, change.version, reason=change.reason)


@router.post("/messages/{message_id}/release")
def release(visit: ApiEditor, message_id: str, change: Change) -> Standing:
    """Take it back to be read."""
    return _done(visit, review.release, message_id, change.version)


@router.post("/messages/{message_id}/send_back")
def send_back(visit: ApiEditor, message_id: str, change: Change) -> Standing:
    """Give it back to whoever writes; the reason is asked."""
    return _done(visit, review.send_back, message_id, change.version, reason=change.reason)


@router.post("/messages/{message_id}/undo")
def undo(visit: ApiApprover, message_id: str, change: Change) -> Standing:
    """Take an approval back within its window."""
    return _done(visit, review.undo, message_id, change.version)


@router.post("/messages/{message_id}/edit")
def edit(visit: ApiEditor, message_id: str, change: Edit) -> Standing:
    """Write new words; it must be approved again."""
    words = review.Words(change.subject, change.text, change.html)
    return _done(visit, review.edit, message_id, change.version, words=words)


@router.get("/stops")
def stops(visit: Reading) -> list[StopRow]:
    """Every pressed kill switch."""
    with visit.read() as (session, _ctx):
        return [_stop_row(stop) for stop in review.active_stops(session)]


def _stop_row(stop: Stop) -> StopRow:
    return StopRow(
        id=stop.id,
        channel_id=stop.channel_id,
        kind=stop.kind,
        reason=stop.reason,
        by=stop.by,
        at=stop.at,
    )


@router.post("/stops")
def press(visit: ApiEditor, new: NewStop) -> Moved:
    """Press a kill switch."""
    with visit.act("stop", channel=new.channel_id, kind=new.kind) as (session, ctx):
        channel_id = channel_of(session, str(new.channel_id or ""))
        done = review.stop(
            session,
            ctx,
            by=visit.login.name,
            now=visit.now,
            kind=new.kind,
            channel_id=channel_id,
            reason=new.reason,
        )
    return Moved(stop_id=done.stop_id, messages=len(done.message_ids))


@router.post("/stops/{stop_id}/lift")
def lift(visit: ApiApprover, stop_id: int) -> Moved:
    """Lift a kill switch."""
    with visit.act("lift_stop", f"stop:{stop_id}") as (session, ctx):
        done = review.lift(session, ctx, stop_id, by=visit.login.name, now=visit.now)
    return Moved(stop_id=done.stop_id, messages=len(done.message_ids))
