"""The conformance source of amazon: 70 orders, one with a broken total, one without a number."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.amazon.connector import Amazon
from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from tests.connectors.amazon.stub import (
    BUYER,
    CLIENT,
    MAIL,
    REFRESH,
    SECRET,
    AmazonStore,
    order,
    order_id,
    yen,
)
from tests.connectors.harness import NOW, Expected

_COUNT = 70


def config(store: AmazonStore, **settings: Any) -> ChannelConfig:
    """A channel at the pretend store."""
    told = {"base_url": store.url, "login_url": store.url, "timeout": 2} | settings
    return ChannelConfig("amazon:jp", "amazon", Family.AMAZON, told)


def vault(**changes: str) -> MemoryVault:
    """What the seller has entered."""
    values = {"client_id": CLIENT, "client_secret": SECRET, "refresh_token": REFRESH}
    return MemoryVault(values | changes)


def opened(store: AmazonStore, keys: MemoryVault | None = None, **settings: Any) -> Amazon:
    """A connector on it, as fast as it can be."""
    pace = LocalPace(dict.fromkeys(Amazon.LANES, (1e6, 1e6)))
    return Amazon(config(store, **settings), vault=keys or vault(), pace=pace)


class AmazonHarness:
    """Orders 1 to 70 over two months."""

    stream = "orders"
    expected = Expected(
        totals={order_id(n): 2400 for n in range(1, _COUNT + 1) if n != 10},
        bad_records=2,
        private=(BUYER, "神宮前", MAIL, "09000000000", SECRET, REFRESH, "access-0001"),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh store."""
        store = AmazonStore(
            *(order(n, NOW - timedelta(hours=20 * n)) for n in range(1, _COUNT + 1))
        )
        store.orders[order_id(10)] |= {"payment": {}, "proceeds": {"grandTotal": yen("24x0")}}
        store.nameless.append(
            {"createdTime": "2026-11-01T00:00:00Z", "buyer": {"buyerName": BUYER}}
        )
        return opened(store, page_size=20)


harness = AmazonHarness()
