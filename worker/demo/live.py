"""Lets orders arrive, ship, cancel and be refunded at pretend marketplaces while one watches."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from worker.demo.markets import Market
from worker.demo.story import DemoStopped, DemoStuck
from worker.live import keyring
from worker.pipeline.channel_admin import Setup, set_up
from worker.pipeline.channel_health import channel_health, days_left
from worker.pipeline.channel_names import activate
from worker.pipeline.export import summary
from worker.runtime import Runtime, clock
from worker.store.channels import Channel, StreamState
from worker.store.orders import OrderRow, Quarantine

_PAUSE = 1.0
_TELL_SECONDS = 5.0
_DISTURB_SECONDS = 20.0
_SOON_SECONDS = 5.0


def _well(lag: float | None) -> str:
    return "まだ読んでいません / not read yet" if lag is None else "良好 / well"


def open_channels(runtime: Runtime, markets: Sequence[Market], now: datetime) -> None:
    """Set each marketplace up as a shop would, and let mails begin now."""
    ring = keyring(runtime)
    for market in markets:
        setup = Setup(
            market.channel, market.kind, settings=market.settings, secrets=market.secrets,
            expires=market.expires,
        )  # fmt: skip
        with runtime.transaction() as session:
            channel = set_up(session, runtime.context(), ring, setup, "demo", now)
            activate(session, channel, now - timedelta(hours=1), "demo")


@dataclass
class Show:
    """One live demonstration: what happens, who is told, and how it ends."""

    runtime: Runtime
    markets: Sequence[Market]
    wake: Callable[[str], None]
    tell: Callable[[str], None]
    stopping: threading.Event = field(default_factory=threading.Event)
    patience: float = 110.0
    chance: random.Random = field(default_factory=lambda: random.Random(5))  # noqa: S311 - a show

    def run(self, happenings: int | None = None) -> dict[str, Any]:
        """Let things happen until stopped, or so many times; then wait until all is here."""
        told = disturbed = time.monotonic()
        done = 0
        while happenings is None or done < happenings:
            market = self.markets[done % len(self.markets)]
            self.tell(f"{market.channel}: {market.happen(clock())}")
            done += 1
            self._poll([market.channel])
            if time.monotonic() - disturbed > _DISTURB_SECONDS:
                disturbed = time.monotonic()
                self._disturb()
            if time.monotonic() - told > _TELL_SECONDS:
                told = time.monotonic()
                self.tell(self.board())
            if self.stopping.wait(_PAUSE):
                raise DemoStopped
        self._settle()
        return self.found()

    def found(self) -> dict[str, Any]:
        """What is in the store, and what each marketplace and its channel hold."""
        with self.runtime.look() as session:
            result = summary(session)
        here = self._here()
        result["channels"] = {
            one.channel: {"there": one.count(), "here": here.get(one.channel, 0)}
            for one in self.markets
        }
        return result

    def board(self) -> str:
        """Health, lag and expiry of the channels, one line each."""
        now = clock()
        with self.runtime.look() as session:
            channels = channel_health(session, now, count=True)
        names = {market.channel for market in self.markets}
        lines = []
        for one in channels:
            if one.channel in names:
                lag = "—" if one.lag_seconds is None else f"{one.lag_seconds:.0f} s"
                ends = one.next_expiry
                left = f"{days_left(ends, now)} 日 / days" if ends else "—"
                state = one.problem[:60] or _well(one.lag_seconds)
                lines.append(f"  {one.channel:<18}{one.orders:>5}  {lag:>7}  {left:>12}  {state}")
        head = "  チャネル / channel   受注   遅れ/lag   期限/expiry  状態"
        return "\n".join([head, *lines])

    def _poll(self, names: Sequence[str]) -> None:
        """Have these polled now, but for those told to wait: a demonstration is short.

        Only where something happened: all of them every second would keep a small machine from
        ever reaching the one that was disturbed.
        """
        waiting = select(StreamState.channel_id).where(StreamState.failures > 0)
        with self.runtime.transaction() as session:
            session.execute(
                update(Channel)
                .where(Channel.name.in_(names), Channel.id.not_in(waiting))
                .values(next_poll_at=clock())
            )
            # The first wait is a minute: nobody watches that long.
            soon = clock() + timedelta(seconds=_SOON_SECONDS)
            session.execute(
                update(Channel)
                .where(Channel.name.in_(names), Channel.next_poll_at > soon)
                .values(next_poll_at=soon)
            )
        self.wake("poll")

    def _disturb(self) -> None:
        market = self.chance.choice(list(self.markets))
        if market.disturb is not None:
            self.tell(f"{market.channel}: {market.disturb()}")

    def _settle(self) -> None:
        deadline = time.monotonic() + self.patience
        while missing := self._missing():
            if time.monotonic() > deadline:
                raise DemoStuck(f"the channels did not come to rest:\n{self.board()}")
            self._poll(missing)
            if self.stopping.wait(_PAUSE):
                raise DemoStopped

    def _missing(self) -> list[str]:
        """Channels that do not hold yet what their marketplace holds."""
        here = self._here()
        return [one.channel for one in self.markets if here.get(one.channel, 0) < one.count()]

    def _here(self) -> dict[str, int]:
        """Orders and open cases of quarantine by channel."""
        found: dict[str, int] = {}
        with self.runtime.look() as session:
            for table in (OrderRow, Quarantine):
                query = (
                    select(Channel.name, func.count())
                    .join(table, table.channel_id == Channel.id)
                    .group_by(Channel.name)
                )
                if table is Quarantine:
                    query = query.where(Quarantine.resolved_at.is_(None))
                for name, count in session.execute(query):
                    found[name] = found.get(name, 0) + count
        return found
