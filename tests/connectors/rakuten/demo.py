"""The pretend Rakuten shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.happenings import Street
from tests.connectors.rakuten.stub import KEY, SECRET, Rms, order
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop with a little history, whose key ends in six days."""
    shop = Rms(now)
    shop.expires = now + timedelta(days=6)

    def place(serial: int, at: datetime) -> str:
        shop.now = at
        return str(shop.place(order(serial, at))["orderNumber"])

    street = Street(
        shop.loopback,
        place,
        {"発送 / shipped": shop.ship, "キャンセル / cancelled": lambda n, at: shop.cancel(n, at)},
    )
    for days in (90, 30, 4):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    shop.now = now
    return Market(
        channel="rakuten:live",
        kind="rakuten",
        settings={"base_url": shop.url},
        secrets={"service_secret": SECRET, "license_key": KEY},
        happen=street.happen,
        count=lambda: len(shop.orders),
        stop=shop.loopback.stop,
        disturb=street.disturb,
        expires={"license_key": shop.expires},
    )
