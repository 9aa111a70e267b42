"""Rows of orders and claims to carts: what the buyer calls one order is a cart of order numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import BadRecord, RawOrder
from connectors.kit.fields import TOKYO, Fields, Unreadable
from connectors.kit.windows import Window
from connectors.qoo10.service import CLAIMS, ORDERS
from connectors.qoo10.standing import CLAIM_STATUSES, STATUSES

MARGIN = timedelta(hours=1)
"""Asked for around a window, so that no cart is cut at its edge."""

REST = "?"
"""Ends the list of each window: rows that name neither cart nor order, and where reading stands."""

_BY_ORDER_DATE = "1"
_NOTHING = frozenset({None, "0"})

Ask = Callable[[str, Mapping[str, str]], list[Any]]
Row = Mapping[str, Any]


@dataclass
class Cart:
    """The rows of one cart: those of orders by number, claims by number and status."""

    orders: dict[str, Row] = field(default_factory=dict)
    claims: dict[str, Row] = field(default_factory=dict)

    @property
    def only_claims(self) -> bool:
        """Whether nothing of the cart is on its way any more, as far as was read."""
        return not self.orders

    def placed(self) -> list[datetime]:
        """When its rows were ordered, as far as that can be read."""
        found = [_placed(row, "OrderDate") for row in self.orders.values()]
        found += [_placed(row, "orderDate") for row in self.claims.values()]
        return [moment for moment in found if moment]

    def raw(self, key: str, position: str) -> RawOrder:
        """The cart as one raw order; its rows in the order of their numbers."""
        payload = {
            "Number": key,
            "Orders": [self.orders[name] for name in sorted(self.orders)],
            "Claims": [self.claims[name] for name in sorted(self.claims)],
        }
        return RawOrder(key, payload, position)


class Snapshot:
    """The carts of a window as they were while it was read."""

    def __init__(self, ask: Ask, by: str, claims: Sequence[str] = CLAIM_STATUSES) -> None:
        self._ask, self._by, self._claims = ask, by, claims
        self.carts: dict[str, Cart] = {}
        self.nameless: list[Any] = []

    def read(self, window: Window, latest: datetime) -> None:
        """Read all rows around a window, none from after ``latest``.

        Raises NeedsPerson or TryLater.
        """
        span = Window(window.start - MARGIN, min(window.end + MARGIN, latest))
        self._read_orders(span)
        for status in self._claims:
            self._take(self._ask(CLAIMS, claims_of(status, span)), "packNo", "orderNo")
        if any(cart.only_claims for cart in self.carts.values()):
            # A claim that was withdrawn since the first reading has brought its order back;
            # without it a cart would look wholly cancelled, and that is never undone.
            self._read_orders(span)

    def within(self, window: Window) -> list[str]:
        """The carts of a window, oldest first, and REST.

        A cart without any readable date is of every window.
        """
        dated: list[tuple[datetime, str]] = []
        for key, cart in self.carts.items():
            placed = cart.placed()
            if not placed or any(window.start <= moment <= window.end for moment in placed):
                dated.append((min(placed, default=window.start), key))
        return [*(key for _, key in sorted(dated)), REST]

    def _read_orders(self, span: Window) -> None:
        """Ask for each status, forward: what moves on meanwhile is told twice, never missed."""
        for status in STATUSES:
            self._take(self._ask(ORDERS, orders_of(status, span)), "PackNo", "OrderNo")

    def _take(self, rows: Iterable[Any], pack: str, order: str) -> None:
        for row in rows:
            number, key = _named(row, order), self._key(row, pack, order)
            if key is None:
                if row not in self.nameless:
                    self.nameless.append(row)
                continue
            cart = self.carts.setdefault(key, Cart())
            number = number or json.dumps(row, sort_keys=True, ensure_ascii=False)
            if order == "OrderNo":
                cart.orders[number] = row
            else:
                cart.claims[f"{number} {_named(row, 'claimStatus')}"] = row

    def _key(self, row: Any, pack: str, order: str) -> str | None:
        names = (order,) if self._by == "order" else (pack, order)
        return next((key for name in names if (key := _named(row, name))), None)


def orders_of(status: str, span: Window) -> dict[str, str]:
    """The question for the orders of one status, by order date."""
    return {
        "ShippingStatus": status,
        "SearchStartDate": stamp(span.start),
        "SearchEndDate": stamp(span.end),
        "SearchCondition": _BY_ORDER_DATE,
    }


def claims_of(status: str, span: Window) -> dict[str, str]:
    """The question for the claims of one status, or of all where it is empty, by order date."""
    return {
        "ClaimStat": status,
        "search_Sdate": stamp(span.start),
        "search_Edate": stamp(span.end),
        "search_condition": _BY_ORDER_DATE,
    }


def stamp(moment: datetime) -> str:
    """A time as questions hold it: Japan's."""
    return f"{moment.astimezone(TOKYO):%Y%m%d%H%M%S}"


def nameless(row: Any, position: str) -> BadRecord:
    """A row that belongs to no cart."""
    return BadRecord(
        "no_order_number",
        "Qoo10 tells a row without cart number and order number.",
        position=position,
        field_name="PackNo",
        payload=row if isinstance(row, Mapping) else {"value": row},
        reason_ja="カート番号も注文番号もない注文が返されました。",
    )


def _named(row: Any, name: str) -> str | None:
    try:
        told = Fields(row).text(name)
    except Unreadable:
        return None
    return None if told in _NOTHING else told


def _placed(row: Row, name: str) -> datetime | None:
    try:
        return Fields(row).moment(name)
    except Unreadable:  # the mapping says what is wrong with it
        return None
