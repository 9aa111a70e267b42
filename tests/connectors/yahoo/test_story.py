"""Whatever happens between polls at Yahoo!, and whatever breaks, the ledger ends as it tells."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from connectors.kit.secrets import MemoryVault
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell
from tests.connectors.yahoo.harness import opened, vault
from tests.connectors.yahoo.stub import SELLER, YahooStore, order


class YahooSource:
    """A store with young and old orders; each event changes one of them, or ends the token."""

    EVENTS = 8

    def __init__(self) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))
        self._store = YahooStore(*(order(n, NOW - age) for n, age in enumerate(ages)))
        self.loopback = self._store.loopback
        self._serial = 100
        self._keys: MemoryVault = vault()

    def open(self) -> Connector:
        return opened(self._store, self._keys)

    def happen(self, event: int, now: datetime) -> None:
        names = sorted(self._store.orders)
        name = names[(event * 7 + now.minute) % len(names)]
        changes = {
            1: {"PayStatus": "1", "PayDate": "2026-11-20"},
            2: {"ShipStatus": "3", "ShipDate": "2026-11-20", "ShipInvoiceNumber1": "4000"},
            3: {"OrderStatus": "4", "CancelReason": "100"},
            4: {"OrderStatus": "2", "CancelReason": ""},
            5: {"OrderStatus": "3", "TotalPrice": str(4000 + now.minute)},
            6: {"OrderStatus": "4", "CancelReason": "110", "ShipStatus": "4"},
        }
        if event == 0:
            self._serial += 1
            self._store.place(order(self._serial, now))
        elif event == 7:
            self._store.access_tokens = []
        else:
            self._store.change(f"{SELLER}-{name.rpartition('-')[2]}", now, **changes[event])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(YahooSource.EVENTS, 3))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, YahooSource(), story)
