"""What a person should look at in a mail: the flag, the fact behind it, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console import formats
from console.views.names import Badge, rank_label
from console.words import Words
from worker.pipeline.review import MessageDetail
from worker.rules.lint_words import LINT, lint_sentence
from worker.rules.states import Flag


@dataclass(frozen=True, slots=True)
class Look:
    """One amber box; ``quote`` are the customer's own words."""

    flag: str
    label: str
    fact: str
    quote: str
    todo: str


def flag_label(flag: str, words: Words) -> str:
    """The short label for a list."""
    key = f"flag.{flag}"
    return words(key) if words.has(key) else flag


def looks(detail: MessageDetail, words: Words, ranks: Mapping[str, Badge]) -> tuple[Look, ...]:
    """All boxes of a mail, each flag once, in the order they were raised."""
    comments = " / ".join(order.buyer_comment for order in detail.orders if order.buyer_comment)
    found: dict[str, Look] = {}
    for stored in detail.message.flags:
        flag, fact = str(stored.get("flag", "")), stored.get("fact")
        if flag in found:
            continue
        quote = comments if flag == Flag.BUYER_COMMENT else ""
        told = "" if quote else fact_words(flag, fact, words, ranks)
        todo_key = f"flag_do.{flag}"
        todo = words(todo_key) if words.has(todo_key) else ""
        found[flag] = Look(flag, flag_label(flag, words), told, quote, todo)
    return tuple(found.values())


def fact_words(flag: str, fact: Any, words: Words, ranks: Mapping[str, Badge]) -> str:
    """The fact that raised a flag, as one short sentence; nothing where the label says it all."""
    if isinstance(fact, Mapping):
        return _mapping_words(flag, fact, words, ranks)
    if fact is None or flag == Flag.FALLBACK_VALUE:
        return ""
    if flag == Flag.TEXT_REFUSED:
        parts = fact if isinstance(fact, list) else [fact]
        return " ".join(_refused_words(str(part), words.locale) for part in parts)
    if isinstance(fact, list):
        return "、".join(str(part) for part in fact)
    if flag in (Flag.OPEN_NOTE, Flag.OPEN_INQUIRY):
        return words("app.count_things", n=fact)
    if flag == Flag.MILESTONE_MISSED:
        return formats.nth(int(fact), words.locale)
    return str(fact)


def _refused_words(part: str, locale: str) -> str:
    """``code: place`` as the rendering stores it, in words."""
    code, _, what = part.partition(": ")
    return lint_sentence(code, what, locale) if code in LINT else part


def _mapping_words(
    flag: str, fact: Mapping[str, Any], words: Words, ranks: Mapping[str, Badge]
) -> str:
    if flag == Flag.NUMBER_UNCERTAIN:
        return _numbers(fact.get("announced"), fact.get("number"), words)
    if flag == Flag.DIFFERS_FROM_LAST:
        before, now = fact.get("number") or (None, None)
        was, is_now = (rank_label(ranks, rank) for rank in fact.get("rank") or (None, None))
        numbers = _numbers(before, now, words)
        changed = words("looks.ranks", was=was, now=is_now) if was and was != is_now else ""
        return " ".join(part for part in (numbers, changed) if part)
    if flag == Flag.UNUSUAL_AMOUNT:
        total, median = (
            formats.money(int(fact[key]), "JPY", words.locale) for key in ("total", "median")
        )
        return words("looks.amount", total=total, median=median)
    if flag == Flag.NEW_TEMPLATE:
        return words("looks.seen", seen=fact.get("seen", 0), of=fact.get("of", 0))
    return "、".join(str(value) for value in fact.values())


def _numbers(before: int | None, now: int | None, words: Words) -> str:
    if now is None:
        return ""
    current = formats.nth(now, words.locale)
    if before is None:
        return words("looks.number", now=current)
    return words("looks.numbers", before=formats.nth(before, words.locale), now=current)
