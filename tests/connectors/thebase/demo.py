"""The pretend BASE shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.happenings import Street
from tests.connectors.thebase.stub import (
    CLIENT,
    REDIRECT,
    REFRESH,
    SECRET,
    BaseShop,
    order,
    seconds,
)
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop with a little history, whose owner logged in 26 days ago."""
    shop = BaseShop()

    def place(serial: int, at: datetime) -> str:
        mail = f"base{serial % 5}@example.jp"
        return str(shop.place(order(serial, at, mail_address=mail))["unique_key"])

    def ship(key: str, at: datetime) -> None:
        shop.change(key, at, dispatch_status="dispatched", dispatched=seconds(at))

    def cancel(key: str, at: datetime) -> None:
        shop.change(key, at, dispatch_status="cancelled", cancelled=seconds(at))

    street = Street(
        shop.loopback, place, {"発送 / shipped": ship, "キャンセル / cancelled": cancel}
    )
    street.expire = lambda: shop.access_tokens.clear()
    for days in (70, 14, 2):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="own:base",
        kind="thebase",
        settings={"base_url": shop.url},
        secrets={
            "client_id": CLIENT,
            "client_secret": SECRET,
            "redirect_uri": REDIRECT,
            "refresh_token": REFRESH,
        },
        happen=street.happen,
        count=lambda: len(shop.orders),
        stop=shop.loopback.stop,
        disturb=street.disturb,
        expires={"refresh_token": now + timedelta(days=4)},
    )
