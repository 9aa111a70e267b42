"""The conformance source of thebase: a shop of two months with broken orders among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.thebase.connector import Base
from connectors.thebase.refusals import LANE
from tests.connectors.harness import NOW, Expected
from tests.connectors.loopback import Answered
from tests.connectors.thebase.stub import (
    CLIENT,
    REDIRECT,
    REFRESH,
    SECRET,
    BaseShop,
    key,
    order,
)

_COUNT = 70


def config(shop: BaseShop, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop; its first read begins a year back."""
    since = (NOW - timedelta(days=365)).isoformat()
    told = {"base_url": shop.url, "timeout": 2, "since": since, "page_size": 30} | settings
    return ChannelConfig("thebase:main", "thebase", Family.OWN, told)


def vault(**changes: str) -> MemoryVault:
    """What the shop has entered."""
    values = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uri": REDIRECT,
        "refresh_token": REFRESH,
    }
    return MemoryVault(values | changes)


def opened(shop: BaseShop, keys: MemoryVault | None = None, **settings: Any) -> Base:
    """A connector on it, as fast as it can be; without ``keys`` just logged in."""
    keys = keys or vault(refresh_token=shop.refresh_token)
    pace = LocalPace({LANE: (1e6, 1e6)})
    return Base(config(shop, **settings), vault=keys, pace=pace)


class BaseHarness:
    """Orders 1 to 70 over two months; one with a broken total, one that is not told."""

    stream = "orders"
    expected = Expected(
        totals={key(n): 4150 for n in range(1, _COUNT + 1) if n not in {10, 11}},
        bad_records=2,
        private=("見本", "神宮前", "hanako", "09000000000", SECRET, REFRESH, "token-0001"),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        shop = BaseShop(*(order(n, NOW - timedelta(hours=20 * n)) for n in range(1, _COUNT + 1)))
        shop.orders[key(10)]["total"] = "4,15x"
        shop.garbled[key(11)] = Answered(200, b"{nope}", {"content-type": "application/json"})
        return opened(shop)


harness = BaseHarness()
