"""The conformance source of eccube4: a shop of two months with broken orders among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.eccube4.client import LANE
from connectors.eccube4.connector import EcCube4
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from tests.connectors.eccube4.stub import CLIENT, HOOK, REFRESH, SECRET, CubeShop, order
from tests.connectors.harness import NOW, Expected

_COUNT = 70


def config(shop: CubeShop, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop, twenty orders to a page."""
    told = {"base_url": shop.url, "timeout": 2, "page_size": 20} | settings
    return ChannelConfig("own:cube", "eccube4", Family.OWN, told)


def vault(**changes: str) -> MemoryVault:
    """What the shop has entered."""
    values = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "refresh_token": REFRESH,
        "webhook_secret": HOOK,
    }
    return MemoryVault(values | changes)


def opened(shop: CubeShop, keys: MemoryVault | None = None, **settings: Any) -> EcCube4:
    """A connector on it, as fast as it can be; without ``keys`` just logged in."""
    keys = keys or vault(refresh_token=shop.refresh_token)
    pace = LocalPace({LANE: (1e6, 1e6)})
    return EcCube4(config(shop, **settings), vault=keys, pace=pace)


class CubeHarness:
    """Orders 1 to 70 over two months; one with a broken total, one that is not told whole."""

    stream = "orders"
    expected = Expected(
        totals={str(n): 4150 for n in range(1, _COUNT + 1) if n not in {10, 11}},
        bad_records=2,
        private=("見本", "神宮前", "hanako", "09000000000", SECRET, REFRESH, "token-0001"),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        shop = CubeShop(*(order(n, NOW - timedelta(hours=20 * n)) for n in range(1, _COUNT + 1)))
        shop.orders["10"]["payment_total"] = -1
        shop.broken["11"] = "Customer"
        return opened(shop)


harness = CubeHarness()
