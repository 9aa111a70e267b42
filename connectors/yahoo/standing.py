"""OrderStatus, PayStatus and ShipStatus to the three states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.contract import Fulfilment, Life, Payment
from connectors.kit.fields import Fields, Unreadable

_ON_HOLD, _CANCELLED, _DONE, _MERGED, _UNENTERED = 3, 4, 5, 8, 0
_OPEN = frozenset({1, 2, _ON_HOLD, _DONE})
_PAYMENTS: Mapping[int, Payment] = {0: Payment.UNPAID, 1: Payment.PAID}
_PARCELS: Mapping[int, Fulfilment] = {
    0: Fulfilment.UNSHIPPED,
    1: Fulfilment.UNSHIPPED,
    2: Fulfilment.UNSHIPPED,
    3: Fulfilment.SHIPPED,
    4: Fulfilment.DELIVERED,
}
_RETURNS = frozenset({110, 140})
"""CancelReason: sent back, refused at the door."""

Moments = Mapping[str, datetime | None]


def states(
    told: Fields, moments: Moments, warnings: list[str], *, hold_merged: bool = False
) -> dict[str, Any]:
    """Life, payment and fulfilment, and whether the store holds the order.

    Raises Unreadable for an order that is not entered yet, and, with ``hold_merged``, for one
    that was put into another: what these statuses mean is written nowhere.
    """
    status = told.whole("OrderStatus")
    if status == _UNENTERED or (status == _MERGED and hold_merged):
        raise _not_an_order(status)
    if status == _MERGED:
        warnings.append("merged_order")
    if status not in _OPEN | {_CANCELLED, _MERGED}:
        warnings.append("unknown_status")
        return {}
    found: dict[str, Any] = {
        "life": Life.OPEN if status in _OPEN else Life.CANCELLED,
        "payment": _payment(told.node("Pay"), moments),
        "fulfilment": _parcel(told, status, moments),
    }
    if None in found.values():
        warnings.append("unknown_status")
    if "Suspect" in told or status == _ON_HOLD:
        found["hub_hold"] = status == _ON_HOLD or told.whole("Suspect") == 1
    return {name: value for name, value in found.items() if value is not None}


def _payment(pay: Fields, moments: Moments) -> Payment | None:
    told = pay.whole("PayStatus")
    if told is None:
        return Payment.PAID if moments["paid_at"] else Payment.UNPAID
    return _PAYMENTS.get(told)


def _parcel(told: Fields, status: int | None, moments: Moments) -> Fulfilment | None:
    ship = told.node("Ship").whole("ShipStatus")
    parcel = _by_dates(moments) if ship is None else _PARCELS.get(ship)
    gone = (Fulfilment.SHIPPED, Fulfilment.DELIVERED)
    if status == _CANCELLED and parcel in gone and told.whole("CancelReason") in _RETURNS:
        return Fulfilment.RETURNED
    if status == _DONE and parcel is Fulfilment.UNSHIPPED:
        return Fulfilment.SHIPPED
    return parcel


def _by_dates(moments: Moments) -> Fulfilment:
    if moments["delivered_at"]:
        return Fulfilment.DELIVERED
    return Fulfilment.SHIPPED if moments["shipped_at"] else Fulfilment.UNSHIPPED


def _not_an_order(status: int | None) -> Unreadable:
    if status == _UNENTERED:
        return Unreadable(
            "unfinished_order",
            "OrderStatus",
            "This order is not entered yet (OrderStatus 0).",
            "まだ確定していない注文です (OrderStatus 0)。",
        )
    return Unreadable(
        "merged_order",
        "OrderStatus",
        "This order was put into another one (OrderStatus 8).",
        "ほかの注文に同梱された注文です (OrderStatus 8)。",
    )
