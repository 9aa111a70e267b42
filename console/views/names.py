"""How the desk names ranks, shops and kinds of mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from console.words import Words
from worker.rules.shop import Ladder
from worker.store.channels import Channel


@dataclass(frozen=True, slots=True)
class Badge:
    """A rank as it is drawn: ranks climb in ink, and the word always stands beside."""

    rank: str
    label: str
    look: Literal["first", "repeat", "vip"]


@dataclass(frozen=True, slots=True)
class Option:
    """One line of a filter; ``count`` None where numbers would say nothing."""

    value: str
    label: str
    count: int | None = None
    chosen: bool = False


def badges(ladder: Ladder, locale: str) -> dict[str, Badge]:
    """A badge per rung: the lowest outlined, the highest solid, those between tinted."""
    found: dict[str, Badge] = {}
    last = len(ladder.rungs) - 1
    for place, rung in enumerate(ladder.rungs):
        look: Literal["first", "repeat", "vip"] = "repeat"
        if place == last:
            look = "first"
        elif place == 0 and last > 1:
            look = "vip"
        label = rung.label if locale == "ja" else rung.label_en
        found[rung.id] = Badge(rung.id, label, look)
    return found


def shop_labels(session: Session, words: Words) -> dict[str, str]:
    """Channel name to what staff call it: the marketplace, and the shop where it has several."""
    channels = session.execute(
        select(Channel.name, Channel.family, Channel.title).order_by(Channel.name)
    ).all()
    families = [row.family for row in channels]
    labels = {}
    for row in channels:
        key = f"family.{row.family}"
        plain = words(key) if words.has(key) else row.family
        several = families.count(row.family) > 1
        own_part = row.name.partition(":")[2] or row.name
        labels[row.name] = f"{plain} {row.title or own_part}" if several else plain
    return labels


def scope_label(scope: str, words: Words, shops: Mapping[str, str]) -> str:
    """A scope in words: own shops together, or the marketplace it is."""
    if scope in shops:
        return shops[scope]
    key = f"family.{scope}"
    return words(key) if words.has(key) else scope


def rank_label(found: Mapping[str, Badge], rank: str | None) -> str:
    """The rank's word; its id where the ladder has it no more."""
    if rank is None:
        return ""
    return found[rank].label if rank in found else rank


def top_label(found: Mapping[str, Badge]) -> str:
    """The word of the top rank."""
    tops: Sequence[str] = [badge.label for badge in found.values() if badge.look == "vip"]
    return tops[0] if tops else ""
