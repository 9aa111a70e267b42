"""The pretend EC-CUBE shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.eccube4.stub import (
    CLIENT,
    REFRESH,
    SECRET,
    CubeShop,
    order,
    parcel,
    stamp,
    status,
)
from tests.connectors.happenings import Street
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop with a little history, in which somebody has just logged in."""
    shop = CubeShop()

    def place(serial: int, at: datetime) -> str:
        member = {"id": str(serial % 5 + 1), "birth": None}
        shop.place(order(serial, at, Customer=member, email=f"kuma{serial % 5 + 1}@example.jp"))
        return str(serial)

    def ship(number: str, at: datetime) -> None:
        sent = parcel(10 * int(number), at, shipping_date=stamp(at), tracking_number="4000-0001")
        shop.change(number, at, OrderStatus=status("5"), Shippings=[sent])

    def pay(number: str, at: datetime) -> None:
        shop.change(number, at, OrderStatus=status("6"), payment_date=stamp(at))

    street = Street(
        shop.loopback,
        place,
        {
            "入金 / paid": pay,
            "発送 / shipped": ship,
            "キャンセル / cancelled": lambda n, at: shop.change(n, at, OrderStatus=status("3")),
        },
    )
    street.expire = lambda: shop.access_tokens.clear()
    for days in (80, 20, 4):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="own:eccube",
        kind="eccube4",
        settings={"base_url": shop.url},
        secrets={"client_id": CLIENT, "client_secret": SECRET, "refresh_token": REFRESH},
        happen=street.happen,
        count=lambda: len(shop.orders),
        stop=shop.loopback.stop,
        disturb=street.disturb,
    )
