"""The conformance source of qoo10: 120 carts of two months with broken ones among them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from connectors.contract import ChannelConfig, Connector, Family
from connectors.kit.pace import LocalPace
from connectors.kit.secrets import MemoryVault
from connectors.qoo10.connector import Qoo10
from connectors.qoo10.service import LANE
from tests.connectors.harness import NOW, Expected
from tests.connectors.qoo10.stub import (
    API_KEY,
    KEY,
    PASSWORD,
    USER,
    Qoo10Shop,
    cart_of,
    order,
)

_COUNT = 120
_TWO, _BROKEN = 30, 40


def config(shop: Qoo10Shop, **settings: Any) -> ChannelConfig:
    """A channel at the pretend shop."""
    told = {"base_url": shop.url, "timeout": 2} | settings
    return ChannelConfig("qoo10:main", "qoo10", Family.QOO10, told)


def vault(**changes: str) -> MemoryVault:
    """What the shop has entered."""
    values = {"api_key": API_KEY, "user_id": USER, "password": PASSWORD, "certification_key": KEY}
    return MemoryVault(values | changes)


def opened(shop: Qoo10Shop, keys: MemoryVault | None = None, **settings: Any) -> Qoo10:
    """A connector on it, as fast as it can be."""
    pace = LocalPace({LANE: (1e6, 1e6)})
    return Qoo10(config(shop, **settings), vault=keys or vault(), pace=pace)


class Qoo10Harness:
    """Carts 1 to 120; one of two order numbers, one with a broken amount, one row without names."""

    stream = "orders"
    expected = Expected(
        totals={
            cart_of(10 * n): 4600 if n == _TWO else 2300
            for n in range(1, _COUNT + 1)
            if n != _BROKEN
        },
        bad_records=2,
        private=("見本", "神宮前", "hanako", "0000-0000", API_KEY, PASSWORD, KEY),
    )

    def open(self, folder: Path) -> Connector:
        """Fill a fresh shop."""
        placed = {n: NOW - timedelta(hours=12 * n) for n in range(1, _COUNT + 1)}
        shop = Qoo10Shop(*(order(10 * n, placed[n]) for n in placed))
        shop.place(order(10 * _TWO + 1, placed[_TWO]))
        shop.change(1_000_000_000 + 10 * _BROKEN, Total="23x0")
        nobody = order(7, NOW - timedelta(hours=1)) | {"PackNo": 0, "OrderNo": None}
        shop.extra.append(nobody)
        return opened(shop)


harness = Qoo10Harness()
