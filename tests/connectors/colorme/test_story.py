"""Whatever happens between polls at Color Me Shop, the ledger ends as the shop tells."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine

from connectors.contract import Connector
from connectors.kit.secrets import MemoryVault
from tests.connectors.colorme.harness import opened, vault
from tests.connectors.colorme.stub import (
    BANK,
    ColorMeShop,
    cancelled,
    customer,
    detail,
    parcel,
    sale,
    seconds,
)
from tests.connectors.harness import NOW
from tests.connectors.live_story import Step, steps, tell

AGES = (timedelta(hours=2), timedelta(days=2), timedelta(days=30), timedelta(days=300))


class ColorMeSource:
    """A shop with young and old sales; events change a sale, or who bought it."""

    EVENTS = 9

    def __init__(self) -> None:
        self._shop = ColorMeShop(*(sale(n, NOW - age) for n, age in enumerate(AGES, 1)))
        self._shop.now = lambda: NOW
        self.loopback = self._shop.loopback
        self._serial = 100
        self._keys: MemoryVault = vault()

    def open(self) -> Connector:
        return opened(self._shop, self._keys, page_size=3)

    def happen(self, event: int, now: datetime) -> None:
        numbers = sorted(self._shop.sales)
        number = numbers[(event * 7 + now.minute) % len(numbers)]
        shipped = parcel(number, delivered=True, slip_number="4000")
        changes: dict[int, dict[str, Any]] = {
            1: {"paid": False, "payment_id": BANK},
            2: {"delivered": True, "sale_deliveries": [shipped]},
            3: {"delivered_mail_sent_date": seconds(now), "delivered": True},
            4: cancelled(self._shop.sales[number]),
            5: {"other_discount": 110, "total_price": 2700},
            6: {"details": [detail(number), detail(number + 1, product_num=1)]},
        }
        if event == 0:
            self._serial += 1
            self._shop.place(sale(self._serial, now))
        elif event == 7:  # the sale's own time of change stands still
            quiet = customer(receive_mail_magazine=now.minute % 2 == 0)
            self._shop.sales[number]["customer"] = quiet
        elif event == 8:
            other = numbers[now.minute % len(numbers)]
            self._shop.after_list.append(lambda: self._shop.change(other, now))
        elif not self._shop.sales[number]["canceled"]:
            self._shop.change(number, now, **changes[event])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps(ColorMeSource.EVENTS, 3))
def test_any_interleaving_ends_as_a_clean_read(engine: Engine, story: list[Step]) -> None:
    tell(engine, ColorMeSource(), story)
