"""Coupons whose codes are made in the shop's own cart when they are needed: terms and patience."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

LONGEST_NAME = 50
"""The ledger names a reward in 80 letters, the pool's name among them."""
LONGEST_DAYS = 730
_LONGEST_TITLE = 100
_FIRST_WAIT, _LONGEST_WAIT = 60.0, 3600.0


@dataclass(frozen=True)
class LiveCoupon:
    """``[coupons.NAME]`` of ``milestones.toml``: which shop makes the codes, and their terms.

    Exactly one of ``value`` (minor units of the ledger currency) and ``percent`` is above 0.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    channel: str
    value: int = 0
    percent: int = 0
    minimum: int = 0
    """Goods must come to this much, in minor units; 0: no condition."""
    valid_days: int = 90
    """Whole shop-local days after the day on which the code is made."""
    title: str = ""
    """How the shop's own screens name the coupon; empty: the pool's name."""
    targets: str = ""
    """What the mail says it is good for; empty: the whole range."""
    bound: bool = True
    """Only its buyer may use a code, where the shop's interface can say so."""


def problems_of(name: str, coupon: LiveCoupon) -> Iterator[tuple[str, str]]:
    """What is wrong with a declared coupon, as (setting, what to do)."""
    if not 0 < len(name) <= LONGEST_NAME:
        yield "", f"a pool's name has 1 to {LONGEST_NAME} letters."
    if not coupon.channel:
        yield "channel", "name the channel whose shop makes the codes, e.g. own:shop."
    if (coupon.value > 0) == (coupon.percent > 0):
        yield "value", "give either value (an amount) or percent, above 0."
    if coupon.value < 0:
        yield "value", "an amount is above 0."
    if not 0 <= coupon.percent <= 100:
        yield "percent", "a percentage is 1 to 100."
    if coupon.minimum < 0:
        yield "minimum", "0 (no condition) or more."
    if not 1 <= coupon.valid_days <= LONGEST_DAYS:
        yield "valid_days", f"1 to {LONGEST_DAYS} days."
    if len(coupon.title) > _LONGEST_TITLE:
        yield "title", f"at most {_LONGEST_TITLE} letters."


def all_problems(coupons: Mapping[str, LiveCoupon]) -> Iterator[tuple[str, str]]:
    """The same for every ``[coupons.NAME]``, each with its whole key."""
    for name, coupon in coupons.items():
        for setting, text in problems_of(name, coupon):
            yield ".".join(part for part in ("coupons", name, setting) if part), text


def end_of_validity(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The instant from which a code made now is good no more: a shop-local midnight."""
    last = now.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(last + timedelta(days=1), time(), zone)


def wait_seconds(failures: int, asked: float | None) -> float:
    """How long to leave a shop alone that failed so often in a row; it may ask for longer."""
    own = min(_FIRST_WAIT * 2.0 ** max(0, failures - 1), _LONGEST_WAIT)
    return max(own, asked or 0.0)
