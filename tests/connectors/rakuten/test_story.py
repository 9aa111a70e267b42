"""Whatever happens between polls at Rakuten, and whatever breaks, the ledger ends as RMS tells."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell
from tests.connectors.rakuten.harness import opened
from tests.connectors.rakuten.stub import Rms, order


class RakutenSource:
    """A shop with young and old orders; each event moves one of them a step."""

    EVENTS = 8

    def __init__(self) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))
        self._rms = Rms(
            NOW, *(order(n, NOW - age, orderProgress=300) for n, age in enumerate(ages))
        )
        self.loopback = self._rms.loopback
        self._serial = 100

    def open(self) -> Connector:
        return opened(self._rms)

    def happen(self, event: int, now: datetime) -> None:
        self._rms.now = now
        names = sorted(self._rms.orders)
        name = names[(event * 7 + now.minute) % len(names)]
        progress = self._rms.orders[name]["orderProgress"]
        if event in {0, 1}:
            self._serial += 1
            self._rms.place(order(self._serial, now, orderProgress=100 if event else 300))
        elif event == 2 and progress in {100, 300}:
            self._rms.ship(name, now)
        elif event == 3 and progress == 500:
            self._rms.settle(name, now)
        elif event == 4 and progress in {100, 300, 500}:
            self._rms.cancel(name, now, fixed=False)
        elif event == 5 and progress == 800 and not self._shipped(name):
            self._rms.withdraw(name, now)
        elif event == 6 and progress in {300, 500, 700, 800}:
            self._rms.cancel(name, now, detail=2)
        elif event == 7 and progress < 700:
            self._rms.change(name, memo=f"{now:%H:%M} の変更", requestPrice=4000 + now.minute)

    def _shipped(self, name: str) -> bool:
        return bool(self._rms.orders[name]["shippingCmplRptDatetime"])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(RakutenSource.EVENTS, 7))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, RakutenSource(), story)
