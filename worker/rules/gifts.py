"""How much a gift to every buyer may be worth (premiums act; mail-rules, section 3.4)."""

from __future__ import annotations

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
