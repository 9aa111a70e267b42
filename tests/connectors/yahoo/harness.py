"""The conformance source of yahoo: a store of two months with a broken order among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.yahoo.connector import YahooShopping
from connectors.yahoo.service import LANE
from tests.connectors.harness import NOW, Expected
from tests.connectors.yahoo.stub import (
    CLIENT,
    REFRESH,
    SECRET,
    SELLER,
    YahooStore,
    order,
    public_pem,
    xml,
)

_COUNT = 70


def config(store: YahooStore, **settings: Any) -> ChannelConfig:
    """A channel at the pretend store."""
    told = {"base_url": store.url, "login_url": store.url, "timeout": 2} | settings
    return ChannelConfig("yahoo:main", "yahoo", Family.YAHOO, told)


def vault(**changes: str) -> MemoryVault:
    """What the store has entered."""
    values = {
        "client_id": CLIENT,
        "client_secret": SECRET,
        "seller_id": SELLER,
        "public_key": public_pem(),
        "public_key_version": "3",
        "refresh_token": REFRESH,
    }
    return MemoryVault(values | changes)


def opened(store: YahooStore, keys: MemoryVault | None = None, **settings: Any) -> YahooShopping:
    """A connector on it, as fast as it can be."""
    pace = LocalPace({LANE: (1e6, 1e6)})
    return YahooShopping(config(store, **settings), vault=keys or vault(), pace=pace)


class YahooHarness:
    """Orders 1 to 70 over two months; one with a broken total, one that is not told."""

    stream = "orders"
    expected = Expected(
        totals={f"{SELLER}-{n}": 4150 for n in range(1, _COUNT + 1) if n not in {10, 11}},
        bad_records=2,
        private=("見本", "神宮前", "hanako", "09000000000", SECRET, REFRESH, "access-token-0001"),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh store."""
        store = YahooStore(*(order(n, NOW - timedelta(hours=20 * n)) for n in range(1, _COUNT + 1)))
        store.orders[f"{SELLER}-10"]["TotalPrice"] = "4,15x"
        store.garbled[f"{SELLER}-11"] = xml("<ResultSet>&nbsp;</ResultSet>")
        return opened(store)


harness = YahooHarness()
