"""The three states of a Shopify order, which keeps payment, parcels and returns apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Fulfilment, Life, Payment
from connectors.kit import people

Node = Mapping[str, Any]

_PAYMENTS = {
    "PENDING": Payment.UNPAID,
    "PARTIALLY_PAID": Payment.UNPAID,
    "EXPIRED": Payment.UNPAID,
    "AUTHORIZED": Payment.AUTHORIZED,
    "PAID": Payment.PAID,
    "PARTIALLY_REFUNDED": Payment.REFUNDED_PART,
    "REFUNDED": Payment.REFUNDED,
}
_PARCELS = {
    **dict.fromkeys(
        [
            *("UNFULFILLED", "ON_HOLD", "SCHEDULED", "IN_PROGRESS", "REQUEST_DECLINED", "OPEN"),
            *("PENDING_FULFILLMENT", "RESTOCKED", "FULFILLMENT_NOT_REQUIRED"),
        ],
        Fulfilment.UNSHIPPED,
    ),
    "PARTIALLY_FULFILLED": Fulfilment.PART,
    "FULFILLED": Fulfilment.SHIPPED,
}
_RETURNS = frozenset(
    [
        *("NO_RETURN", "RETURN_REQUESTED", "IN_PROGRESS", "INSPECTION_COMPLETE", "RETURNED"),
        "RETURN_FAILED",
    ]
)
_CAME_BACK = frozenset({"RETURNED", "INSPECTION_COMPLETE"})


def standing(node: Node, money: Mapping[str, int | None], warnings: list[str]) -> dict[str, Any]:
    """Read life, payment, fulfilment and hold; what a new word may mean stays untold.

    Shopify adds words with every version: ``unknown_status`` then stops the order for review.
    """
    payment_word, parcel_word = (
        _word(node, "displayFinancialStatus"),
        _word(node, "displayFulfillmentStatus"),
    )
    return_word = _word(node, "returnStatus")
    known = (
        payment_word in {"", "VOIDED"} or payment_word in _PAYMENTS,
        not parcel_word or parcel_word in _PARCELS,
        not return_word or return_word in _RETURNS,
    )
    if not all(known):
        warnings.append("unknown_status")
    cancelled = bool(node.get("cancelledAt")) or payment_word == "VOIDED"
    found = {
        "life": Life.CANCELLED if cancelled else Life.OPEN,
        "payment": _payment(payment_word, money),
        "fulfilment": _fulfilment(node, parcel_word, return_word),
        "hub_hold": parcel_word == "ON_HOLD",
    }
    return {name: value for name, value in found.items() if value is not None}


def _word(node: Node, name: str) -> str:
    return str(node.get(name) or "")


def _payment(word: str, money: Mapping[str, int | None]) -> Payment | None:
    payment = _PAYMENTS.get(word)
    refunded, total = money.get("refunded") or 0, money.get("total")
    if refunded > 0 and payment is not Payment.REFUNDED:
        return Payment.REFUNDED if total and refunded >= total else Payment.REFUNDED_PART
    return payment


def _fulfilment(node: Node, word: str, returned: str) -> Fulfilment | None:
    if returned in _CAME_BACK and _nothing_left(node):
        return Fulfilment.RETURNED
    parcel = _PARCELS.get(word)
    if parcel is Fulfilment.SHIPPED and _all_delivered(node):
        return Fulfilment.DELIVERED
    return parcel


def _nothing_left(node: Node) -> bool:
    lines = _nodes(node.get("lineItems"))
    return bool(lines) and all(line.get("currentQuantity") == 0 for line in lines)


def _nodes(connection: Any) -> list[Node]:
    nodes = connection.get("nodes") if isinstance(connection, Mapping) else None
    return [one for one in nodes if isinstance(one, Mapping)] if isinstance(nodes, list) else []


def _sent(node: Node) -> list[Node]:
    told = node.get("fulfillments")
    parts = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    return [one for one in parts if one.get("status") == "SUCCESS"]


def _all_delivered(node: Node) -> bool:
    sent = _sent(node)
    return bool(sent) and all(
        one.get("deliveredAt") or one.get("displayStatus") == "DELIVERED" for one in sent
    )


def parcels(node: Node) -> dict[str, Any]:
    """When the first parcel left and the last one came, and the first parcel number."""
    sent = _sent(node)
    if not sent:
        return {}
    found: dict[str, Any] = {}
    left = sorted(filter(None, (_moment(one.get("createdAt")) for one in sent)))
    came = sorted(filter(None, (_moment(one.get("deliveredAt")) for one in sent)))
    if left:
        found["shipped_at"] = left[0]
    if came and _all_delivered(node):
        found["delivered_at"] = came[-1]
    told = [one for part in sent for one in part.get("trackingInfo") or () if one.get("number")]
    if told:
        found["carrier"] = people.text(told[0].get("company"))
        found["tracking_number"] = people.text(told[0].get("number"))
    return found


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found and found.tzinfo else None
