"""A person at the desk wishes a channel's past read; the service fulfils it, and may be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson
from connectors.registry import is_live
from worker.pipeline.channel_admin import note
from worker.pipeline.pull import channel_named
from worker.pipeline.reach import BACKFILL, BACKFILL_WISH
from worker.store.channels import Channel


@dataclass(frozen=True)
class Wish:
    """What was asked for. ``since`` None: as far back as the source tells."""

    channel: str
    since: datetime | None
    by: str
    retry_at: datetime | None = None
    problem: str = ""
    """Why it waits, in words; empty while it goes on."""


@dataclass(frozen=True)
class Standing:
    """How far the reading of a channel's past is. ``part`` of the span, from 0 to 1."""

    since: datetime
    until: datetime
    pages: int = 0
    orders: int = 0
    part: float = 0.0
    seconds_left: float | None = None
    at: datetime | None = None
    """When that was noted; None before the first page."""


def wish_backfill(
    session: Session, name: str, since: datetime | None, by: str, now: datetime
) -> None:
    """Have the past of a live channel read from now on. Raises LookupError, NeedsPerson."""
    channel = _locked(session, name)
    if not is_live(channel.kind):
        raise NeedsPerson(
            f"「{name}」は受注ファイルのチャネルです。{name} takes its orders from files.",
            "過去の受注のファイルを取り込んでください。Import the older files.",
        )
    told = {"since": since.isoformat() if since else None, "by": by[:80], "at": now.isoformat()}
    channel.settings = {**channel.settings, BACKFILL_WISH: told}
    note(session, "channel_backfill", channel, by, now, since=told["since"])


def stop_backfill(session: Session, name: str, by: str, now: datetime) -> None:
    """Read no further; what was read stays, and asked again it goes on from there."""
    channel = _locked(session, name)
    _forget(channel)
    note(session, "channel_backfill_stop", channel, by, now)


def wish_fulfilled(session: Session, name: str) -> None:
    """Forget the wish: the past is read."""
    _forget(_locked(session, name))


def wish_waits(session: Session, name: str, problem: str, retry_at: datetime | None) -> None:
    """Note why it does not go on just now, and when it will; without a time a person must act.

    A wish that was withdrawn meanwhile stays withdrawn.
    """
    channel = _locked(session, name)
    told = channel.settings.get(BACKFILL_WISH)
    if told is not None:
        waits = {"problem": problem, "retry_at": retry_at.isoformat() if retry_at else None}
        channel.settings = {**channel.settings, BACKFILL_WISH: {**told, **waits}}


def wish_of(channel: Channel) -> Wish | None:
    """The wish of a channel, or None."""
    told = channel.settings.get(BACKFILL_WISH)
    if told is None:
        return None
    return Wish(
        channel.name, _moment(told.get("since")), told.get("by", ""),
        _moment(told.get("retry_at")), told.get("problem", ""),
    )  # fmt: skip


def due_wishes(session: Session, now: datetime) -> list[Wish]:
    """Wishes that can go on now; those that wait for a person do not."""
    polled = session.scalars(sa.select(Channel).where(Channel.paused.is_(False)))
    wishes = (wish_of(channel) for channel in polled)
    return [
        wish
        for wish in wishes
        if wish and (not wish.problem or (wish.retry_at is not None and wish.retry_at <= now))
    ]


def note_progress(session: Session, name: str, progress: dict[str, Any]) -> None:
    """Keep how far a backfill is, for whoever looks; nothing where none is under way."""
    channel = _locked(session, name)
    told = channel.settings.get(BACKFILL)
    if told is not None:
        channel.settings = {**channel.settings, BACKFILL: {**told, "progress": progress}}


def backfill_standing(channel: Channel) -> Standing | None:
    """How far the backfill of a channel is; None where none is under way."""
    told = channel.settings.get(BACKFILL)
    if told is None:
        return None
    gone = dict(told.get("progress") or {})
    at = gone.pop("at", None)
    since, until = (datetime.fromisoformat(told[key]) for key in ("since", "until"))
    return Standing(since, until, **gone, at=_moment(at))


def _locked(session: Session, name: str) -> Channel:
    channel = channel_named(session, name)
    # A poll keeps settings of its own here at the same time: neither may write over the other.
    session.refresh(channel, with_for_update=True)
    return channel


def _forget(channel: Channel) -> None:
    channel.settings = {k: v for k, v in channel.settings.items() if k != BACKFILL_WISH}


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
