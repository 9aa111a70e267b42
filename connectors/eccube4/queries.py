"""Every GraphQL operation this connector sends; tests check each against the fields it may ask."""

from __future__ import annotations

from collections.abc import Mapping

_ORDER = """
  id order_no message name01 name02 kana01 kana02 email phone_number postal_code addr01 addr02
  birth subtotal discount delivery_fee_total charge tax payment_total payment_method note
  currency_code order_date payment_date update_date
  OrderStatus { id name }
  Pref { name }
  Customer { id birth }
  Payment { method }
  OrderItems { id product_name product_code price quantity OrderItemType { id } }
  Shippings {
    id name01 name02 kana01 kana02 phone_number postal_code addr01 addr02 Pref { name }
    shipping_delivery_name shipping_delivery_date shipping_delivery_time
    shipping_date tracking_number update_date
  }
"""
_SHORT = "id order_date payment_total currency_code OrderStatus { id }"


def _listing(name: str, field: str, scalar: str, fields: str) -> str:
    """A list of orders whose ``field`` is from ``$from`` on and before ``$until``.

    A search by day takes in the whole of the day ``$until``.
    """
    return f"""
query {name}($page: Int!, $limit: Int!, $from: {scalar}!, $until: {scalar}!) {{
  orders(page: $page, limit: $limit, {field}_start: $from, {field}_end: $until) {{
    totalCount
    nodes {{ {fields} }}
  }}
}}
"""


CHANGED = _listing("ChangedOrders", "update_datetime", "DateTime", _ORDER)
PLACED = _listing("PlacedOrders", "order_datetime", "DateTime", _ORDER)
TOTALS = _listing("OrderTotals", "order_datetime", "DateTime", _SHORT)

CHANGED_BY_DAY = _listing("ChangedOrdersByDay", "update_date", "String", _ORDER)
PLACED_BY_DAY = _listing("PlacedOrdersByDay", "order_date", "String", _ORDER)
TOTALS_BY_DAY = _listing("OrderTotalsByDay", "order_date", "String", _SHORT)

BY_DAY: Mapping[str, str] = {
    CHANGED: CHANGED_BY_DAY,
    PLACED: PLACED_BY_DAY,
    TOTALS: TOTALS_BY_DAY,
}
"""What EC-CUBE 4.0 must be asked in place of each."""

CLOCK = "query ShopClock { __typename }"
"""Costs the shop's database nothing, and its answer tells the shop's time."""
