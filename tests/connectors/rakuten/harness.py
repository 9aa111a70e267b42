"""The conformance source of rakuten: a shop of three windows with a broken order among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.rakuten.connector import Rakuten
from connectors.rakuten.service import LANE
from tests.connectors.harness import NOW, Expected
from tests.connectors.rakuten.stub import KEY, SECRET, Rms, number, order

_COUNT = 130


def config(shop: Rms, **settings: Any) -> ChannelConfig:
    """A channel at the pretend RMS."""
    told = {"base_url": shop.url, "timeout": 2} | settings
    return ChannelConfig("rakuten:main", "rakuten", Family.RAKUTEN, told)


def vault() -> MemoryVault:
    """What the shop has entered."""
    return MemoryVault({"service_secret": SECRET, "license_key": KEY})


def opened(shop: Rms, keys: MemoryVault | None = None, **settings: Any) -> Rakuten:
    """A connector on it, as fast as it can be."""
    pace = LocalPace({LANE: (1e6, 1e6)})
    return Rakuten(config(shop, **settings), vault=keys or vault(), pace=pace)


class RakutenHarness:
    """Orders 1 to 130 over a hundred days; one without a date, one that is never told."""

    stream = "orders"
    expected = Expected(
        totals={
            number(n, NOW - timedelta(hours=20 * n)): 4460
            for n in range(1, _COUNT + 1)
            if n not in {40, 41}
        },
        bad_records=2,
        private=("見本", "神宮前", "0123456789abcdef", "HANAKO", SECRET, KEY, KEY[3:]),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh RMS."""
        orders = [order(n, NOW - timedelta(hours=20 * n)) for n in range(1, _COUNT + 1)]
        orders[39]["requestPrice"] = "4,4x"
        shop = Rms(NOW, *orders)
        shop.untold.add(orders[40]["orderNumber"])
        return opened(shop)


harness = RakutenHarness()
