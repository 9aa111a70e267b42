"""All pretend marketplaces against one store: an hour of trouble at some of them, then recovery."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from connectors.contract import Order, Watermark
from tests.connectors.happenings import Street
from tests.connectors.loopback import Answered, Asked
from worker.demo.live import open_channels
from worker.demo.markets import Market, open_markets
from worker.live import channel_config, open_channel_connector
from worker.pipeline.ingest import stored_values
from worker.pipeline.order_values import flat, told_names
from worker.pipeline.pull import channel_named
from worker.polling import due_channels, poll_channel_once
from worker.runtime import Runtime
from worker.store.channels import Channel, StreamState
from worker.store.order_queries import whole
from worker.store.orders import OrderRow

STEP = timedelta(minutes=5)
GARBAGE = Answered(200, b"\x1f\x8b garbage {", {"content-type": "application/json"})


class NoPace:
    """Never waits: an hour of questions is asked in seconds."""

    def take(self, lane: str, cost: float = 1.0) -> None:
        """There is always a place."""

    def learn(
        self, lane: str, *, left: float | None = None, restore_per_second: float = 0.0
    ) -> None:
        """What the source says does not matter here."""

    def exhausted(self, lane: str, until: datetime, reason: str = "") -> None:
        """No quota ends in a story."""


def street_of(market: Market) -> Street:
    """What happens at a market, and the server behind it."""
    street = getattr(market.happen, "__self__", None)
    assert isinstance(street, Street), market.kind
    return street


class Town:
    """Ten marketplaces, one store, and a clock that is moved by hand."""

    def __init__(self, runtime: Runtime, now: datetime, seed: int = 3) -> None:
        self.runtime, self.now = runtime, now
        self.markets = {one.channel: one for one in open_markets(now)}
        for place, market in enumerate(self.markets.values()):
            street_of(market).clock = lambda: self.now
            street_of(market).chance = random.Random(seed * 100 + place)
        open_channels(runtime, list(self.markets.values()), now)

    def close(self) -> None:
        """Every server gives its port back."""
        for market in self.markets.values():
            market.stop()

    def step(self) -> None:
        """Five minutes: something happens everywhere, and what is due is polled."""
        self.now += STEP
        for market in self.markets.values():
            market.happen(self.now)
        self.poll()

    def poll(self, *, every_stream: bool = False) -> None:
        """Poll what is due, or everything as a person would."""
        names = list(self.markets) if every_stream else due_channels(self.runtime, self.now)
        for name in names:
            if name in self.markets:
                poll_channel_once(self.runtime, name, self.now, every_stream=every_stream)

    def settle(self) -> None:
        """Twenty quiet minutes later all streams are read to their end."""
        self.now += 4 * STEP
        self.poll(every_stream=True)
        self.poll(every_stream=True)

    @contextmanager
    def garbage(self, name: str) -> Iterator[None]:
        """Every answer of a market is garbage."""
        loopback = street_of(self.markets[name]).loopback
        before = loopback.handle

        def answer(_asked: Asked) -> Answered:
            return GARBAGE

        loopback.handle = answer
        yield
        loopback.handle = before

    @contextmanager
    def dead(self, name: str) -> Iterator[None]:
        """Nobody listens at a market's address; its customers go on ordering."""
        loopback = street_of(self.markets[name]).loopback
        loopback.stop()
        yield
        loopback.again()

    # --- looking ------------------------------------------------------------------------------

    def channel(self, name: str) -> Channel:
        """The row of a channel."""
        with self.runtime.look() as session:
            row = channel_named(session, name)
            session.expunge(row)
        return row

    def marks(self, name: str) -> dict[str, str | None]:
        """Stream to watermark."""
        with self.runtime.look() as session:
            channel = channel_named(session, name)
            query = sa.select(StreamState).where(StreamState.channel_id == channel.id)
            return {row.stream: row.watermark for row in session.scalars(query)}

    def behind(self) -> dict[str, tuple[int, int]]:
        """Channels that hold another number of orders than their market: here, there."""
        found = {}
        for name, market in self.markets.items():
            with self.runtime.look() as session:
                channel = channel_named(session, name)
                query = sa.select(sa.func.count()).where(OrderRow.channel_id == channel.id)
                here = session.scalar(query) or 0
            if here != market.count():
                found[name] = (here, market.count())
        return found

    def clean(self, name: str) -> dict[str, Order]:
        """What a market tells to one who reads it for the first time."""
        connector = open_channel_connector(self.runtime, channel_config(self.runtime, name))
        first = connector.streams()[0].name
        pages = connector.pull(first, Watermark(), None, self.now)
        mapped = (connector.map(raw) for page in pages for raw in page.raws)
        return {order.external_id: order for order in mapped}

    def stored(self, name: str, expected: Mapping[str, Order]) -> dict[str, dict[str, Any]]:
        """What the store holds of each order, for the fields of which the market speaks."""
        with self.runtime.look() as session:
            channel = channel_named(session, name)
            query = sa.select(OrderRow.id).where(OrderRow.channel_id == channel.id)
            found = whole(session, list(session.scalars(query)))
        rows = {one.order["external_id"]: stored_values(one) for one in found.values()}
        return {
            key: {field: row[field] for field in told_names(expected[key])}
            if key in expected
            else {}
            for key, row in rows.items()
        }

    def differences(self) -> dict[str, list[str]]:
        """Channels whose orders are not what a clean read gives, with the orders."""
        found = {}
        for name in self.markets:
            expected = self.clean(name)
            wanted = {key: _told(order) for key, order in expected.items()}
            here = self.stored(name, expected)
            wrong = sorted(
                key for key in wanted.keys() | here.keys() if wanted.get(key) != here.get(key)
            )
            if wrong:
                found[name] = wrong
        return found


def _told(order: Order) -> dict[str, Any]:
    values = flat(order)
    return {name: values[name] for name in told_names(order)}
