"""Which fields of an Amazon order are kept; all others are gone before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Spec = Mapping[str, "Spec | None"]
"""Field to the fields below it, or None where a plain value stands."""

_MONEY: Spec = {"amount": None, "currencyCode": None}
_WINDOW: Spec = {"earliestDateTime": None, "latestDateTime": None}
_BREAKDOWN: Spec = {"type": None, "status": None, "subtotal": _MONEY}
_ITEM: Spec = {
    "orderItemId": None,
    "quantityOrdered": None,
    "programs": None,
    "product": {"asin": None, "title": None, "sellerSku": None, "price": {"unitPrice": _MONEY}},
    "proceeds": {"proceedsTotal": _MONEY, "breakdowns": _BREAKDOWN},
    "cancellation": {"cancellationExecution": {"cancelledBy": None}},
    "fulfillment": {
        "quantityFulfilled": None,
        "quantityUnfulfilled": None,
        "packing": {"giftOption": {"giftWrapLevel": None}},
    },
}
_ORDER: Spec = {
    "orderId": None,
    "createdTime": None,
    "lastUpdatedTime": None,
    "programs": None,
    "associatedOrders": {"orderId": None, "associationType": None},
    "salesChannel": {"channelName": None, "marketplaceId": None, "marketplaceName": None},
    "proceeds": {"grandTotal": _MONEY, "breakdowns": _BREAKDOWN},
    "payment": {"paymentExecutions": {"paymentMethod": None, "paymentAmount": _MONEY}},
    "fulfillment": {
        "fulfillmentStatus": None,
        "fulfilledBy": None,
        "fulfillmentServiceLevel": None,
        "shipByWindow": _WINDOW,
        "deliverByWindow": _WINDOW,
    },
    "orderItems": _ITEM,
    "packages": {
        "packageReferenceId": None,
        "packageStatus": {"status": None, "detailedStatus": None},
        "shipTime": None,
    },
}
"""An allow-list: what Amazon adds tomorrow is not kept. Nobody is named by any of these: no
buyer, no recipient, no tax registration, gift message, customisation or tracking number."""


def kept(record: Any) -> dict[str, Any]:
    """The order without everything that could name a person; empty where it is no object."""
    return _kept(record, _ORDER) if isinstance(record, Mapping) else {}


def _kept(node: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    return {name: _value(node[name], below) for name, below in spec.items() if name in node}


def _value(value: Any, below: Spec | None) -> Any:
    if isinstance(value, list):
        return [_value(one, below) for one in value]
    if below is None:
        return None if isinstance(value, Mapping) else value
    return _kept(value, below) if isinstance(value, Mapping) else None
