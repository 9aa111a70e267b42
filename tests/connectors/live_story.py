"""Events, polls, faults and crashes over all streams of a kind, and how they must end."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy import Engine

from connectors.contract import Connector, Order, Watermark
from tests.connectors.harness import NOW
from tests.connectors.loopback import Answered, Loopback, web_page
from tests.documents import context
from tests.factories import make_channel
from worker.pipeline.ingest import stored_values
from worker.pipeline.order_values import flat, told_names
from worker.pipeline.pull import PullReport, run_stream
from worker.store.engine import writing
from worker.store.order_queries import whole
from worker.store.orders import OrderRow

CTX = context()
FAULTS = (
    web_page(503),
    web_page(200),
    Answered(500),
    Answered(200, b"{", {"content-type": "application/json"}),
    Answered(200, b"<Result><Sta", {"content-type": "application/xml"}),
    Answered(200, b"0123456789", cut=5),
)
_numbers = itertools.count(1)

Step = tuple[str, int]
"""What happens, and which of several it is."""


def steps(events: int, streams: int) -> st.SearchStrategy[list[Step]]:
    """Any interleaving of events, polls, polls that crash behind a page, faults and waiting."""
    event = st.tuples(st.just("event"), st.integers(0, events - 1))
    poll = st.tuples(st.sampled_from(["poll", "crash"]), st.integers(0, streams - 1))
    fault = st.tuples(st.just("fault"), st.integers(0, len(FAULTS) - 1))
    wait = st.tuples(st.just("wait"), st.integers(1, 20))
    return st.lists(st.one_of(event, event, poll, fault, wait), min_size=1, max_size=14)


class Source(Protocol):
    """A pretend marketplace whose orders change."""

    loopback: Loopback

    def open(self) -> Connector:
        """A connector on it, as after a restart."""
        ...

    def happen(self, event: int, now: datetime) -> None:
        """Something happens to one of its orders."""
        ...


class Crash(Exception):
    """The worker dies."""


def tell(engine: Engine, source: Source, story: Sequence[Step]) -> None:
    """Play a story, then let every stream come to its end, and compare with a clean read."""
    teller = _Teller(engine, source)
    try:
        for step in story:
            teller.play(*step)
        source.loopback.faults.clear()
        teller.now += timedelta(hours=1)
        teller.finish()
        expected = teller.clean()
        assert teller.stored(expected) == {key: _told(one) for key, one in expected.items()}
    finally:
        source.loopback.stop()


class _Teller:
    def __init__(self, engine: Engine, source: Source) -> None:
        self._engine, self._source = engine, source
        self.now = NOW
        with writing(engine) as session:
            channel = make_channel(session, f"own:story{next(_numbers)}")
            self._channel, self._name = channel.id, channel.name

    def _streams(self) -> list[str]:
        return [stream.name for stream in self._source.open().streams()]

    def play(self, what: str, which: int) -> None:
        self.now += timedelta(minutes=1)
        if what == "event":
            self._source.happen(which, self.now)
        elif what == "fault":
            self._source.loopback.faults.append(FAULTS[which])
        elif what == "wait":
            self.now += timedelta(minutes=7 * which)
        elif what == "poll":
            self._poll(self._streams()[which])
        else:
            self._crash(self._streams()[which])

    def _poll(self, stream: str, between: Callable[[], None] | None = None) -> PullReport:
        connector = self._source.open()

        def transaction() -> Any:
            return writing(self._engine)

        return run_stream(transaction, CTX, self._name, connector, stream, self.now, between)

    def _crash(self, stream: str) -> None:
        def die() -> None:
            raise Crash

        try:
            self._poll(stream, die)
        except Crash:
            return

    def finish(self) -> None:
        for stream in self._streams():
            for _ in range(5):
                if self._poll(stream).finished and self._poll(stream).finished:
                    break
            else:
                raise AssertionError(f"{stream} never comes to its end")

    def clean(self) -> dict[str, Order]:
        """What the source tells to one who reads it for the first time."""
        connector = self._source.open()
        first = connector.streams()[0].name
        pages = connector.pull(first, Watermark(), None, self.now)
        mapped = (connector.map(raw) for page in pages for raw in page.raws)
        return {order.external_id: order for order in mapped}

    def stored(self, expected: Mapping[str, Order]) -> dict[str, dict[str, Any]]:
        """What the ledger holds of each order, for the fields of which the source speaks now."""
        with writing(self._engine) as session:
            query = sa.select(OrderRow.id).where(OrderRow.channel_id == self._channel)
            found = whole(session, list(session.scalars(query)))
        rows = {one.order["external_id"]: stored_values(one) for one in found.values()}
        assert rows.keys() == expected.keys()
        return {
            key: {name: row[name] for name in told_names(expected[key])}
            for key, row in rows.items()
        }


def _told(order: Order) -> dict[str, Any]:
    values = flat(order)
    return {name: values[name] for name in told_names(order)}
