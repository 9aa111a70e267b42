"""Compares two orders that two ways of reading made of one sale."""

from __future__ import annotations

from typing import Any

from connectors.contract import Line, Order


def differences(one: Order, other: Order) -> dict[str, tuple[Any, Any]]:
    """Every field that both tell and tell differently; both must tell who, what and how much."""
    both = one.present & other.present
    missing = {"number", "ordered_at", "total", "life", "buyer.email", "lines"} - both
    assert not missing, f"not told by both: {sorted(missing)}"
    pairs = {name: (_value(one, name), _value(other, name)) for name in sorted(both)}
    found = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    if one.external_id != other.external_id:
        found["external_id"] = (one.external_id, other.external_id)
    return found


def _value(order: Order, name: str) -> Any:
    owner, _, field = name.rpartition(".")
    if owner:
        return getattr(getattr(order, owner), field, None)
    value = getattr(order, name)
    return tuple(map(_line, value)) if name == "lines" else value


def _line(line: Line) -> tuple[str, str | None, int]:
    """What every file tells of a row; prices before or after a discount differ by format."""
    return line.name, line.sku, line.quantity
