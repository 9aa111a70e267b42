"""Between the contract's order and the rows of the ledger: names, values, hashes, snapshots."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from connectors.contract import Order
from worker.rules.freshness import STATES

_STATE_FIRST = {name: steps[0] for name, steps in STATES.items()}

ORDER_FIELDS: tuple[str, ...] = (
    *("number", "ordered_at", "currency", "time_unknown", "life", "payment", "fulfilment"),
    *("payment_method", "payment_kind", "paid_at", "shipped_at", "delivered_at", "cancelled_at"),
    *("subtotal", "shipping", "fee", "discount", "points", "tax", "total", "refunded"),
    *("coupon_code", "carrier", "tracking_number", "delivery_date", "delivery_band", "gift"),
    *("subscription_number", "delivery_count", "hub_status", "hub_hold", "replaces", "store"),
    *("platform_order_count", "warnings", "marketing_consent", "consent_at"),
)
"""Fields of an order that have the same name in the contract and in the table."""

BUYER_FIELDS: tuple[str, ...] = (
    *("member_id", "email", "email_is_relay", "name", "family_name", "given_name", "kana"),
    *("phone", "postal_code", "address", "birthday", "locale"),
)
RECIPIENT_FIELDS: tuple[str, ...] = ("name", "kana", "phone", "postal_code", "address")
WORDS_FIELDS: tuple[str, ...] = ("buyer_comment", "gift_wrap", "note")

CONTACT_COLUMNS: Mapping[str, str] = {
    **{f"buyer.{name}": name for name in BUYER_FIELDS},
    **{f"recipient.{name}": f"recipient_{name}" for name in RECIPIENT_FIELDS},
    **{name: name for name in WORDS_FIELDS},
}
"""Field of the contract to the column of order_contacts that holds it."""

_ALWAYS = frozenset({"number", "ordered_at", "currency", "time_unknown", "warnings"})
_PRESENT: dict[frozenset[str], frozenset[str]] = {}

# Read by one call each: this runs for every record that ever comes in.
_order_values = attrgetter(*ORDER_FIELDS)
_buyer_values = attrgetter(*BUYER_FIELDS)
_BUYER_NAMES = tuple(f"buyer.{name}" for name in BUYER_FIELDS)
_RECIPIENT_NAMES = tuple(f"recipient.{name}" for name in RECIPIENT_FIELDS)

_WHO = frozenset(f"buyer.{name}" for name in BUYER_FIELDS)
WHO_FIELDS = _WHO | {"marketing_consent", "consent_at", "platform_order_count", "ordered_at"}
"""A change of one of these asks who the customer is again."""


def flat(order: Order) -> dict[str, Any]:
    """All fields of an order by their names in ``present``, states never None."""
    values: dict[str, Any] = dict(zip(ORDER_FIELDS, _order_values(order), strict=True))
    for name in STATES:
        values[name] = values[name].value if values[name] else _STATE_FIRST[name]
    values["payment_kind"] = order.payment_kind.value
    values["gift"] = bool(order.gift)
    values["hub_hold"] = bool(order.hub_hold)
    values["warnings"] = list(order.warnings)
    return values | _person_values(order)


def _person_values(order: Order) -> dict[str, Any]:
    values: dict[str, Any] = dict(zip(_BUYER_NAMES, _buyer_values(order.buyer), strict=True))
    for name, full in zip(RECIPIENT_FIELDS, _RECIPIENT_NAMES, strict=True):
        values[full] = getattr(order.recipient, name, None)
    for name in WORDS_FIELDS:
        values[name] = getattr(order, name)
    values["lines"] = [
        [line.sku, line.name, line.quantity, line.unit_price, line.amount] for line in order.lines
    ]
    return values


def told_names(order: Order) -> frozenset[str]:
    """Names the record speaks of; a state that came as None was not understood and is not told."""
    names = _PRESENT.get(order.present)
    if names is None:
        # One profile or connector has one or few sets: remembered, because this is asked often.
        if len(_PRESENT) > 1000:
            _PRESENT.clear()
        names = _PRESENT[order.present] = _spelled_out(order.present)
    mute = {name for name in STATES if getattr(order, name) is None}
    return names - mute if mute else names


def _spelled_out(present: frozenset[str]) -> frozenset[str]:
    names = set(present) | _ALWAYS
    if "buyer" in names:
        names |= _WHO
    if "recipient" in names:
        names |= {f"recipient.{name}" for name in RECIPIENT_FIELDS}
    if "buyer.email" in names:
        names.add("buyer.email_is_relay")
    if "payment_method" in names:
        names.add("payment_kind")
    return frozenset(names & (set(ORDER_FIELDS) | set(CONTACT_COLUMNS) | {"lines"}))


def content_hash(order: Order, values: Mapping[str, Any], names: frozenset[str]) -> str:
    """Hash of everything the record told, its own time of change included."""
    told = [values[name] if name in names else 0 for name in values]
    told.append(order.updated_at)
    return hashlib.sha256(json.dumps(told, default=_plain, ensure_ascii=False).encode()).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in an order")


def contact_row(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of order_contacts from flat values."""
    row = {column: values[name] for name, column in CONTACT_COLUMNS.items()}
    row["email_is_relay"] = bool(row["email_is_relay"])
    return row


def line_rows(order_id: int, lines: list[list[Any]]) -> list[dict[str, Any]]:
    """Rows of order_lines, in the source's order from position 1."""
    names = ("sku", "name", "quantity", "unit_price", "amount")
    return [
        {"order_id": order_id, "position": place} | dict(zip(names, line, strict=True))
        for place, line in enumerate(lines, 1)
    ]


def plain_snapshot(values: Mapping[str, Any]) -> dict[str, Any]:
    """Make values fit for JSON: instants and days become ISO text."""
    return {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in values.items()
    }


_INSTANTS = frozenset({"ordered_at", "paid_at", "shipped_at", "delivered_at", "cancelled_at"})
INSTANT_NAMES = _INSTANTS | {"consent_at", "source_updated_at"}
DAY_NAMES = frozenset({"delivery_date", "birthday", "buyer.birthday", "ordered_on"})


def from_snapshot(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Read back what ``plain_snapshot`` wrote."""
    values = dict(snapshot)
    for name, value in snapshot.items():
        if value is None:
            continue
        if name in INSTANT_NAMES:
            values[name] = datetime.fromisoformat(value)
        elif name in DAY_NAMES:
            values[name] = date.fromisoformat(value)
    return values
