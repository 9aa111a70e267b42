"""When what came back about one address is enough to stop mailing it (mail-format, section 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

LOOK_BACK = timedelta(days=90)
"""Older events no longer count."""

SOFT_EVENTS = 3
SOFT_SPAN = timedelta(days=7)
HARD_DAYS = 2


class Consequence(StrEnum):
    """What follows for the address."""

    NOTHING = "nothing"
    STOP_ALL = "stop_all"
    STOP_ADS = "stop_ads"


def after_soft(times: Sequence[datetime]) -> Consequence:
    """A full mailbox, this event included: three events over at least seven days stop ads."""
    if len(times) < SOFT_EVENTS or max(times) - min(times) < SOFT_SPAN:
        return Consequence.NOTHING
    return Consequence.STOP_ADS


def after_ambiguous(days: Sequence[date], *, first_is_enough: bool) -> Consequence:
    """An answer that need not mean a dead address: it takes two of the shop's days.

    ``first_is_enough``: an address that no standard allows, which few servers take at all.
    """
    if first_is_enough or len(set(days)) >= HARD_DAYS:
        return Consequence.STOP_ALL
    return Consequence.NOTHING
