"""Which words a thank-you may use: doubt takes the number out of a text, it never invents one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Telling:
    """What decides which occasion's words a thank-you may use, and whether it says a number."""

    orders: int
    after_thanks: bool
    """A thank-you of the same day has gone: this one is the short addition."""
    visit_number: int | None
    lifetime_orders: int
    """Counting orders and opening counts over all channels, up to and including this."""
    proved: bool
    identity_sure: bool
    say_number: bool
    announced: int | None
    """Highest number ever announced in the scope by mails that left or may have left."""
    milestone: bool
    days_since_previous: int | None
    gift: bool = False
    provisional: bool = False
    """Uncertain only because this very order does not count yet: the number may be said."""


RETURNING_DAYS = 365


@dataclass(frozen=True, slots=True)
class Words:
    """``occasions`` for the choice of text, ``number`` to be said aloud or None."""

    occasions: tuple[str, ...]
    number: int | None
    uncertain: bool
    first_allowed: bool


def words_of(telling: Telling) -> Words:
    """Decide the words of a thank-you (P10): doubt takes the number out, never invents one."""
    counted = telling.proved or telling.provisional
    certain = counted and telling.identity_sure and telling.visit_number is not None
    number = telling.visit_number or 0
    said_before = telling.announced is not None and number <= telling.announced
    uncertain = not certain or said_before
    first_allowed = certain and telling.proved and number == 1 and telling.lifetime_orders == 1
    speaks = certain and not said_before and telling.say_number and number > 1
    found = []
    if telling.after_thanks:
        found.append("added")
    elif telling.orders > 1:
        found.append("several")
    if telling.milestone and speaks:
        found.append("milestone")
    if telling.identity_sure and (telling.days_since_previous or 0) >= RETURNING_DAYS:
        # With an unsure identity the earlier order may be somebody else's.
        found.append("returning")
    if telling.gift:
        found.append("gift")
    if number != 1 and (uncertain or not speaks):
        found.append("uncertain")
    if number == 1 and not first_allowed:
        found.append("uncertain")
    if number == 2 and speaks:
        found.append("second")
    return Words(tuple(found), number if speaks else None, uncertain, first_allowed)
