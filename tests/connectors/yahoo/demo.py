"""The pretend Yahoo! store of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.happenings import Street
from tests.connectors.yahoo.stub import (
    CLIENT,
    REFRESH,
    SECRET,
    SELLER,
    YahooStore,
    order,
    public_pem,
    stamp,
)
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A store with a little history, whose public key ends in twelve days."""
    store = YahooStore()

    def place(serial: int, at: datetime) -> str:
        return str(store.place(order(serial, at))["OrderId"])

    def ship(number: str, at: datetime) -> None:
        store.change(number, at, ShipStatus="3", ShipDate=stamp(at)[:10])

    street = Street(
        store.loopback,
        place,
        {
            "発送 / shipped": ship,
            "キャンセル / cancelled": lambda n, at: store.change(n, at, OrderStatus="4"),
        },
    )
    street.expire = lambda: store.access_tokens.clear()
    for days in (70, 15, 2):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="yahoo:live",
        kind="yahoo",
        settings={"base_url": store.url, "login_url": store.url},
        secrets={
            "client_id": CLIENT,
            "client_secret": SECRET,
            "seller_id": SELLER,
            "public_key": public_pem(),
            "public_key_version": "3",
            "refresh_token": REFRESH,
        },
        happen=street.happen,
        count=lambda: len(store.orders),
        stop=store.loopback.stop,
        disturb=street.disturb,
        expires={"public_key": now + timedelta(days=12)},
    )
