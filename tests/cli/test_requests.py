"""okaeri requests: the marketplace's own review requests without a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.cli.commands import Cli
from tests.factories import make_channel, make_order_row
from tests.folders import ROOT
from worker.rules.states import MessageState
from worker.runtime import Runtime, clock
from worker.settings import Settings
from worker.store.solicitations import Solicitation

NAME = "amazon:jp"


@pytest.fixture
def runtime(cli: Cli) -> Iterator[Runtime]:
    """An Amazon channel with two orders that may be asked about."""
    shutil.copytree(ROOT / "config", cli.data / "config")
    cli("channels", "list")
    senders = cli.data / "config/senders.toml"
    senders.write_text(
        senders.read_text("utf-8") + f'\n[channels."{NAME}"]\nreview_request = "okaeri"\n', "utf-8"
    )
    opened = Runtime(Settings(data=cli.data))
    at, day = clock(), timedelta(days=1)
    with opened.transaction() as session:
        channel = make_channel(session, NAME, kind="amazon")
        for number in ("250-1", "250-2"):
            make_order_row(session, channel, None, at - 9 * day, external_id=number,
                           fulfilment="shipped")  # fmt: skip
            session.add(
                Solicitation(
                    channel_id=channel.id, external_id=number, state=MessageState.HANDOFF,
                    opens_at=at - day, closes_at=at + day, looked_at=at, created_at=at, history=[],
                )
            )  # fmt: skip
    yield opened
    opened.dispose()


def listed(cli: Cli) -> list[str]:
    return [row["number"] for row in cli("requests", "list", "--json").json]


def test_requests_are_released_by_their_exact_number(cli: Cli, runtime: Runtime) -> None:
    assert listed(cli) == ["250-1", "250-2"]
    told = cli("requests", "release", "--channel", NAME, "--expected", "3", expect=2)
    assert "Expected 3 requests, now 2 can go" in told.err
    cli("requests", "release", expect=2)
    cli("requests", "release", "--channel", NAME, expect=2)
    cli("requests", "release", "250-9", "--expected", "1", expect=2)
    assert len(listed(cli)) == 2
    assert "試運転" in cli("requests", "release", "250-2", "--expected", "1").err
    assert listed(cli) == ["250-1"]


def test_a_doubt_is_settled_by_the_orders_number(cli: Cli, runtime: Runtime) -> None:
    cli("requests", "resolve", "250-1", "--was", "asked", expect=2)
    with runtime.transaction() as session:
        session.execute(
            update(Solicitation)
            .where(Solicitation.external_id == "250-1")
            .values(state=MessageState.UNCONFIRMED)
        )
    cli("requests", "resolve", "250-1", "--was", "lost", expect=2)
    cli("requests", "resolve", "250-1", "--was", "not-asked", "--channel", "own:shop", expect=2)
    assert "記録しました" in cli("requests", "resolve", "250-1", "--was", "not-asked").err
    assert listed(cli) == ["250-1", "250-2"]


def test_looking_through_the_orders_says_how_many_are_new(cli: Cli, runtime: Runtime) -> None:
    with runtime.transaction() as session:
        session.execute(update(Solicitation).values(closes_at=clock() - timedelta(days=1)))
    assert cli("requests", "plan", "--json").json == {"new": 0}
    assert listed(cli) == []
