"""連携: every channel at a glance, those in trouble first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.views.channel_words import (
    Standing,
    ago,
    channel_kind,
    ending_look,
    ending_words,
    in_language,
    standing_of,
)
from console.words import Words
from worker.pipeline.backfill_wish import backfill_standing
from worker.pipeline.channel_vault import expiries
from worker.store.channels import Channel

_URGENCY = {"bad": 0, "warn": 1, "": 2, "ok": 2}


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel of the list."""

    name: str
    title: str
    kind: str
    standing: Standing
    problem: str
    last: str
    ends: str
    ends_look: str
    percent: int | None
    """Of a backfill that is under way."""


def channels_view(session: Session, words: Words, now: datetime) -> tuple[ChannelLine, ...]:
    """All channels; first what needs somebody, then by name."""
    rows = session.scalars(select(Channel).order_by(Channel.name))
    lines = [_line(channel, words, now) for channel in rows]
    return tuple(sorted(lines, key=lambda line: _URGENCY[line.standing.look]))


def _line(channel: Channel, words: Words, now: datetime) -> ChannelLine:
    ends = min(expiries(channel.secrets).values(), default=None)
    look = ending_look(ends, now)
    past = backfill_standing(channel)
    return ChannelLine(
        name=channel.name,
        title=channel.title or channel.name.partition(":")[2],
        kind=channel_kind(channel, words),
        standing=standing_of(channel, now, words),
        problem=_problem(channel, words),
        last=ago(channel.last_success_at, now, words),
        ends=ending_words(ends, now, words) if look in {"bad", "warn"} else "",
        ends_look=look,
        percent=round(past.part * 100) if past else None,
    )


def _problem(channel: Channel, words: Words) -> str:
    """What stops it, or in plain words that it is tried again: the answer is a click away."""
    if channel.paused:
        return in_language(channel.pause_reason, words.locale)
    return words("channel.retry_note") if channel.last_error else ""
