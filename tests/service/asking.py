"""An installation with an Amazon channel at a pretend Amazon, whose review requests are ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from connectors.contract import Family
from connectors.kit.soliciting import Replied
from tests.connectors.amazon.stub import (
    CLIENT,
    REFRESH,
    SECRET,
    SOLICITATIONS,
    AmazonStore,
    Row,
    order,
    stamp,
)
from tests.factories import NOW, make_channel
from tests.folders import ROOT
from worker.live import vault_of
from worker.pipeline.solicit import release_requests
from worker.polling import poll_channel_once
from worker.runtime import Runtime
from worker.settings import Settings
from worker.soliciting import plan_all_requests
from worker.store.solicitations import Solicitation

NAME = "amazon:jp"
DAY = timedelta(days=1)


def delivered(number: int, days: int = 10, **changes: object) -> Row:
    """A shipped order that was to come so many days ago, or on the day after."""
    at = NOW - days * DAY
    window = {"earliestDateTime": stamp(at), "latestDateTime": stamp(at + DAY)}
    fulfillment = {"fulfillmentStatus": "SHIPPED", "fulfilledBy": "MERCHANT"}
    told: dict[str, object] = {
        "fulfillment": fulfillment | {"deliverByWindow": window},
        "lastUpdatedTime": stamp(NOW - timedelta(minutes=3)),  # every poll sees it
    } | changes
    return order(number, at - 3 * DAY, "SHIPPED", **told)


def installed(folder: Path, store_url: str, *, ours: bool = True) -> Runtime:
    """A runtime on a store of its own; ``ours``: the matrix leaves review requests to Okaeri."""
    data = folder / "data"
    data.mkdir()
    shutil.copytree(ROOT / "config", data / "config")
    if ours:
        with (data / "config/senders.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[channels.{json.dumps(NAME)}]\nreview_request = "okaeri"\n')
    return Runtime(Settings(data=data, database_url=store_url, transport="smtp",
                            smtp_host="127.0.0.1"))  # fmt: skip


def connected(runtime: Runtime, amazon: AmazonStore) -> None:
    """The channel with its keys, mailing since a hundred days ago, read once and planned."""
    settings = {"base_url": amazon.url, "login_url": amazon.url, "timeout": 2}
    settings["account"] = amazon.url  # the pace of an account outlives a test
    with runtime.transaction() as session:
        make_channel(
            session, NAME, kind="amazon", family=Family.AMAZON.value, settings=settings,
            active_from=NOW - 100 * DAY,
        )  # fmt: skip
    vault = vault_of(runtime, NAME)
    keys = {"client_id": CLIENT, "client_secret": SECRET, "refresh_token": REFRESH}
    for name, value in keys.items():
        vault.put(name, value)
    read(runtime)


def read(runtime: Runtime) -> None:
    """Poll the pretend Amazon, and look whom it may be had to ask."""
    assert poll_channel_once(runtime, NAME, NOW, every_stream=True).problem == ""
    plan_all_requests(runtime, NOW)


def requests(runtime: Runtime) -> dict[str, Solicitation]:
    """All requests by order number."""
    with runtime.look() as session:
        found = list(session.scalars(select(Solicitation).order_by(Solicitation.id)))
        session.expunge_all()
    return {one.external_id: one for one in found}


def states(runtime: Runtime) -> dict[str, str]:
    """The state of each request by order number."""
    return {number: one.state.value for number, one in requests(runtime).items()}


@pytest.fixture
def amazon() -> Iterator[AmazonStore]:
    """A pretend Amazon with three orders that came ten days ago."""
    one = AmazonStore(delivered(1), delivered(2), delivered(3))
    yield one
    one.loopback.stop()


@pytest.fixture
def shop(tmp_path: Path, store_url: str, amazon: AmazonStore) -> Iterator[Runtime]:
    """An installation on it, read and planned."""
    runtime = installed(tmp_path, store_url)
    connected(runtime, amazon)
    yield runtime
    runtime.dispose()


def release(runtime: Runtime, *numbers: str, expected: int | None = None) -> None:
    """Leave these orders to Amazon."""
    ids = [requests(runtime)[number].id for number in numbers]
    with runtime.transaction() as session:
        release_requests(
            session, runtime.context(), ids, expected=len(ids) if expected is None else expected,
            by="hana", now=NOW,
        )  # fmt: skip


def calls(amazon: AmazonStore) -> int:
    """How often the pretend Amazon was asked about a request."""
    return sum(one.path.startswith(SOLICITATIONS) for one in amazon.loopback.asked)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Replied | Exception) -> None:
    """Let the call itself end so; the look before it stays Amazon's."""

    def ask(_self: object, _order_id: str, _place: str) -> Replied:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr("connectors.amazon.connector.Amazon.ask", ask)
