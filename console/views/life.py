"""A mail's life in words: every move, who made it, and what lay behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from console import formats
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.review_words import HOLDS, REFUSALS, hold_words
from worker.rules.outcome_words import WORDS, outcome_words
from worker.store.messages import MessageEvent


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the mail's life."""

    when: str
    what: str
    who: str
    words: str


def life_of(row: MessageEvent, ctx: Context, words: Words) -> Event:
    """The line of one event."""
    key = f"move.{row.move}"
    return Event(
        formats.moment(row.at, ctx.zone, words.locale),
        words(key) if words.has(key) else row.move,
        words(f"actor.{row.actor}") if row.by in ("", "system", "dispatch") else row.by,
        " ".join(_said(row.reason, words)),
    )


def _said(reason: Mapping[str, Any], words: Words) -> Iterator[str]:
    for name in ("words", "evidence"):
        if reason.get(name):
            yield str(reason[name])
    if reason.get("code"):
        yield from _of_code(reason, words)
    if reason.get("fields"):
        names = (words(f"edit.{name}") for name in reason["fields"] if words.has(f"edit.{name}"))
        yield words("event.fields", what="、".join(names))
    if isinstance(reason.get("attempt"), int):
        yield words("event.attempt", n=reason["attempt"])
    if reason.get("captured"):
        yield words("event.captured")
    if reason.get("reply"):
        yield words("event.reply", reply=str(reason["reply"])[:200])
    if isinstance(reason.get("count"), int):
        yield words("event.handed", n=reason["count"])


def _of_code(reason: Mapping[str, Any], words: Words) -> Iterator[str]:
    """A code nobody wrote words for says nothing to a clerk, and is left out."""
    code = str(reason["code"])
    if words.has(f"event.code_{code}"):
        yield words(f"event.code_{code}")
    elif code in WORDS:
        yield outcome_words(reason, words.locale)
    elif code in HOLDS or code in REFUSALS:
        yield hold_words(code, words.locale)
