"""The conformance source of woocommerce: a small shop with odd orders among sound ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.woocommerce.connector import WooCommerce
from tests.connectors.harness import Expected
from tests.connectors.woocommerce.stub import KEY, SECRET, WooShop, row

_COUNT = 58


def config(shop: WooShop, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop, twenty orders per page."""
    told = {"base_url": shop.url, "page_size": 20, "timeout": 2} | settings
    return ChannelConfig("own:shop", "woocommerce", Family.OWN, told)


def opened(shop: WooShop, vault: MemoryVault | None = None, **settings: Any) -> WooCommerce:
    """A connector on it, as fast as it can be."""
    keys = vault or MemoryVault({"consumer_key": KEY, "consumer_secret": SECRET})
    return WooCommerce(
        config(shop, **settings), vault=keys, pace=LocalPace({"requests": (1e6, 1e6)})
    )


def modified(minutes: int) -> str:
    """A time of modification, UTC without an offset, as the shop writes it."""
    return (datetime(2026, 11, 1) + timedelta(minutes=minutes)).isoformat()  # noqa: DTZ001


class WooHarness:
    """Orders 1 to 58, one with a broken total, one draft."""

    stream = "orders"
    expected = Expected(
        totals={str(n): 2500 for n in range(1, _COUNT + 1) if n != 55},
        bad_records=1,
        private=("hanako", "見本", "0300000000", "神宮前", KEY, SECRET, SECRET[3:]),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        orders = [row(n, modified(n)) for n in range(1, _COUNT + 1)]
        orders[54]["total"] = "1,5x"
        return opened(WooShop(*orders, row(99, modified(99), status="checkout-draft")))


harness = WooHarness()
