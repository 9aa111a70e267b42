"""The pretend Amazon store of the live demonstration: orders are counted, nobody is known."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.amazon.stub import CLIENT, REFRESH, SECRET, AmazonStore, order, package
from tests.connectors.happenings import Street
from tests.connectors.loopback import Answered, Asked
from worker.demo.markets import Market

_SETTLES = timedelta(minutes=2)
"""How old an order must be before Amazon tells it; too long for a demonstration."""

_RATE = "2.0"
"""Searches per second that the store allows; Amazon's own three minutes are too long as well."""


def market(now: datetime) -> Market:
    """A store with a little history, whose client secret ends in a month."""
    store = AmazonStore()
    store.rate = _RATE

    def answer(asked: Asked) -> Answered:
        store.now = street.clock() + _SETTLES
        return store.answer(asked)

    store.loopback.handle = answer

    def place(serial: int, at: datetime) -> str:
        one = order(serial, at)
        store.put(one)
        return str(one["orderId"])

    def ship(number: str, at: datetime) -> None:
        shipped = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"}
        store.change(number, at, fulfillment=shipped, packages=[package("SHIPPED", at)])

    def cancel(number: str, at: datetime) -> None:
        store.change(number, at, fulfillment={"fulfillmentStatus": "CANCELLED"})

    street = Street(
        store.loopback, place, {"発送 / shipped": ship, "キャンセル / cancelled": cancel}
    )
    street.expire = lambda: store.access_tokens.clear()
    for days in (400, 40, 5):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="amazon:live",
        kind="amazon",
        settings={"base_url": store.url, "login_url": store.url},
        secrets={"client_id": CLIENT, "client_secret": SECRET, "refresh_token": REFRESH},
        happen=street.happen,
        count=lambda: len(store.orders),
        stop=store.loopback.stop,
        disturb=street.disturb,
        expires={"client_secret": now + timedelta(days=30)},
    )
