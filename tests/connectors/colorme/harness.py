"""The conformance source of colorme: a shop of two months with broken sales among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.colorme.connector import ColorMe
from connectors.colorme.refusals import LANE
from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from tests.connectors.colorme.stub import CLIENT, SECRET, TOKEN, ColorMeShop, sale
from tests.connectors.harness import NOW, Expected

_COUNT = 140


def config(shop: ColorMeShop, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop; its first read begins a year back."""
    since = (NOW - timedelta(days=365)).isoformat()
    told = {"base_url": shop.url, "timeout": 2, "since": since} | settings
    return ChannelConfig("own:colorme", "colorme", Family.OWN, told)


def vault(**changes: str) -> MemoryVault:
    """What the shop has entered."""
    values = {"client_id": CLIENT, "client_secret": SECRET, "access_token": TOKEN}
    return MemoryVault(values | changes)


def opened(shop: ColorMeShop, keys: MemoryVault | None = None, **settings: Any) -> ColorMe:
    """A connector on it, as fast as it can be."""
    pace = LocalPace({LANE: (1e6, 1e6)})
    return ColorMe(config(shop, **settings), vault=keys or vault(), pace=pace)


class ColorMeHarness:
    """Sales 1 to 140 over two months; one with a broken total, one a part of another, no id."""

    stream = "orders"
    expected = Expected(
        totals={str(n): 2710 for n in range(1, _COUNT + 1) if n not in {110, 111, 112}},
        bad_records=3,
        private=(
            *("見本", "神宮前", "hanako", "09000000000", "0300000000", "秘密の答え"),
            *(SECRET, TOKEN),
        ),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        sales = [sale(n, NOW - timedelta(hours=10 * n)) for n in range(1, _COUNT + 1)]
        shop = ColorMeShop(*sales)
        shop.sales[110]["total_price"] = "2,71x"
        shop.sales[111]["segment"] = {"id": 2, "parent_sale_id": 109, "splitted": True}
        shop.sales[112]["id"] = None
        return opened(shop)


harness = ColorMeHarness()
