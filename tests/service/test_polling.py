"""Polling: what is due is read under a lease, and a channel that fails says so."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cli.commands import HEADER, line
from tests.factories import NOW, make_channel
from worker.polling import (
    UnknownChannel,
    channel_config,
    drop_folder,
    due_channels,
    poll_channel_once,
)
from worker.runtime import Runtime
from worker.store.channels import Channel
from worker.store.leases import acquire
from worker.store.orders import OrderRow


def opened(runtime: Runtime, name: str = "own:main", **fields: object) -> None:
    with runtime.transaction() as session:
        make_channel(session, name, **fields)  # type: ignore[arg-type]


def dropped(runtime: Runtime, name: str, *lines: str) -> Path:
    folder = drop_folder(runtime.settings, "own:main")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    old = time.time() - 3600
    os.utime(path, (old, old))
    return path


def channel(runtime: Runtime, name: str = "own:main") -> Channel:
    with runtime.transaction() as session:
        found = session.scalars(select(Channel).where(Channel.name == name)).one()
        session.expunge(found)
    return found


def test_a_channel_is_due_when_its_time_has_come_and_nobody_paused_it(runtime: Runtime) -> None:
    opened(runtime, "own:never")
    opened(runtime, "own:past", next_poll_at=NOW - timedelta(seconds=1))
    opened(runtime, "own:later", next_poll_at=NOW + timedelta(seconds=1))
    opened(runtime, "own:paused", paused=True)

    assert sorted(due_channels(runtime, NOW)) == ["own:never", "own:past"]


def test_a_poll_takes_the_file_in_and_notes_when_to_come_again(runtime: Runtime) -> None:
    opened(runtime)
    path = dropped(runtime, "a.csv", line("A-1", "m1", now=NOW))

    assert poll_channel_once(runtime, "own:main", NOW).pages == 1

    assert not path.exists()
    found = channel(runtime)
    assert (found.last_success_at, found.next_poll_at) == (NOW, NOW + timedelta(seconds=60))
    with runtime.look() as session:
        assert list(session.scalars(select(OrderRow.number))) == ["A-1"]


def test_two_polls_of_one_channel_never_run_at_once(runtime: Runtime) -> None:
    opened(runtime)
    with runtime.transaction() as session:
        acquire(session, "poll:own:main", "elsewhere:1:1", 60)

    assert poll_channel_once(runtime, "own:main", NOW).busy


def test_the_lease_of_a_killed_process_is_not_waited_for(runtime: Runtime) -> None:
    opened(runtime)
    host = runtime.owner.partition(":")[0]
    with runtime.transaction() as session:
        acquire(session, "poll:own:main", f"{host}:{_dead_pid()}:1", 600)

    assert not poll_channel_once(runtime, "own:main", NOW).busy


def _dead_pid() -> int:
    pid = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(pid, 0)
    return pid


def test_the_lease_of_a_living_process_is_respected(runtime: Runtime) -> None:
    opened(runtime)
    host = runtime.owner.partition(":")[0]
    with runtime.transaction() as session:
        acquire(session, "poll:own:main", f"{host}:{os.getppid()}:1", 600)

    assert poll_channel_once(runtime, "own:main", NOW).busy


def test_an_unreadable_file_is_told_and_asked_for_again_soon(runtime: Runtime) -> None:
    opened(runtime)
    dropped(runtime, "odd.csv").write_text("just words\n", "utf-8")
    old = time.time() - 3600
    os.utime(drop_folder(runtime.settings, "own:main") / "odd.csv", (old, old))

    polled = poll_channel_once(runtime, "own:main", NOW)

    assert "odd.csv" in polled.problem
    found = channel(runtime)
    assert (found.paused, found.next_poll_at) == (False, NOW + timedelta(minutes=5))
    assert "odd.csv" in found.last_error


def test_a_channel_of_unknown_kind_waits_for_a_person(runtime: Runtime) -> None:
    opened(runtime, kind="telepathy")

    assert "telepathy" in poll_channel_once(runtime, "own:main", NOW).problem

    found = channel(runtime)
    assert found.paused
    assert "telepathy" in found.pause_reason


def test_an_unknown_channel_is_named(runtime: Runtime) -> None:
    with pytest.raises(UnknownChannel, match="own:absent"):
        channel_config(runtime, "own:absent")
