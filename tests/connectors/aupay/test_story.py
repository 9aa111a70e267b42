"""Whatever happens between polls at au PAY, and whatever breaks, the ledger ends as it tells."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from tests.connectors.aupay.harness import opened
from tests.connectors.aupay.stub import WowManager, day, order
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell

_BEFORE = ("新規受付", "発送前入金待ち", "発送待ち")


class AuPaySource:
    """A shop with young and old orders; each event moves one of them a step."""

    EVENTS = 8

    def __init__(self) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))
        self._shop = WowManager(*(order(n, NOW - age) for n, age in enumerate(ages, 1)))
        self.loopback = self._shop.loopback
        self._serial = 100

    def open(self) -> Connector:
        return opened(self._shop, page_size=3)

    def happen(self, event: int, now: datetime) -> None:
        names = sorted(self._shop.orders)
        name = names[(event * 7 + now.minute) % len(names)]
        status = self._shop.orders[name]["orderStatus"]
        if event in {0, 1}:
            self._serial += 1
            self._shop.place(order(self._serial, now))
        elif event == 2 and status in _BEFORE[:2]:
            self._shop.change(name, orderStatus="発送待ち", paymentDate=day(now))
        elif event == 3 and status in _BEFORE:
            self._shop.ship(name, now)
        elif event == 4 and status != "キャンセル":
            self._shop.cancel(name, now)
        elif event == 5 and status == "発送待ち":
            self._shop.change(name, orderStatus="保留")
        elif event == 6 and status == "保留":
            self._shop.change(name, orderStatus="発送待ち", memo="保留を解除")
        elif event == 7 and status in _BEFORE:
            self._shop.change(name, requestPrice=str(4000 + now.minute), memo=f"{now:%H:%M}")


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(AuPaySource.EVENTS, 5))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, AuPaySource(), story)
