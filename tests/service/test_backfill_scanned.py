"""A past that is scanned as a whole shows how far it is, window by window and order by order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import ChannelConfig, Connector, Watermark
from connectors.kit.pace import LocalPace
from connectors.rakuten.connector import Rakuten
from connectors.yahoo.connector import YahooShopping
from tests.connectors.rakuten import harness as rakuten
from tests.connectors.rakuten.stub import Rms
from tests.connectors.rakuten.stub import order as rakuten_order
from tests.connectors.yahoo import harness as yahoo
from tests.connectors.yahoo.stub import YahooStore
from tests.connectors.yahoo.stub import order as yahoo_order
from tests.factories import NOW, make_channel
from worker import backfill as module
from worker.backfill import Progress, backfill
from worker.runtime import Runtime

DAY = timedelta(days=1)
SINCE = NOW - 200 * DAY
PLACED = [NOW - DAY * number - timedelta(hours=1) for number in range(1, 180, 8)]


def opened(kind: str, config: ChannelConfig) -> Connector:
    """A connector of the kind on a shop with an order every eighth day."""
    pace = LocalPace(dict.fromkeys(("orders", "rms", "details"), (1e6, 1e6)))
    settings: dict[str, Any] = {"since": config.settings["since"]}
    if kind == "rakuten":
        shop = Rms(NOW, *(rakuten_order(n, at) for n, at in enumerate(PLACED, 1)))
        return Rakuten(rakuten.config(shop, **settings), vault=rakuten.vault(), pace=pace)
    store = YahooStore(*(yahoo_order(n, at) for n, at in enumerate(PLACED, 1)))
    return YahooShopping(yahoo.config(store, **settings), vault=yahoo.vault(), pace=pace)


@pytest.mark.parametrize("kind", ["rakuten", "yahoo"])
def test_progress_and_time_left_are_told_long_before_the_end(
    runtime: Runtime, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opening(_runtime: Runtime, config: ChannelConfig, **_more: object) -> Connector:
        return opened(kind, config if "since" in config.settings else asked(config))

    def asked(config: ChannelConfig) -> ChannelConfig:
        return ChannelConfig(config.name, kind, config.family, {"since": SINCE.isoformat()})

    monkeypatch.setattr(module, "open_channel_connector", opening)
    with runtime.transaction() as session:
        make_channel(session, f"{kind}:main", kind=kind)
    seen: list[Progress] = []

    done = backfill(runtime, f"{kind}:main", NOW, since=SINCE, tell=seen.append)

    assert (done.finished, done.problem) == (True, "")
    parts = [one.part for one in seen]
    assert parts == sorted(parts)
    assert len({part for part in parts if 0.2 < part < 0.99}) >= 3
    assert all(one.seconds_left is not None for one in seen[2:])
    assert seen[-1].orders == len(PLACED)


def test_a_window_whose_orders_cannot_be_read_counts_as_passed() -> None:
    past = module._Past(opened("yahoo", _config()), NOW)
    pages = past.pull("orders", Watermark(), None, NOW)
    for _ in range(4):
        next(pages)
    assert past.last_order is None  # nothing was mapped
    assert past.window is not None
    span = module.Span(SINCE, NOW)
    assert 0.2 < module._part(span, past) < 0.9


def _config() -> ChannelConfig:
    return ChannelConfig("yahoo:main", "yahoo", YahooShopping.family, {"since": SINCE.isoformat()})
