"""The conformance source of aupay: a shop of two months with two broken orders among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.aupay.connector import AuPayMarket
from connectors.aupay.service import LANE
from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from tests.connectors.aupay.stub import KEY, SHOP, WowManager, number, order
from tests.connectors.harness import NOW, Expected

_COUNT = 70


def config(shop: WowManager, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop."""
    told = {"base_url": shop.url, "timeout": 2} | settings
    return ChannelConfig("aupay:main", "aupay", Family.AUPAY, told)


def vault(**changes: str) -> MemoryVault:
    """What the shop has entered."""
    return MemoryVault({"api_key": KEY, "shop_id": SHOP} | changes)


def opened(shop: WowManager, keys: MemoryVault | None = None, **settings: Any) -> AuPayMarket:
    """A connector on it, as fast as it can be."""
    pace = LocalPace({LANE: (1e6, 1e6)})
    return AuPayMarket(config(shop, **settings), vault=keys or vault(), pace=pace)


class AuPayHarness:
    """Orders 1 to 70 over two months; one with a broken total, one in broken XML."""

    stream = "orders"
    expected = Expected(
        totals={number(n): 4500 for n in range(1, _COUNT + 1) if n not in {10, 11}},
        bad_records=2,
        private=("見本", "神宮前", "hanako", "090-0000-0000", KEY, "PG0001"),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        shop = WowManager(*(order(n, NOW - timedelta(hours=20 * n)) for n in range(1, _COUNT + 1)))
        shop.orders[number(10)]["requestPrice"] = "4,5x"
        shop.garbled.add(number(11))
        return opened(shop, page_size=20)


harness = AuPayHarness()
