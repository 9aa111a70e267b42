"""Whatever happens between polls at EC-CUBE, and whatever breaks, the ledger ends as it tells."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from connectors.kit.secrets import MemoryVault
from tests.connectors.eccube4.harness import opened, vault
from tests.connectors.eccube4.stub import CubeShop, item, order, parcel, stamp, status
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell


class CubeSource:
    """A shop with young and old orders; each event changes one of them, or ends the token."""

    EVENTS = 10

    def __init__(self, *, by_instant: bool) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))
        placed = [order(n, NOW - age) for n, age in enumerate(ages, 1)]
        self._shop = CubeShop(*placed, by_instant=by_instant)
        self.loopback = self._shop.loopback
        self._serial = 100
        self._keys: MemoryVault = vault()

    def open(self) -> Connector:
        search_by = "datetime" if self._shop.by_instant else "date"
        return opened(self._shop, self._keys, page_size=3, search_by=search_by)

    def happen(self, event: int, now: datetime) -> None:
        names = sorted(self._shop.orders)
        name = names[(event * 7 + now.minute) % len(names)]
        two = [parcel(1, now, shipping_date=stamp(now)), parcel(2, now)]
        changes: dict[int, dict[str, Any]] = {
            1: {"OrderStatus": status("6"), "payment_date": stamp(now)},
            2: {"OrderStatus": status("5")},
            3: {"OrderStatus": status("3")},
            4: {"OrderStatus": status("4"), "payment_date": None},
            5: {"payment_total": 4000 + now.minute},
            6: {"OrderItems": [item(1), item(2, product_name="湯呑")]},
            7: {"Shippings": two},
        }
        if event == 0:
            self._serial += 1
            self._shop.place(order(self._serial, now))
        elif event == 8:
            self._shop.access_tokens = []
        elif event == 9:  # of a young order: a parcel's number does not move the order's time
            self._shop.send("1", now, tracking_number=f"4000-{now.minute:02}")
        else:
            self._shop.change(name, now, **changes[event])


@pytest.mark.parametrize("by_instant", [True, False])
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(CubeSource.EVENTS, 2))
def test_any_interleaving_ends_as_a_clean_read(
    engine: Engine, by_instant: bool, story: list[Step]
) -> None:
    tell(engine, CubeSource(by_instant=by_instant), story)
