"""Whatever happens while a WooCommerce shop is read, its store ends as a clean read's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from connectors.contract import Connector
from tests.connectors.live_story import Step, steps, tell
from tests.connectors.woocommerce.harness import opened
from tests.connectors.woocommerce.stub import WooShop, row

ORDERS = 9
_VERSIONS: tuple[dict[str, Any], ...] = (
    {"status": "pending"},
    {"status": "processing", "date_paid_gmt": "2026-11-01T00:00:00"},
    {"status": "completed", "date_completed_gmt": "2026-11-02T00:00:00"},
    {"refunds": [{"id": 1, "total": "-500"}]},
)
"""What each event adds to an order: every version holds those before it."""


class Source:
    """Two orders a page, so that most stories walk through several."""

    def __init__(self, *, sorts_by_modified: bool) -> None:
        self.shop = WooShop()
        self.shop.sorts_by_modified = sorts_by_modified
        self.loopback = self.shop.loopback
        self._steps: dict[int, int] = {}

    def happen(self, event: int, now: datetime) -> None:
        step = self._steps[event] = min(self._steps.get(event, 0) + 1, len(_VERSIONS))
        changes: dict[str, Any] = {}
        for version in _VERSIONS[:step]:
            changes |= version
        self.shop.put(row(event + 1, now.replace(tzinfo=None).isoformat(), **changes))

    def open(self) -> Connector:
        return opened(self.shop, page_size=2, since="2026-11-19T00:00:00+00:00")


@pytest.mark.parametrize("sorts_by_modified", [True, False])
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(story=steps(ORDERS, 2))
def test_any_story_ends_as_a_clean_read(
    engine: sa.Engine, sorts_by_modified: bool, story: list[Step]
) -> None:
    tell(engine, Source(sorts_by_modified=sorts_by_modified), story)
