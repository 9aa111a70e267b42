"""Stories of one stream: changes, polls, faults and crashes in any order end as a clean read."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from hypothesis import strategies as st
from sqlalchemy import Engine

from connectors.contract import Connector
from tests.connectors.harness import NOW
from tests.documents import context
from tests.factories import make_channel
from worker.pipeline.ingest import stored_values
from worker.pipeline.pull import PullReport, run_stream
from worker.store.channels import Channel
from worker.store.engine import writing
from worker.store.order_queries import whole
from worker.store.orders import OrderRow

CTX = context()
_numbers = itertools.count(1)

Step = tuple[str, int]
"""What happens, and to which order or by which kind of fault."""

steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.integers(1, 6)),
        st.tuples(st.sampled_from(["poll", "crash"]), st.just(0)),
        st.tuples(st.just("fail"), st.integers(0, 7)),
    ),
    min_size=1,
    max_size=14,
)

Ledger = dict[str, dict[str, Any]]


class World(Protocol):
    """A pretend marketplace of a few orders, each of which moves from version to version."""

    stream: str

    def change(self, number: int, version: int, at: datetime) -> None:
        """Order ``number`` becomes its next version; 0 is its arrival."""
        ...

    def fail(self, kind: int) -> None:
        """The next answer is a fault."""
        ...

    def calm(self) -> None:
        """No fault waits any more."""
        ...

    def open(self) -> Connector:
        """A connector on it, as after a restart."""
        ...


class Crash(Exception):
    """The worker dies behind a page."""


class Story:
    """Plays steps on one channel, and reads the end once more on another."""

    def __init__(self, engine: Engine, world: World) -> None:
        self._engine, self._world = engine, world
        self._versions: dict[int, int] = {}
        self.now = NOW

    def play(self, told: list[Step]) -> tuple[Ledger, Ledger]:
        """Give what the channel holds in the end, and what a clean read gives."""
        mixed = self._channel()
        for what, which in told:
            self.now += timedelta(minutes=1)
            self._step(mixed, what, which)
        self._world.calm()
        self.now += timedelta(hours=1)
        return self._read(mixed), self._read(self._channel())

    def _step(self, channel: str, what: str, which: int) -> None:
        if what == "change":
            version = self._versions.get(which, -1) + 1
            self._versions[which] = version
            self._world.change(which, version, self.now)
        elif what == "fail":
            self._world.fail(which)
        elif what == "poll":
            self._poll(channel)
        else:
            self._crash(channel)

    def _channel(self) -> str:
        with writing(self._engine) as session:
            return make_channel(session, f"own:told{next(_numbers)}").name

    def _poll(self, channel: str, between: Callable[[], None] | None = None) -> PullReport:
        def transaction() -> Any:
            return writing(self._engine)

        world = self._world
        return run_stream(transaction, CTX, channel, world.open(), world.stream, self.now, between)

    def _crash(self, channel: str) -> None:
        def die() -> None:
            raise Crash

        try:
            self._poll(channel, die)
        except Crash:
            return

    def _read(self, channel: str) -> Ledger:
        for _ in range(3):
            finished = self._poll(channel).finished
        assert finished, "the stream never comes to its end"
        with writing(self._engine) as session:
            query = sa.select(OrderRow.id).join(Channel).where(Channel.name == channel)
            found = whole(session, list(session.scalars(query)))
        return {one.order["external_id"]: stored_values(one) for one in found.values()}
