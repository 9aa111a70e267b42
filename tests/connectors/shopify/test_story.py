"""Whatever happens while a Shopify shop is read, its store ends as a clean read's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from connectors.contract import Connector
from tests.connectors.live_story import Step, steps, tell
from tests.connectors.shopify.harness import opened
from tests.connectors.shopify.stub import ShopifyShop, instant, money, order

ORDERS = 9
_VERSIONS: tuple[dict[str, Any], ...] = (
    {"displayFinancialStatus": "PENDING"},
    {"displayFinancialStatus": "PAID"},
    {"displayFulfillmentStatus": "FULFILLED"},
    {"displayFinancialStatus": "PARTIALLY_REFUNDED", "totalRefundedSet": money("500.0")},
)
"""What each event adds to an order: every version holds those before it."""


class Source:
    """Two orders a page, so that most stories walk through several."""

    def __init__(self) -> None:
        self.shop = ShopifyShop()
        self.shop.restore = 1000.0
        self.loopback = self.shop.loopback
        self._steps: dict[int, int] = {}

    def happen(self, event: int, now: datetime) -> None:
        step = self._steps[event] = min(self._steps.get(event, 0) + 1, len(_VERSIONS))
        changes: dict[str, Any] = {}
        for version in _VERSIONS[:step]:
            changes |= version
        self.shop.put(order(event + 1, instant(now), **changes))

    def open(self) -> Connector:
        return opened(self.shop, page_size=2)


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=steps(ORDERS, 1))
def test_any_story_ends_as_a_clean_read(engine: sa.Engine, story: list[Step]) -> None:
    tell(engine, Source(), story)
