"""Whatever happens between polls at Color Me Shop, the ledger ends as the shop tells."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, select

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
from tests.connectors.live_story import CTX, Step, steps, tell
from tests.factories import make_channel
from worker.pipeline.pull import run_stream
from worker.store.engine import writing
from worker.store.orders import OrderRow

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


def test_a_cancel_keeps_what_was_sold_and_one_never_seen_open_is_taken_too(
    engine: Engine,
) -> None:
    shop = ColorMeShop(sale(1, NOW - timedelta(hours=2)), sale(2, NOW - timedelta(hours=1)))
    shop.change(2, NOW - timedelta(minutes=30), **cancelled(shop.sales[2]))
    with writing(engine) as session:
        channel = make_channel(session, "own:cancels").name

    def read(now: datetime) -> list[tuple[str, str, int | None]]:
        run_stream(lambda: writing(engine), CTX, channel, opened(shop), "orders", now)
        with writing(engine) as session:
            rows = session.scalars(select(OrderRow).order_by(OrderRow.external_id))
            return [(row.external_id, row.life, row.total) for row in rows]

    try:
        assert read(NOW) == [("1", "open", 2710), ("2", "cancelled", None)]
        shop.change(1, NOW + timedelta(minutes=1), **cancelled(shop.sales[1]))
        later = NOW + timedelta(minutes=10)
        assert read(later) == [("1", "cancelled", 2710), ("2", "cancelled", None)]
    finally:
        shop.loopback.stop()
