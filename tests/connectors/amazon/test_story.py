"""Whatever happens between polls at Amazon, and whatever breaks, the ledger ends as it tells."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.amazon.connector import Amazon
from connectors.amazon.service import LANE
from connectors.contract import Connector, Page, Watermark
from connectors.kit.pace import LocalPace
from tests.connectors.amazon.harness import config, vault
from tests.connectors.amazon.stub import AmazonStore, item, order, package, yen
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell


class Watched(Amazon):
    """Tells the pretend Amazon what time it is."""

    store: AmazonStore

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        self.store.now = now
        return super().pull(stream, watermark, cursor, now)


class AmazonSource:
    """A store of two orders a page; each event changes one, brings one, or ends a token."""

    EVENTS = 8

    def __init__(self) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))
        self._store = AmazonStore(*(order(n, NOW - age) for n, age in enumerate(ages)))
        self.loopback = self._store.loopback
        self._serial = 100
        self._keys = vault()

    def open(self) -> Connector:
        pace = LocalPace({LANE: (1e6, 1e6)})
        one = Watched(config(self._store, page_size=2), vault=self._keys, pace=pace)
        one.store = self._store
        return one

    def happen(self, event: int, now: datetime) -> None:
        names = sorted(self._store.orders)
        name = names[(event * 7 + now.minute) % len(names)]
        changes: dict[int, dict[str, Any]] = {
            1: {"fulfillment": {"fulfillmentStatus": "SHIPPED"}},
            2: {"fulfillment": {"fulfillmentStatus": "CANCELLED"}},
            3: {"orderItems": [item(quantityOrdered=now.minute + 1)]},
            4: {"packages": [package("DELIVERED", now)]},
            5: {"payment": {}, "proceeds": {"grandTotal": yen(3000 + now.minute)}},
        }
        if event == 0:
            self._serial += 1
            self._store.put(order(self._serial, now))
        elif event == 6:
            self._store.access_tokens = []
        elif event == 7:
            self._store.oldest_token = self._store.pages
        else:
            self._store.change(name, now, **changes[event])


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(AmazonSource.EVENTS, 1))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, AmazonSource(), story)
