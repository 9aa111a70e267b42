"""Whatever happens while a WooCommerce shop is read, its store ends as a clean read's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from connectors.contract import Connector
from tests.connectors.live_story import Step, Story, steps
from tests.connectors.loopback import Answered, told, web_page
from tests.connectors.woocommerce.harness import opened
from tests.connectors.woocommerce.stub import WooShop, row

_FAULTS = (
    web_page(503),
    web_page(200),
    Answered(200, b'[{"id": 1, "meta_data": []}]', cut=9),
    told([], x_wp_total="5"),
)


class WooWorld:
    """Two orders a page, so that most stories walk through several."""

    stream = "orders"

    def __init__(self, shop: WooShop) -> None:
        self.shop = shop
        shop.orders.clear()

    def change(self, number: int, version: int, at: datetime) -> None:
        stamp = at.replace(tzinfo=None).isoformat()
        changes: dict[str, Any] = {
            "status": ("pending", "processing", "completed")[min(version, 2)]
        }
        if version:
            changes["date_paid_gmt"] = "2026-11-01T00:00:00"
        if version > 1:
            changes["date_completed_gmt"] = "2026-11-01T00:00:00"
        if version > 2:
            changes["refunds"] = [{"id": 1, "total": "-500"}]
        self.shop.put(row(number, stamp, **changes))

    def fail(self, kind: int) -> None:
        self.shop.loopback.faults.append(_FAULTS[kind % len(_FAULTS)])

    def calm(self) -> None:
        self.shop.loopback.faults.clear()

    def open(self) -> Connector:
        return opened(self.shop, page_size=2)


@pytest.mark.parametrize("sorts_by_modified", [True, False])
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(told=steps)
def test_any_story_ends_as_a_clean_read(
    engine: sa.Engine, shop: WooShop, sorts_by_modified: bool, told: list[Step]
) -> None:
    shop.sorts_by_modified = sorts_by_modified
    mixed, clean = Story(engine, WooWorld(shop)).play(told)
    assert mixed == clean


@pytest.fixture
def shop() -> WooShop:
    return WooShop()
