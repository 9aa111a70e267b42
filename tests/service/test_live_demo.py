"""The live demonstration: things happen at marketplaces until the store holds them all."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.connectors.happenings import Street
from tests.toy_shop import KEY, ToyServer, toy
from worker.demo.live import Show, open_channels
from worker.demo.markets import Market, NoMarkets, open_markets
from worker.demo.story import DemoStopped, DemoStuck
from worker.polling import due_channels, poll_channel_once
from worker.runtime import Runtime, clock

__all__ = ["toy"]
NAME = "own:toy"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.demo.live._PAUSE", 0.01)
    monkeypatch.setattr("worker.demo.live._TELL_SECONDS", 0.0)
    monkeypatch.setattr("worker.demo.live._SOON_SECONDS", 0.1)
    monkeypatch.setattr("worker.demo.live._DISTURB_SECONDS", 0.2)


def market(toy: ToyServer) -> Market:
    def place(serial: int, at: datetime) -> str:
        toy.add(f"T-{serial}", at - timedelta(minutes=1))
        return f"T-{serial}"

    def cancel(number: str, at: datetime) -> None:
        toy.add(number, at, state="cancelled")

    street = Street(toy.loopback, place, {"cancelled": cancel})
    return Market(
        NAME, "toy", {"base_url": toy.loopback.url}, {"key": KEY}, street.happen,
        lambda: len(toy.orders), toy.loopback.stop, street.disturb,
        {"key": clock() + timedelta(days=3)},
    )  # fmt: skip


def show(runtime: Runtime, one: Market, told: list[str], **more: float) -> Show:
    def wake(step: str) -> None:
        assert step == "poll"
        for name in due_channels(runtime, clock()):
            if name == NAME:
                poll_channel_once(runtime, name, clock())

    open_channels(runtime, [one], clock())
    return Show(runtime, [one], wake, told.append, **more)  # type: ignore[arg-type]


def test_it_ends_when_the_store_holds_what_the_marketplaces_hold(
    runtime: Runtime, toy: ToyServer
) -> None:
    told: list[str] = []
    found = show(runtime, market(toy), told, patience=30.0).run(12)
    assert found["channels"][NAME] == {"there": len(toy.orders), "here": len(toy.orders)}
    assert found["orders"] == len(toy.orders)
    board = [text for text in told if "期限/expiry" in text][-1]
    assert NAME in board
    assert "3 日 / days" in board
    assert any("ordered" in text for text in told)


def test_a_marketplace_that_never_answers_is_told(runtime: Runtime, toy: ToyServer) -> None:
    one = market(toy)
    running = show(runtime, one, [], patience=0.1)
    toy.key = "another"
    with pytest.raises(DemoStuck, match=NAME):
        running.run(1)


def test_it_stops_when_asked(runtime: Runtime, toy: ToyServer) -> None:
    running = show(runtime, market(toy), [])
    running.stopping = threading.Event()
    running.stopping.set()
    with pytest.raises(DemoStopped):
        running.run(5)


def test_outside_a_checkout_it_says_where_the_marketplaces_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("worker.demo.markets.ROOT", tmp_path)
    with pytest.raises(NoMarkets, match="git clone"):
        open_markets(clock())


def test_every_pretend_marketplace_opens_and_something_happens_there() -> None:
    now = clock()
    markets = open_markets(now)
    assert {one.kind for one in markets} >= {"rakuten", "woocommerce"}
    assert len({one.channel for one in markets}) == len(markets)
    for one in markets:
        before = one.count()
        for _ in range(6):
            assert one.happen(now)
        assert one.count() > before
        one.stop()
