"""What may lie in a parcel: the worth of a gift (mail-rules, 3.4), whose coupon, until when."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

WARN_DAYS = 21
"""So many days before a shared coupon ends, staff are asked to renew it (mail-texts, 4.2)."""

STOP_DAYS = 14
"""So many days before its end, it is no longer printed: the parcel must arrive in good time."""

_SMALL_ORDER = 1000
_SMALL_GIFT = 200


def gift_limit(goods_value: int) -> int:
    """The most a gift may be worth, in yen, for an order whose goods cost ``goods_value`` yen.

    Tax included on both sides. 20 % of the order, 200 yen below 1,000 yen. Compared with this
    one order: whether several orders may be summed is unverified, so they are not.
    """
    return _SMALL_GIFT if goods_value < _SMALL_ORDER else goods_value // 5


def gift_allowed(gift_value: int, goods_value: int) -> bool:
    """Whether a gift worth ``gift_value`` yen may lie in this order's parcel."""
    return gift_value <= gift_limit(goods_value)


def redeemable(
    pool: tuple[int, str] | None, at: tuple[int, str], scope_channels: Collection[int]
) -> bool:
    """Whether a coupon redeemed in ``pool`` may be shown to a buyer of ``at``.

    Both are (channel id, family); a pool without a channel holds codes of the own shop. A
    marketplace's parcel or mail never shows another shop's coupon, nor the other way round.
    """
    if pool is None:
        return at[1] == "own"
    if pool == at:
        return True
    return pool[1] == at[1] == "own" and pool[0] in scope_channels


class SharedStage(StrEnum):
    """How near a shared coupon is to its end."""

    GOOD = "good"
    ENDING = "ending"
    """Staff should renew it; cards still carry it."""
    STOPPED = "stopped"
    """Cards go out without the code."""


def shared_stage(expires_at: datetime | None, now: datetime) -> SharedStage:
    """The stage at ``now`` of a shared coupon that ends at ``expires_at``; None: never."""
    if expires_at is None or now < expires_at - timedelta(days=WARN_DAYS):
        return SharedStage.GOOD
    stopped = now >= expires_at - timedelta(days=STOP_DAYS)
    return SharedStage.STOPPED if stopped else SharedStage.ENDING
