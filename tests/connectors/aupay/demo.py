"""The pretend au PAY Market shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.aupay.stub import KEY, SHOP, WowManager, order
from tests.connectors.happenings import Street
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop with a little history, whose API key ends in ten days."""
    shop = WowManager()

    def place(serial: int, at: datetime) -> str:
        return str(shop.place(order(serial, at, orderStatus="発送待ち"))["orderId"])

    street = Street(
        shop.loopback,
        place,
        {"発送 / shipped": shop.ship, "キャンセル / cancelled": shop.cancel},
    )
    for days in (80, 20, 3):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="aupay:live",
        kind="aupay",
        settings={"base_url": shop.url},
        secrets={"api_key": KEY, "shop_id": SHOP},
        happen=street.happen,
        count=lambda: len(shop.orders),
        stop=shop.loopback.stop,
        disturb=street.disturb,
        expires={"api_key": now + timedelta(days=10)},
    )
