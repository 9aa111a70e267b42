"""Channels for programs: how they are, pull, pause, check, the past; by the pages' own steps."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import select

from console.api_work import Done
from console.pages.channels import tried
from console.visit import ApiEditor, NoSuchPlace, Reading, Visit
from worker.pipeline.backfill_wish import stop_backfill, wish_backfill
from worker.pipeline.channel_admin import note, pause, pull_soon, resume
from worker.pipeline.channel_names import find_channel
from worker.pipeline.pull import channel_named
from worker.store.channels import Channel

router = APIRouter(prefix="/api/v1", tags=["channels"])


class ChannelRow(BaseModel):
    """A channel and how it is."""

    name: str
    kind: str
    family: str
    paused: bool
    pause_reason: str
    last_success_at: datetime | None
    last_error: str
    history_complete_since: date | None


class Pause(BaseModel):
    """Why it is not to be polled."""

    reason: str = Field(default="", max_length=300)


class Past(BaseModel):
    """From which shop-local day on; None: as far back as the source tells."""

    since: date | None = None


class Checked(BaseModel):
    """What a harmless call said."""

    works: bool
    words: str


@router.get("/channels")
def channels(visit: Reading) -> list[ChannelRow]:
    """Every channel."""
    with visit.read() as (session, _ctx):
        return [_channel(row) for row in session.scalars(select(Channel).order_by(Channel.name))]


@router.get("/channels/{name}")
def channel(visit: Reading, name: str) -> ChannelRow:
    """One channel."""
    with visit.read() as (session, _ctx):
        found = find_channel(session, name)
        if found is None:
            raise NoSuchPlace
        return _channel(found)


def _channel(row: Channel) -> ChannelRow:
    return ChannelRow(**{name: getattr(row, name) for name in ChannelRow.model_fields})


@router.post("/channels/{name}/pull")
def pull(visit: ApiEditor, name: str) -> Done:
    """Have it polled at the next sweep."""
    return _on_channel(visit, name, pull_soon)


@router.post("/channels/{name}/pause")
def pause_channel(visit: ApiEditor, name: str, why: Pause) -> Done:
    """Poll it no more until it is resumed."""
    return _on_channel(visit, name, pause, why.reason.strip())


@router.post("/channels/{name}/resume")
def resume_channel(visit: ApiEditor, name: str) -> Done:
    """Poll it again."""
    return _on_channel(visit, name, resume)


@router.post("/channels/{name}/backfill")
def backfill(visit: ApiEditor, name: str, past: Past) -> Done:
    """Read the past; plans no mail."""
    with visit.read() as (_session, ctx):
        since = datetime.combine(past.since, time(), ctx.zone) if past.since else None
    return _on_channel(visit, name, wish_backfill, since)


@router.post("/channels/{name}/backfill/stop")
def backfill_stop(visit: ApiEditor, name: str) -> Done:
    """Read no further."""
    return _on_channel(visit, name, stop_backfill)


def _on_channel(visit: Visit, name: str, act: Any, *more: Any) -> Done:
    with visit.write() as (session, _ctx):
        if find_channel(session, name) is None:
            raise NoSuchPlace
        act(session, name, *more, visit.login.name, visit.now)
    return Done()


@router.post("/channels/{name}/check")
def check(visit: ApiEditor, name: str) -> Checked:
    """Make a harmless call and say what came of it."""
    words, works = tried(visit, name)
    with visit.write() as (session, _ctx):
        note(session, "channel_check", channel_named(session, name), visit.login.name, visit.now,
             works=works)  # fmt: skip
    return Checked(works=works, words=words)
