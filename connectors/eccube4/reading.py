"""Walks all orders of a fixed span without losing one that changes while it is read.

A list is cut into pages by number, and an order that leaves a span shifts all behind it. So a
span is narrowed until one page holds all of it. Page numbers are used only within the smallest
span (a second, or a day), and where its count changes between two pages, it is read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.contract import NeedsPerson
from connectors.kit import waiting
from connectors.kit.windows import Window

_MOST_RESTARTS = 5


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reading stands; written as the resume cursor. Times are UTC, whole seconds."""

    begin: datetime
    """What lies before is read."""
    end: datetime
    """The fixed end of the whole reading."""
    span: int
    """Seconds asked for at once."""
    page: int = 1
    total: int | None = None
    """How many orders the window had when its first page was read."""

    @classmethod
    def over(cls, begin: datetime, end: datetime) -> Position:
        """The start of a reading, with all of it asked for at once."""
        return cls(begin, end, int((end - begin).total_seconds()))

    @property
    def window(self) -> Window:
        """What is asked for next; its end is left out."""
        return Window(self.begin, min(self.begin + timedelta(seconds=self.span), self.end))

    def written(self) -> str:
        """The cursor."""
        told = asdict(self) | {"begin": self.begin.isoformat(), "end": self.end.isoformat()}
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def of(cls, cursor: str) -> Position:
        """Read a cursor back. Raises ValueError, KeyError or TypeError for anything else."""
        told = json.loads(cursor)
        begin, end = (datetime.fromisoformat(told.pop(name)) for name in ("begin", "end"))
        return cls(begin=begin, end=end, **told)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list: its orders as received, and how many there are in all."""

    nodes: list[Any]
    total: int
    broken: frozenset[int] = frozenset()
    """Places in ``nodes`` that the shop failed to tell."""


@dataclass(frozen=True, slots=True)
class Read:
    """One page, where it stood, and where to go on (None: all is read)."""

    listed: Listed
    at: Position
    following: Position | None


@dataclass(frozen=True, slots=True)
class Listing:
    """How a shop lists orders."""

    ask: Callable[[Window, int], Listed]
    """The page of a window, from 1. Raises NeedsPerson or TryLater."""
    moment: str
    """The field the list goes by."""
    size: int
    """Orders of a page."""
    least: timedelta
    """The smallest window the shop can tell apart."""


def walk(listing: Listing, start: Position) -> Iterator[Read]:
    """Read from a position to its end. Raises NeedsPerson or TryLater."""
    position: Position | None = start
    restarts = 0
    while position is not None:
        listed = listing.ask(position.window, position.page)
        narrowed = _narrowed(listing, position, listed.total)
        if narrowed is not None:
            position = narrowed
            continue
        if position.page > 1 and listed.total != position.total:
            restarts += 1
            if restarts > _MOST_RESTARTS:
                raise waiting.changing("EC-CUBE", 60.0)
            position = replace(position, page=1, total=None)
            continue
        _check(listing, position, listed)
        following = _following(listing, position, listed.total)
        if listed.nodes or following is None:  # years before the first order are passed over
            yield Read(listed, position, following)
        position = following


def _seconds(window: Window) -> int:
    return int((window.end - window.start).total_seconds())


def _narrowed(listing: Listing, position: Position, total: int) -> Position | None:
    """A shorter window in place of one that fills more than a page; None: keep this one."""
    if position.page > 1 or total <= listing.size:
        return None
    length, least = _seconds(position.window), int(listing.least.total_seconds())
    aim = length * listing.size // (2 * total)
    span = max(aim // least * least, least)
    return replace(position, span=span) if span < length else None


def _check(listing: Listing, position: Position, listed: Listed) -> None:
    """Raises TryLater for a page with orders missing, NeedsPerson for orders out of the span."""
    expected = min(listing.size, listed.total - (position.page - 1) * listing.size)
    if len(listed.nodes) < expected:
        raise waiting.unreadable(f"{len(listed.nodes)} of {expected} orders, not whole")
    told = (moment_of(node, listing.moment) for node in listed.nodes)
    # A day of the shop's zone may begin before ours.
    slack = timedelta(0) if listing.least < timedelta(days=1) else timedelta(days=1)
    if any(moment < position.begin - slack for moment in told if moment):
        raise NeedsPerson(
            "ショップが日時の条件を無視しています。The shop ignores the time filter.",
            "Web API プラグインを更新し、検索を変えるプラグインがないか確かめてください。"
            "Update the Web API plugin, and look for a plugin that changes the order search.",
        )


def moment_of(node: Any, name: str) -> datetime | None:
    """An instant of a record, to the second; None where it is not readable."""
    try:
        found = datetime.fromisoformat(str(node[name] if isinstance(node, Mapping) else ""))
    except (KeyError, ValueError):
        return None
    return found.replace(microsecond=0).astimezone(UTC) if found.tzinfo else None


def _following(listing: Listing, position: Position, total: int) -> Position | None:
    if position.page * listing.size < total:
        return replace(position, page=position.page + 1, total=total)
    window = position.window
    if window.end >= position.end:
        return None
    few = total * 4 < listing.size
    return Position(window.end, position.end, position.span * 2 if few else position.span)
