"""What is wrong with channels: polls that stopped or lag, keys that end, orders that differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson
from console.views.channel_words import in_language
from console.words import Words
from worker.pipeline.channel_admin import credentials_of
from worker.pipeline.channel_health import EXPIRING, WARN_DAYS, Health, channel_health, days_left
from worker.pipeline.reconcile import DIFFER
from worker.store.rewards import StaffTask

OWN_WORDS = (EXPIRING, DIFFER)
"""Tasks that are told here, each in its own words."""

_LATE = timedelta(hours=1)
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that needs somebody: what, how many, what it means, where to go."""

    look: str
    icon: str
    title: str
    text: str
    button: str
    address: str


def channel_troubles(session: Session, words: Words, now: datetime) -> tuple[Trouble, ...]:
    """Most urgent first; a channel that is well is not listed."""
    channels = channel_health(session, now)
    return (
        *_stopped(channels, words),
        *_late(channels, words),
        *_differing(session, words),
        *_ending(channels, words, now),
    )


def _stopped(channels: list[Health], words: Words) -> Iterator[Trouble]:
    for one in channels:
        if one.paused:
            text = f"{one.channel}　{in_language(one.problem, words.locale)}"
            yield Trouble(
                "bad", "alert-circle", words("today.channel_paused"), text, *_way(one, words)
            )


def _late(channels: list[Health], words: Words) -> Iterator[Trouble]:
    for one in channels:
        late = one.lag_seconds is None or one.lag_seconds > _LATE.total_seconds()
        if one.problem and not one.paused and late:
            text = f"{one.channel}　{in_language(one.problem, words.locale)}"
            yield Trouble(
                "warn", "alert-circle", words("today.channel_late"), text, *_way(one, words)
            )


def _differing(session: Session, words: Words) -> Iterator[Trouble]:
    query = select(StaffTask.detail).where(StaffTask.kind == DIFFER, StaffTask.done_at.is_(None))
    for detail in session.scalars(query.order_by(StaffTask.id)):
        numbers = [*detail["missing"], *detail["extra"], *(row[0] for row in detail["totals"])]
        count = sum(detail[f"{name}_count"] for name in ("missing", "extra", "totals"))
        shown = (", " if words.locale == "en" else "、").join(numbers[:_NAMED])
        text = words("today.differ_text", channel=detail["channel"], n=count, numbers=shown)
        yield Trouble("warn", "file-text", words("today.differ"), text, "", "")


def _ending(channels: list[Health], words: Words, now: datetime) -> Iterator[Trouble]:
    for one in channels:
        for name, ends in sorted(one.expires.items(), key=lambda item: item[1]):
            left = days_left(ends, now)
            if left > max(WARN_DAYS):
                continue
            label = _label(one.kind, name, words.locale)
            key = "today.ending_text" if left else "today.ended_text"
            text = words(key, channel=one.channel, name=label, n=left)
            look = "bad" if left <= 3 else "warn"
            yield Trouble(look, "clock", words("today.ending"), text, *_way(one, words))


def _way(one: Health, words: Words) -> tuple[str, str]:
    """The button and where it leads."""
    return words("today.channel_button"), f"/channels/{one.channel}"


def _label(kind: str, name: str, locale: str) -> str:
    """What the shop calls a credential; its plain name where the kind does not list it."""
    try:
        known = {each.name: each for each in credentials_of(kind)}
    except NeedsPerson:
        return name
    if name not in known:
        return name
    return known[name].label_en if locale == "en" else known[name].label
