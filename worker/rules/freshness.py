"""Which of two records of one order is newer, field by field (promise P2).

A source that tells when it last changed an order is believed by that time: each field keeps
the time it was told at, so pages may come in any order and the ledger ends the same. A source
without such a time is believed by what it says: a state never moves backwards, and a record
whose states are all behind what is stored is an older file and only fills gaps. A field last
moved by a source without time is kept that way, whoever speaks next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

STATES: Mapping[str, tuple[str, ...]] = {
    "life": ("open", "cancelled"),
    "payment": ("unpaid", "authorized", "paid", "refunded_part", "refunded"),
    "fulfilment": ("unshipped", "part", "shipped", "delivered", "returned"),
}
"""The three states of an order, each in its forward direction."""

# The bit of a field is its place here and is stored: add at the end only.
FIELDS: tuple[str, ...] = (
    *("number", "ordered_at", "currency", "time_unknown", "life", "payment", "fulfilment"),
    *("payment_method", "payment_kind", "paid_at", "shipped_at", "delivered_at", "cancelled_at"),
    *("subtotal", "shipping", "fee", "discount", "points", "tax", "total", "refunded"),
    *("coupon_code", "carrier", "tracking_number", "delivery_date", "delivery_band", "gift"),
    *("subscription_number", "delivery_count", "hub_status", "hub_hold", "replaces", "store"),
    *("platform_order_count", "warnings", "marketing_consent", "consent_at"),
    *("buyer_comment", "gift_wrap", "note", "lines"),
    *("buyer.member_id", "buyer.email", "buyer.email_is_relay", "buyer.name"),
    *("buyer.family_name", "buyer.given_name", "buyer.kana", "buyer.phone"),
    *("buyer.postal_code", "buyer.address", "buyer.birthday", "buyer.locale"),
    *("recipient.name", "recipient.kana", "recipient.phone", "recipient.postal_code"),
    "recipient.address",
)
"""Every field a source can speak of, as it is named in ``Order.present``."""

_BITS = {name: 1 << place for place, name in enumerate(FIELDS)}
_UNTIMED = -1


@dataclass(frozen=True, slots=True)
class Settled:
    """What a record changes: ``taken`` fields with values, and the new ``told``.

    ``stale`` is True where it said something else than is stored and nothing of it was taken.
    """

    taken: Mapping[str, Any]
    told: str
    stale: bool


def told_first(present: Iterable[str], at: datetime | None) -> str:
    """Note which fields the first record of an order told, and as of when."""
    return _encode({_moment(at): _mask(frozenset(present))})


def settle(
    stored: Mapping[str, Any], incoming: Mapping[str, Any], told: str, at: datetime | None
) -> Settled:
    """Decide which fields of ``incoming`` (present fields only) replace those stored.

    ``told`` is what ``told_first`` or an earlier ``settle`` noted; ``at`` is the source's own
    time of change, None where it has none.
    """
    times = _decode(told)
    moment = _moment(at)
    lead = _lead(stored, incoming)
    taken: dict[str, Any] = {}
    differs = False
    won = 0
    for name, value in incoming.items():
        since = _since(times, _BITS[name])
        if stored.get(name) == value:
            # The same value told later: only its time moves, so that a record in between loses.
            won |= _BITS[name] if since is None or moment > since else 0
            continue
        differs = True
        if since is None or _wins(name, stored.get(name), value, moment, since, lead):
            taken[name] = value
            won |= _BITS[name]
    return Settled(taken, _encode(_moved(times, moment, won)), stale=differs and not taken)


def _wins(name: str, stored: Any, value: Any, moment: int, since: int, lead: int) -> bool:
    """Whether a told value that differs replaces the one told at ``since``."""
    both_timed = _UNTIMED not in (moment, since)
    if both_timed and moment != since:
        return moment > since
    if name in STATES:
        return step(name, stored, value) > 0
    if lead:
        return lead > 0
    return both_timed or since == _UNTIMED


def step(dimension: str, stored: Any, value: Any) -> int:
    """Tell by how many steps ``value`` is ahead of ``stored``; negative: behind."""
    order = STATES[dimension]
    return order.index(value) - order.index(stored)


def _lead(stored: Mapping[str, Any], incoming: Mapping[str, Any]) -> int:
    """1 where any state is ahead of what is stored, -1 where all that differ are behind, else 0."""
    steps = [step(name, stored[name], incoming[name]) for name in STATES if name in incoming]
    if any(distance > 0 for distance in steps):
        return 1
    return -1 if any(distance < 0 for distance in steps) else 0


def _moment(at: datetime | None) -> int:
    return _UNTIMED if at is None else int(at.timestamp() * 1_000_000)


@lru_cache(maxsize=1000)
def _mask(names: frozenset[str]) -> int:
    mask = 0
    for name in names:
        mask |= _BITS.get(name, 0)
    return mask


def _since(times: Mapping[int, int], bit: int) -> int | None:
    return next((moment for moment, mask in times.items() if mask & bit), None)


def _moved(times: Mapping[int, int], moment: int, won: int) -> dict[int, int]:
    kept = {when: mask & ~won for when, mask in times.items()}
    kept[moment] = kept.get(moment, 0) | won
    return {when: mask for when, mask in kept.items() if mask}


def _encode(times: Mapping[int, int]) -> str:
    return ";".join(f"{moment:x}:{mask:x}" for moment, mask in sorted(times.items()))


def _decode(told: str) -> dict[int, int]:
    pairs = (part.split(":") for part in told.split(";") if part)
    return {int(moment, 16): int(mask, 16) for moment, mask in pairs}
