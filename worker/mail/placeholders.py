"""Every placeholder a text may use: the list, the names staff may type, the values of a mail."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from worker.mail.declared.orders import ORDERS
from worker.mail.declared.people import PEOPLE
from worker.mail.declared.rewards import REWARDS
from worker.mail.declared.shape import Placeholder
from worker.mail.declared.shop import SHOP
from worker.mail.facts import TextFacts

__all__ = ["ALIASES", "BY_NAME", "PLACEHOLDERS", "QUOTED", "Placeholder", "canonical", "values"]

PLACEHOLDERS: tuple[Placeholder, ...] = PEOPLE + SHOP + ORDERS + REWARDS

BY_NAME: dict[str, Placeholder] = {p.name: p for p in PLACEHOLDERS}


def _alias_names(declared: Placeholder) -> Iterable[str]:
    # Signs that cannot stand in a name become one that can: お客様名(姓) is typed お客様名_姓.
    spelled = re.sub(r"\W+", "_", declared.label_ja).strip("_")
    if spelled.isidentifier():
        yield spelled
    yield from declared.aliases


ALIASES: dict[str, str] = {
    alias: declared.name for declared in PLACEHOLDERS for alias in _alias_names(declared)
}
"""Japanese names staff may type between the braces, to the one name behind them."""

QUOTED = frozenset(p.name for p in PLACEHOLDERS if p.quoted)


def canonical(name: str) -> str | None:
    """The declared name behind a name or alias; None when nobody declared it."""
    return name if name in BY_NAME else ALIASES.get(name)


def values(facts: TextFacts, locale: str, only: Collection[str] | None = None) -> dict[str, str]:
    """Build every value the facts allow, or only the named ones.

    A missing value that is not optional is left out, so that rendering holds instead of
    printing a blank.
    """
    built: dict[str, str] = {}
    for declared in PLACEHOLDERS:
        if only is not None and declared.name not in only:
            continue
        value = declared.build(facts, locale)
        if value:
            built[declared.name] = value
        elif declared.optional:
            built[declared.name] = ""
    return built
