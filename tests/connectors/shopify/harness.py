"""The conformance source of shopify: a small shop with odd orders among sound ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.shopify.connector import Shopify
from tests.connectors.harness import Expected
from tests.connectors.shopify.stub import SHOP, TOKEN, ShopifyShop, instant, money, order

_COUNT = 58


def config(shop: ShopifyShop, /, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop, twenty orders per page."""
    told = {"shop": SHOP, "base_url": shop.url, "page_size": 20, "timeout": 2} | settings
    return ChannelConfig("own:shopify", "shopify", Family.OWN, told)


def opened(shop: ShopifyShop, vault: MemoryVault | None = None, /, **settings: Any) -> Shopify:
    """A connector on it; the pace is Shopify's own, waited for up to a second."""
    keys = vault or MemoryVault({"access_token": TOKEN})
    pace = LocalPace(Shopify.LANES, patience=1.0)
    return Shopify(config(shop, **settings), vault=keys, pace=pace)


def updated(minutes: int) -> str:
    """A time of update as Shopify writes it."""
    return instant(datetime(2026, 11, 1, tzinfo=UTC) + timedelta(minutes=minutes))


class ShopifyHarness:
    """Orders 1 to 58, one with a broken total, one that is a test."""

    stream = "orders"
    expected = Expected(
        totals={str(n): 2500 for n in range(1, _COUNT + 1) if n != 55},
        bad_records=1,
        private=("hanako", "見本", "9000000000", "神宮前", TOKEN, TOKEN[6:]),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        orders = [order(n, updated(n)) for n in range(1, _COUNT + 1)]
        orders[54]["totalPriceSet"] = money("2500.5")
        return opened(ShopifyShop(*orders, order(99, updated(99), test=True)))


harness = ShopifyHarness()
