"""What each mail kind is: advertisement or not, about an order or a person, its occasions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from worker.rules.states import ADVERTISING_KINDS, CUSTOMER_KINDS, MailKind

OCCASION_ORDER = (
    "several",
    "added",
    "fifth",
    "tenth",
    "step1",
    "step2",
    "milestone",
    "returning",
    "gift",
    "uncertain",
    "second",
)
"""Which occasion speaks when more than one applies (mail-texts, section 7.0).

``gift`` stands before ``uncertain`` and ``second``: its text names no number.
"""


@dataclass(frozen=True, slots=True)
class KindFacts:
    """``occasions`` are the ones the kind's texts may be written for; others are ignored."""

    kind: MailKind
    advertisement: bool
    about: Literal["order", "customer"]
    occasions: frozenset[str] = frozenset()


_OCCASIONS: dict[MailKind, frozenset[str]] = {
    MailKind.ORDER_THANKS: frozenset(
        {"several", "added", "milestone", "returning", "gift", "uncertain", "second"}
    ),
    MailKind.FOLLOW_UP: frozenset({"gift"}),
    MailKind.MILESTONE: frozenset({"fifth", "tenth"}),
    MailKind.WIN_BACK: frozenset({"step1", "step2"}),
}

KINDS: dict[MailKind, KindFacts] = {
    kind: KindFacts(
        kind=kind,
        advertisement=kind in ADVERTISING_KINDS,
        about="customer" if kind in CUSTOMER_KINDS else "order",
        occasions=_OCCASIONS.get(kind, frozenset()),
    )
    for kind in MailKind
}


def ordered_occasions(kind: MailKind, occasions: Iterable[str]) -> tuple[str, ...]:
    """Keep what the kind knows, the one that speaks first in front."""
    known = KINDS[kind].occasions.intersection(occasions)
    return tuple(name for name in OCCASION_ORDER if name in known)


def milestone_occasion(number: int) -> str | None:
    """Name the occasion of a milestone mail; None for numbers that share the general text."""
    return {5: "fifth", 10: "tenth"}.get(number)


def win_back_occasion(step: int) -> str:
    """Name the occasion of a win-back mail: ``step1`` without coupon, ``step2`` with."""
    return f"step{step}"
