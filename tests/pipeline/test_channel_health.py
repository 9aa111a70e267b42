"""Channels at a glance, and a word in time before a credential ends."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from tests.factories import NOW, make_channel
from worker.pipeline.channel_health import (
    EXPIRING,
    channel_health,
    days_left,
    plain,
    warn_of_expiry,
)
from worker.pipeline.channel_vault import Keyring, sealed
from worker.store.channels import Channel
from worker.store.engine import reading, writing
from worker.store.rewards import StaffTask

RING = Keyring.of(b"k" * 32)
ENDS = NOW + timedelta(days=20)


@pytest.fixture(autouse=True)
def store(engine: Engine) -> None:
    with writing(engine) as session:
        make_channel(
            session, "rakuten:main", kind="toy", secrets={"key": sealed(RING, "v", NOW, ENDS)}
        )
        make_channel(session, "own:files", last_success_at=NOW - timedelta(hours=1))


def warned(engine: Engine, now: datetime) -> list[int]:
    """Days left by the tasks that stand open after a look at that instant."""
    with writing(engine) as session:
        warn_of_expiry(session, now)
    with reading(engine) as session:
        query = select(StaffTask.detail).where(
            StaffTask.kind == EXPIRING, StaffTask.done_at.is_(None)
        )
        return [detail["days_left"] for detail in session.scalars(query)]


def test_staff_are_asked_at_fourteen_seven_three_and_one_days_and_at_the_end(
    engine: Engine,
) -> None:
    told = {left: warned(engine, ENDS - timedelta(days=left)) for left in range(20, -2, -1)}
    assert told[20] == told[15] == []
    assert told[14] == told[10] == told[8] == [14]
    assert told[7] == told[4] == [7]
    assert told[3] == told[2] == [3]
    assert told[1] == [1]
    assert told[0] == told[-1] == [0]
    with reading(engine) as session:
        assert len(session.scalars(select(StaffTask.id)).all()) == 5


def test_a_renewed_credential_ends_the_task(engine: Engine) -> None:
    assert warned(engine, ENDS - timedelta(days=3)) == [3]
    with writing(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == "rakuten:main")).one()
        row.secrets = {"key": sealed(RING, "v2", NOW, ENDS + timedelta(days=90))}
    assert warned(engine, ENDS - timedelta(days=3)) == []


def test_days_are_counted_up_to_the_end(engine: Engine) -> None:
    assert days_left(ENDS, ENDS - timedelta(days=1)) == 1
    assert days_left(ENDS, ENDS - timedelta(hours=1)) == 1
    assert days_left(ENDS, ENDS) == 0
    assert days_left(ENDS, ENDS + timedelta(days=5)) == 0


def test_health_tells_lag_trouble_and_the_next_end(engine: Engine) -> None:
    with writing(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == "rakuten:main")).one()
        row.paused, row.pause_reason = True, "キーを入れ直してください"
    with reading(engine) as session:
        files, rakuten = channel_health(session, NOW)
    assert (files.channel, files.lag_seconds, files.problem) == ("own:files", 3600.0, "")
    assert (rakuten.problem, rakuten.next_expiry) == ("キーを入れ直してください", ENDS)
    assert plain(rakuten)["expires"] == ENDS.date()
    assert "v" not in plain(rakuten)["credentials"].values()
