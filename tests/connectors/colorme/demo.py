"""The pretend Color Me Shop of the live demonstration."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.connectors.colorme.stub import (
    BANK,
    CARD,
    TOKEN,
    ColorMeShop,
    cancelled,
    customer,
    sale,
    seconds,
)
from tests.connectors.happenings import Street
from worker.demo.markets import Market


def market(now: datetime) -> Market:
    """A shop with a little history, some of it older than the seven days told by default."""
    shop = ColorMeShop()

    def place(serial: int, at: datetime) -> str:
        person = customer(id=serial % 7 + 1, mail=f"iro{serial % 7}@example.jp")
        method = BANK if serial % 3 == 0 else CARD
        return str(shop.place(sale(serial, at, customer=person, payment_id=method))["id"])

    def ship(number: str, at: datetime) -> None:
        shop.change(int(number), at, delivered=True, delivered_mail_sent_date=seconds(at))

    def cancel(number: str, at: datetime) -> None:
        shop.change(int(number), at, **cancelled(shop.sales[int(number)]))

    street = Street(
        shop.loopback, place, {"発送 / shipped": ship, "キャンセル / cancelled": cancel}
    )
    for days in (60, 21, 3):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="own:colorme",
        kind="colorme",
        settings={"base_url": shop.url},
        secrets={"access_token": TOKEN},
        happen=street.happen,
        count=lambda: len(shop.sales),
        stop=shop.loopback.stop,
        disturb=street.disturb,
    )
