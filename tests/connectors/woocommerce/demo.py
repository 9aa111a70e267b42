"""The pretend WooCommerce shop of the live demonstration."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.connectors.happenings import Street
from tests.connectors.woocommerce.stub import KEY, SECRET, WooShop, row
from worker.demo.markets import Market


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def market(now: datetime) -> Market:
    """A shop with a little history, on a port of its own."""
    shop = WooShop()

    def place(serial: int, at: datetime) -> str:
        when = {"date_created_gmt": _utc(at), "date_created": _utc(at + timedelta(hours=9))}
        shop.put(row(serial, _utc(at), **when, customer_id=serial % 9 + 1))
        return str(serial)

    def change(number: str, at: datetime, **values: object) -> None:
        shop.put(
            shop.orders[int(number)]
            | {"date_modified_gmt": _utc(at), "date_modified": _utc(at + timedelta(hours=9))}
            | values
        )

    street = Street(
        shop.loopback,
        place,
        {
            "発送 / shipped": lambda number, at: change(number, at, status="completed"),
            "キャンセル / cancelled": lambda number, at: change(number, at, status="cancelled"),
            "返金 / refunded": lambda number, at: change(number, at, status="refunded"),
        },
    )
    for days in (40, 20, 5):
        street.serial += 1
        street.open.append(place(street.serial, now - timedelta(days=days)))
    return Market(
        channel="own:woo",
        kind="woocommerce",
        settings={"base_url": shop.url},
        secrets={"consumer_key": KEY, "consumer_secret": SECRET},
        happen=street.happen,
        count=lambda: len(shop.orders),
        stop=shop.loopback.stop,
        disturb=street.disturb,
    )
