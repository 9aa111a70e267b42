"""Whatever happens while a Shopify shop is read, its store ends as a clean read's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from connectors.contract import Connector
from tests.connectors.live_story import Step, Story, steps
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.shopify.harness import opened
from tests.connectors.shopify.stub import ShopifyShop, instant, money, order

_BUSY = [{"message": "busy", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]
_FAULTS = (
    web_page(502),
    Answered(200, b'{"data": {"shop": {}}}', cut=4),
    told({"errors": _BUSY, "data": None}),
    Answered(429, b"", {}),
)


class ShopifyWorld:
    """Two orders a page, so that most stories walk through several."""

    stream = "orders"

    def __init__(self, shop: ShopifyShop) -> None:
        self.shop = shop
        shop.orders.clear()

    def change(self, number: int, version: int, at: datetime) -> None:
        changes: dict[str, Any] = {"displayFinancialStatus": "PENDING" if version == 0 else "PAID"}
        if version > 1:
            changes["displayFulfillmentStatus"] = "FULFILLED"
        if version > 2:
            changes |= {
                "totalRefundedSet": money("500.0"),
                "displayFinancialStatus": "PARTIALLY_REFUNDED",
            }
        self.shop.points = 1000.0
        self.shop.put(order(number, instant(at), **changes))

    def fail(self, kind: int) -> None:
        self.shop.loopback.faults.append(_FAULTS[kind % len(_FAULTS)])

    def calm(self) -> None:
        self.shop.loopback.faults.clear()

    def open(self) -> Connector:
        self.shop.points = 1000.0
        return opened(self.shop, page_size=2)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=steps)
def test_any_story_ends_as_a_clean_read(
    engine: sa.Engine, shop: ShopifyShop, told: list[Step]
) -> None:
    mixed, clean = Story(engine, ShopifyWorld(shop)).play(told)
    assert mixed == clean


@pytest.fixture
def shop() -> ShopifyShop:
    return ShopifyShop()
