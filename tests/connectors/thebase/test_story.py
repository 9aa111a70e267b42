"""Whatever happens between polls at BASE, and whatever breaks, the ledger ends as it tells."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from connectors.kit.secrets import MemoryVault
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell
from tests.connectors.thebase.harness import opened, vault
from tests.connectors.thebase.stub import BaseShop, item, order, seconds


class BaseSource:
    """A shop with young and old orders; each event changes one of them, or ends the token."""

    EVENTS = 8

    def __init__(self) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))
        self._shop = BaseShop(*(order(n, NOW - age) for n, age in enumerate(ages, 1)))
        self.loopback = self._shop.loopback
        self._serial = 100
        self._keys: MemoryVault = vault()

    def open(self) -> Connector:
        return opened(self._shop, self._keys, page_size=3)

    def happen(self, event: int, now: datetime) -> None:
        names = sorted(self._shop.orders)
        name = names[(event * 7 + now.minute) % len(names)]
        changes: dict[int, dict[str, Any]] = {
            1: {"dispatch_status": "unpaid", "payment": "base_bt"},
            2: {"dispatch_status": "dispatched", "dispatched": seconds(now)},
            3: {"dispatch_status": "cancelled", "cancelled": seconds(now)},
            4: {"dispatch_status": "ordered", "cancelled": None},
            5: {"total": 4000 + now.minute},
            6: {"order_items": [item(1, status="cancelled"), item(2, title="湯呑")]},
        }
        if event == 0:
            self._serial += 1
            self._shop.place(order(self._serial, now))
        elif event == 7:
            self._shop.access_tokens = []
        else:
            self._shop.change(name, now, **changes[event])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(BaseSource.EVENTS, 3))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, BaseSource(), story)
