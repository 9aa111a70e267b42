"""Statuses of parcels and claims to the three states of a cart, row by row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract import Fulfilment, Life, Payment
from connectors.kit.fields import Fields

_CODE = re.compile(r"(?:.*\()?(\d{1,2})\)?")
"""``Seller confirm(3)`` or ``3``."""

STATUSES = ("1", "2", "3", "4", "5")
"""Of a parcel, in its forward direction."""

_SHIPPED, _DELIVERED = 4, 5
_PAID = frozenset({2, 3, _SHIPPED, _DELIVERED})

CANCELLED = frozenset({"3", "16"})
RETURNED = frozenset({"6", "14"})
PART_REFUNDED = "15"
PENDING: Mapping[str, str] = {
    "1": "キャンセル要請",
    "2": "キャンセル中",
    "4": "返品要請",
    "5": "返品中",
    "11": "交換要請",
    "12": "交換承認",
    "13": "再配送中",
}
CLAIM_STATUSES = tuple(sorted({*CANCELLED, *RETURNED, PART_REFUNDED, *PENDING}, key=int))
"""Every status that Qoo10's manual names."""


@dataclass(frozen=True)
class Item:
    """One order number of a cart: its row, and its claims; the row is gone where only these are."""

    row: Fields | None
    claims: tuple[Fields, ...]

    @property
    def claimed(self) -> frozenset[str]:
        """The statuses of its claims."""
        return frozenset(code_of(claim.text("claimStatus")) or "?" for claim in self.claims)

    @property
    def cancelled(self) -> bool:
        """Whether a cancel is done."""
        return bool(self.claimed & CANCELLED)

    @property
    def returned(self) -> bool:
        """Whether it is refunded as a whole after it was sent."""
        return not self.cancelled and bool(self.claimed & RETURNED)

    @property
    def status(self) -> int | None:
        """The digit of the parcel's status; None where there is none that is known."""
        code = code_of(self.row.text("ShippingStatus")) if self.row else None
        return int(code) if code in STATUSES else None

    def moment(self, name: str, in_claims: str) -> datetime | None:
        """A time of its row, else of its claims, whose fields are named otherwise."""
        if self.row and (found := self.row.moment(name)):
            return found
        return next((at for claim in self.claims if (at := claim.moment(in_claims))), None)


def code_of(told: str | None) -> str | None:
    """The number of a status; None where there is none."""
    match = _CODE.fullmatch(told or "")
    return str(int(match[1])) if match else None


def states(items: Sequence[Item], warnings: list[str]) -> dict[str, Any]:
    """Life, payment and fulfilment; what no row can tell is left out.

    A cart is cancelled or returned only as a whole. While a claim waits the order is held.
    """
    found = _held(items)
    standing = [item for item in items if not item.cancelled]
    if any(item.claimed.difference(CLAIM_STATUSES) for item in items):
        warnings.append("unknown_status")
        return found
    if not standing:
        times = [claim.moment("cancelRefundDate") for item in items for claim in item.claims]
        cancelled_at = max((at for at in times if at), default=None)
        return found | {"life": Life.CANCELLED, "cancelled_at": cancelled_at}
    found["life"] = Life.OPEN
    if all(item.returned for item in standing):
        return found | {"payment": Payment.REFUNDED, "fulfilment": Fulfilment.RETURNED}
    statuses = [item.status for item in standing if item.row]
    if None in statuses:
        warnings.append("unknown_status")
        return {name: value for name, value in found.items() if name != "life"}
    found["payment"] = _payment(standing)
    if all(item.row or item.returned for item in standing):
        found["fulfilment"] = _fulfilment(standing)
    return found


def _held(items: Sequence[Item]) -> dict[str, Any]:
    """Whether a claim waits for the shop or for Qoo10, and in what words."""
    done = CANCELLED | RETURNED
    waiting = [
        f"{PENDING.get(code, 'クレーム')} ({code})"
        for item in items
        if not item.claimed & done
        for code in sorted(item.claimed - {PART_REFUNDED})
    ]
    return {"hub_hold": bool(waiting), "hub_status": waiting[0] if waiting else None}


def _payment(items: Sequence[Item]) -> Payment:
    if any(item.returned or PART_REFUNDED in item.claimed for item in items):
        return Payment.REFUNDED_PART
    paid = any(item.status in _PAID or item.moment("PaymentDate", "PaymentDate") for item in items)
    return Payment.PAID if paid else Payment.UNPAID


def _fulfilment(items: Sequence[Item]) -> Fulfilment:
    """What is returned has been sent; the cart is delivered when its last parcel is."""
    steps = [_DELIVERED if item.returned else item.status or 0 for item in items]
    if min(steps) >= _SHIPPED:
        return Fulfilment.DELIVERED if min(steps) >= _DELIVERED else Fulfilment.SHIPPED
    return Fulfilment.PART if max(steps) >= _SHIPPED else Fulfilment.UNSHIPPED
