"""The pretend Shopify shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.happenings import Street
from tests.connectors.shopify.stub import SHOP, TOKEN, ShopifyShop, customer, instant, money, order
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop whose customers have bought before Shopify's sixty days."""
    shop = ShopifyShop()
    shop.restore = 200.0

    def place(serial: int, at: datetime) -> str:
        placed = instant(at)
        times = {"createdAt": placed, "processedAt": placed}
        person = customer(serial % 5 + 1, serial, serial // 5 + 3)
        shop.put(order(serial, placed, **times, customer=person))
        return str(serial)

    def change(number: str, at: datetime, **values: object) -> None:
        shop.put(shop.orders[number] | {"updatedAt": instant(at)} | values)

    def cancel(number: str, at: datetime) -> None:
        change(number, at, cancelledAt=instant(at), displayFinancialStatus="VOIDED")

    def refund(number: str, at: datetime) -> None:
        change(number, at, displayFinancialStatus="REFUNDED", totalRefundedSet=money("2500.0"))

    street = Street(
        shop.loopback,
        place,
        {
            "発送 / shipped": lambda n, at: change(n, at, displayFulfillmentStatus="FULFILLED"),
            "キャンセル / cancelled": cancel,
            "返金 / refunded": refund,
        },
    )
    for days in (50, 12, 3):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="own:shopify",
        kind="shopify",
        settings={"shop": SHOP, "base_url": shop.url},
        secrets={"access_token": TOKEN},
        happen=street.happen,
        count=lambda: len(shop.orders),
        stop=shop.loopback.stop,
        disturb=street.disturb,
    )
