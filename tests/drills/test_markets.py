"""A simulated day of trouble at every marketplace in turn, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.folders import ROOT
from tests.service.markets_story import NoPace, Town, street_of
from worker.runtime import Runtime, clock
from worker.settings import Settings

pytestmark = pytest.mark.drill
HOUR = 12
"""Steps of five minutes."""


@pytest.fixture
def town(store_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Two days ago, on each kind of database."""
    monkeypatch.setattr("worker.live.pace_of", lambda _runtime, _config: NoPace())
    shutil.copytree(ROOT / "config", data_dir / "config")
    runtime = Runtime(Settings(data=data_dir, database_url=store_url))
    made = Town(runtime, clock() - timedelta(days=2))
    yield made
    made.close()
    runtime.dispose()


@pytest.mark.parametrize("trouble", ["dead", "garbage", "disturbed"])
def test_each_market_has_a_bad_hour_and_the_store_is_exact_after_it(
    town: Town, trouble: str
) -> None:
    town.poll()
    town.settle()
    for name in town.markets:
        if trouble == "disturbed":
            for _ in range(HOUR):
                street_of(town.markets[name]).disturb()
                town.step()
            street_of(town.markets[name]).loopback.faults.clear()
        else:
            with town.dead(name) if trouble == "dead" else town.garbage(name):
                for _ in range(HOUR):
                    town.step()
                assert name in town.behind()
        others = [other for other in town.markets if other != name]
        assert not [other for other in others if town.channel(other).paused]
        town.now += timedelta(hours=1)
        town.poll()
        town.settle()
        assert town.behind() == {}, name
    assert town.differences() == {}
