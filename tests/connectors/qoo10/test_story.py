"""Whatever happens between polls at Qoo10, and whatever breaks, the ledger ends as it tells."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from connectors.kit.secrets import MemoryVault
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell
from tests.connectors.qoo10.harness import opened, vault
from tests.connectors.qoo10.stub import KEY, Qoo10Shop, order


class Qoo10Source:
    """A shop with young and old carts; each event moves an order number on, or ends the key."""

    EVENTS = 8

    def __init__(self) -> None:
        ages = (timedelta(hours=2), timedelta(days=2), timedelta(days=29), timedelta(days=60))
        self._shop = Qoo10Shop(*(order(10 * n, NOW - age) for n, age in enumerate(ages, 1)))
        self._shop.place(order(21, NOW - ages[1]))
        self.loopback = self._shop.loopback
        self._serial = 100
        self._keys: MemoryVault = vault()

    def open(self) -> Connector:
        return opened(self._shop, self._keys, window_days=30)

    def happen(self, event: int, now: datetime) -> None:
        numbers = sorted(self._shop.orders)
        number = numbers[(event * 7 + now.minute) % len(numbers)]
        status, claimed = self._shop.status(number), self._shop.claims.get(number)
        if event == 0:
            self._serial += 10
            for serial in range(self._serial, self._serial + 1 + now.minute % 2):
                self._shop.place(order(serial, now, status=1 + now.minute % 3))
        elif event == 7:
            self._shop.keys = ["S5bnbfynQvO_g_1_other"] if self._shop.keys == [KEY] else [KEY]
        elif event == 6 and claimed and claimed["claimStatus"] in {"1", "4"}:
            self._shop.withdraw(number)
        elif event in {3, 4, 5} and not (claimed and claimed["cancelRefundDate"]):
            kinds = {3: (1, 4), 4: (3, 6), 5: (2, 15)}[event]  # a cancel, or once sent a return
            told = {"nrPartRefundBalance": 500.0} if kinds[status > 3] == 15 else {}
            self._shop.claim(number, kinds[status > 3], now, **told)
        elif event in {1, 2} and not claimed and status < 5:
            self._shop.move(number, status + 1, now)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(Qoo10Source.EVENTS, 3))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, Qoo10Source(), story)
