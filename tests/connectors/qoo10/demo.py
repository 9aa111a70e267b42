"""The pretend Qoo10 shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.happenings import Street
from tests.connectors.qoo10.stub import API_KEY, PASSWORD, USER, Qoo10Shop, cart_of, order
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop of carts with one or two order numbers; a question a second leaves time for a week."""
    shop = Qoo10Shop()

    def place(serial: int, at: datetime) -> str:
        for number in range(10 * serial, 10 * serial + 1 + serial % 2):
            shop.place(order(number, at))
        return cart_of(10 * serial)

    def numbers(cart: str) -> list[int]:
        return [number for number, row in shop.orders.items() if str(row["PackNo"]) == cart]

    def ship(cart: str, at: datetime) -> None:
        for number in numbers(cart):
            shop.move(number, 4, at)

    def cancel(cart: str, at: datetime) -> None:
        for number in numbers(cart):
            shop.claim(number, 3, at)

    street = Street(
        shop.loopback, place, {"発送 / shipped": ship, "キャンセル / cancelled": cancel}
    )
    street.expire = lambda: shop.keys.clear()
    for days in (6, 4, 1):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="qoo10:live",
        kind="qoo10",
        settings={
            "base_url": shop.url,
            "since": (now - timedelta(days=7)).isoformat(),
            "claims_at_once": "true",
        },
        secrets={"api_key": API_KEY, "user_id": USER, "password": PASSWORD},
        happen=street.happen,
        count=lambda: len({row["PackNo"] for row in shop.orders.values()}),
        stop=shop.loopback.stop,
        disturb=street.disturb,
    )
