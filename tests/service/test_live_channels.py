"""Live channels polled over real HTTP: reach, streams, tokens, faults, and who waits for whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from connectors.kit.live import StillPreparing
from tests.connectors.loopback import Answered, told, web_page
from tests.factories import NOW, make_channel
from tests.toy_shop import KEY, REFRESH, Toy, ToyServer, toy
from worker.backfill import backfill
from worker.live import channel_config, keyring, open_channel_connector, pace_of, vault_of
from worker.pipeline.channel_admin import Setup, set_up
from worker.polling import Polled, due_channels, poll_channel_once, poll_if_due
from worker.runtime import Runtime
from worker.store.channels import Channel, StreamState
from worker.store.orders import OrderRow, Quarantine

__all__ = ["toy"]
NAME = "own:toy"


def opened(runtime: Runtime, toy: ToyServer, name: str = NAME, **secrets: str) -> None:
    setup = Setup(
        name, "toy", settings={"base_url": toy.loopback.url}, secrets={"key": KEY} | secrets
    )
    with runtime.transaction() as session:
        set_up(session, runtime.context(), keyring(runtime), setup, "test", NOW)


def channel(runtime: Runtime, name: str = NAME) -> Channel:
    with runtime.transaction() as session:
        found = session.scalars(select(Channel).where(Channel.name == name)).one()
        session.expunge(found)
    return found


def numbers(runtime: Runtime) -> list[str]:
    with runtime.look() as session:
        return list(session.scalars(select(OrderRow.number).order_by(OrderRow.number)))


def asked(toy: ToyServer, path: str = "/orders") -> int:
    return sum(one.path == path for one in toy.loopback.asked)


def test_a_first_read_brings_the_history_and_closes_the_reach(
    runtime: Runtime, toy: ToyServer
) -> None:
    for day in (70, 50, 30, 2):
        toy.add(f"T-{day}", NOW - timedelta(days=day))
    opened(runtime, toy)
    assert channel(runtime).history_complete_since == date(2026, 11, 20)

    polled = poll_channel_once(runtime, NAME, NOW)

    assert (polled.problem, numbers(runtime)) == ("", ["T-2", "T-30", "T-50"])
    found = channel(runtime)
    assert found.history_complete_since == date(2026, 9, 22)
    assert "reading_since" not in found.settings
    assert found.next_poll_at == NOW + timedelta(seconds=300)


def test_a_poll_that_was_asked_for_twice_is_made_once(runtime: Runtime, toy: ToyServer) -> None:
    opened(runtime, toy)
    assert poll_if_due(runtime, NAME, NOW).pages > 0
    questions = len(toy.loopback.asked)
    assert poll_if_due(runtime, NAME, NOW).pages == 0
    assert len(toy.loopback.asked) == questions
    assert poll_if_due(runtime, NAME, NOW + timedelta(seconds=300)).pages > 0


def test_a_later_poll_never_shortens_the_reach(runtime: Runtime, toy: ToyServer) -> None:
    opened(runtime, toy)
    poll_channel_once(runtime, NAME, NOW)
    poll_channel_once(runtime, NAME, NOW + timedelta(days=30))
    assert channel(runtime).history_complete_since == date(2026, 9, 22)


def test_a_long_first_read_is_cut_and_goes_on_where_it_stopped(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in range(9):
        toy.add(f"T-{place}", NOW - timedelta(days=place + 1))
    opened(runtime, toy)
    monkeypatch.setattr("worker.polling._BUDGET_SECONDS", -1.0)
    polls = 0
    while True:
        polls += 1
        now = NOW + timedelta(seconds=polls)
        poll_channel_once(runtime, NAME, now)
        found = channel(runtime)
        if "reading_since" not in found.settings:
            break
        assert found.next_poll_at == now, "goes on at once"
        assert found.history_complete_since == date(2026, 11, 20), "not before the end"
        assert polls < 40
        if polls == 30:
            monkeypatch.setattr("worker.polling._BUDGET_SECONDS", 300.0)
    assert numbers(runtime) == sorted(toy.orders)
    assert found.history_complete_since == date(2026, 9, 22)


def test_a_rarer_stream_waits_for_its_time(runtime: Runtime, toy: ToyServer) -> None:
    opened(runtime, toy)
    poll_channel_once(runtime, NAME, NOW)

    def scanned() -> datetime | None:
        with runtime.look() as session:
            query = select(StreamState.last_success_at).where(StreamState.stream == "cancel_scan")
            return session.scalars(query).one()

    poll_channel_once(runtime, NAME, NOW + timedelta(minutes=5))
    assert scanned() == NOW
    poll_channel_once(runtime, NAME, NOW + timedelta(minutes=10), every_stream=True)
    assert scanned() == NOW + timedelta(minutes=10)
    poll_channel_once(runtime, NAME, NOW + timedelta(minutes=75))
    assert scanned() == NOW + timedelta(minutes=75)


def test_a_wrong_key_pauses_the_channel_and_says_what_to_do(
    runtime: Runtime, toy: ToyServer
) -> None:
    opened(runtime, toy, key="wrong-key-value")

    polled = poll_channel_once(runtime, NAME, NOW)

    assert "401" in polled.problem
    found = channel(runtime)
    assert found.paused
    assert "Enter a new key" in found.pause_reason
    assert "wrong-key-value" not in found.pause_reason
    assert due_channels(runtime, NOW + timedelta(days=1)) == []


def test_entering_the_right_key_polls_again(runtime: Runtime, toy: ToyServer) -> None:
    toy.add("T-1", NOW - timedelta(days=1))
    opened(runtime, toy, key="wrong-key-value")
    poll_channel_once(runtime, NAME, NOW)
    opened(runtime, toy)

    assert due_channels(runtime, NOW) == [NAME]
    poll_channel_once(runtime, NAME, NOW)
    assert numbers(runtime) == ["T-1"]


def test_an_expired_key_is_renewed_once_and_kept(runtime: Runtime, toy: ToyServer) -> None:
    toy.add("T-1", NOW - timedelta(days=1))
    opened(runtime, toy)
    vault_of(runtime, NAME).put("refresh", REFRESH)
    toy.key = "another"

    assert poll_channel_once(runtime, NAME, NOW).problem == ""
    assert poll_channel_once(runtime, NAME, NOW + timedelta(minutes=5)).problem == ""

    assert (toy.refreshed, numbers(runtime)) == (1, ["T-1"])
    assert vault_of(runtime, NAME).get("key") == toy.key


@pytest.mark.parametrize(
    "fault",
    [
        told({"error": "busy"}, 503),
        told({"error": "slow down"}, 429, retry_after="600"),
        web_page(200),
        Answered(200, b'{"orders": [', {"content-type": "application/json"}),
        Answered(200, b"garbage", {"content-type": "application/json"}),
    ],
    ids=["busy", "limited", "web page", "truncated", "garbage"],
)
def test_a_source_in_trouble_is_asked_later_and_nothing_is_lost(
    runtime: Runtime, toy: ToyServer, fault: Answered
) -> None:
    toy.add("T-1", NOW - timedelta(days=1))
    opened(runtime, toy)
    toy.loopback.faults.append(fault)

    polled = poll_channel_once(runtime, NAME, NOW)

    found = channel(runtime)
    wait = 600 if fault.status == 429 else 60
    assert (bool(polled.problem), found.paused) == (True, False)
    assert found.next_poll_at == NOW + timedelta(seconds=wait)
    assert poll_channel_once(runtime, NAME, NOW + timedelta(seconds=wait)).problem == ""
    assert (numbers(runtime), channel(runtime).last_error) == (["T-1"], "")


def test_a_channel_in_trouble_leaves_the_others_running(runtime: Runtime, toy: ToyServer) -> None:
    other = ToyServer()
    other.add("O-1", NOW - timedelta(days=1))
    opened(runtime, toy)
    opened(runtime, other, "own:other")
    toy.loopback.stop()

    assert poll_channel_once(runtime, NAME, NOW).problem
    assert poll_channel_once(runtime, "own:other", NOW).problem == ""
    assert numbers(runtime) == ["O-1"]
    other.loopback.stop()


def test_a_record_of_a_shape_nobody_knew_is_set_aside_and_the_rest_goes_on(
    runtime: Runtime, toy: ToyServer
) -> None:
    toy.add("T-1", NOW - timedelta(days=1))
    toy.add("T-2", NOW - timedelta(days=1), total="?")
    toy.add("T-3", NOW - timedelta(days=1), state=None, ordered_at=None)
    toy.orders["T-3"]["ordered_at"] = NOW.isoformat()
    toy.orders["T-3"]["updated_at"] = (NOW - timedelta(days=1)).isoformat()
    del toy.orders["T-3"]["state"]
    opened(runtime, toy)

    poll_channel_once(runtime, NAME, NOW)

    assert numbers(runtime) == ["T-1"]
    with runtime.look() as session:
        cases = session.execute(select(Quarantine.external_id, Quarantine.code)).all()
    assert sorted(map(tuple, cases)) == [("T-2", "bad_money"), ("T-3", "unexpected_shape")]


def test_a_fault_in_a_connector_is_noted_at_its_channel(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: Any) -> None:
        raise ZeroDivisionError("a buyer's words")

    opened(runtime, toy)
    monkeypatch.setattr(Toy, "pull", broken)

    with pytest.raises(ZeroDivisionError):
        poll_channel_once(runtime, NAME, NOW)

    found = channel(runtime)
    assert found.next_poll_at == NOW + timedelta(minutes=5)
    assert "ZeroDivisionError" in found.last_error
    assert "buyer" not in found.last_error


def test_a_nudge_during_a_poll_is_not_forgotten(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(runtime, toy)
    soon = NOW + timedelta(seconds=10)
    real = Toy.pull

    def nudged(self: Toy, *arguments: Any) -> Any:
        with runtime.transaction() as session:
            session.scalars(select(Channel)).one().next_poll_at = soon
        return real(self, *arguments)

    monkeypatch.setattr(Toy, "pull", nudged)
    poll_channel_once(runtime, NAME, NOW)
    assert channel(runtime).next_poll_at == soon


def test_a_channel_of_files_becomes_live_and_keeps_what_it_had(
    runtime: Runtime, toy: ToyServer
) -> None:
    with runtime.transaction() as session:
        make_channel(session, NAME, history_complete_since=date(2020, 1, 1))
    opened(runtime, toy)
    poll_channel_once(runtime, NAME, NOW)
    found = channel(runtime)
    assert (found.kind, found.history_complete_since) == ("toy", date(2020, 1, 1))


def test_a_connector_is_given_the_vault_of_its_own_channel(
    runtime: Runtime, toy: ToyServer
) -> None:
    opened(runtime, toy)
    opened(runtime, toy, "own:second", key="second-key")
    one = open_channel_connector(runtime, channel_config(runtime, NAME))
    two = open_channel_connector(runtime, channel_config(runtime, "own:second"))
    assert isinstance(one, Toy)
    assert isinstance(two, Toy)
    assert (one._vault.get("key"), two._vault.get("key")) == (KEY, "second-key")


def test_a_used_up_quota_is_waited_out_to_its_reset(runtime: Runtime, toy: ToyServer) -> None:
    name = "own:quota"  # the pace of an account outlives this test
    opened(runtime, toy, name)
    pace = pace_of(runtime, channel_config(runtime, name))
    pace.exhausted("orders", datetime.now(UTC) + timedelta(hours=2))

    assert poll_channel_once(runtime, name, NOW).problem

    found = channel(runtime, name)
    assert found.next_poll_at is not None
    assert abs(found.next_poll_at - NOW - timedelta(hours=2)) < timedelta(minutes=1)
    assert not found.paused
    assert asked(toy) == 0


def test_an_hour_of_garbage_leaves_the_others_running_and_the_store_exact_after(
    runtime: Runtime, toy: ToyServer
) -> None:
    other = ToyServer()
    opened(runtime, toy)
    opened(runtime, other, "own:other")
    garbage = Answered(200, b"\x00\xff<<<", {"content-type": "application/json"})
    for minute in range(0, 60, 5):
        now = NOW + timedelta(minutes=minute)
        toy.add(f"T-{minute}", now - timedelta(seconds=1))
        toy.add("T-0", now - timedelta(seconds=1), total=1000 + minute)
        other.add(f"O-{minute}", now - timedelta(seconds=1))
        toy.loopback.faults.extend([garbage] * 20)
        for name in due_channels(runtime, now):
            poll_channel_once(runtime, name, now)
        toy.loopback.faults.clear()
    assert [one for one in numbers(runtime) if one.startswith("T-")] == []
    assert len([one for one in numbers(runtime) if one.startswith("O-")]) == len(other.orders)
    assert channel(runtime).last_error

    for hours in (2, 3):
        for name in due_channels(runtime, NOW + timedelta(hours=hours)):
            poll_channel_once(runtime, name, NOW + timedelta(hours=hours))

    with runtime.look() as session:
        rows = session.execute(select(OrderRow.number, OrderRow.total))
        stored = {row.number: row.total for row in rows}
    assert stored == {one["number"]: one["total"] for one in (toy.orders | other.orders).values()}
    assert channel(runtime).last_error == ""
    other.loopback.stop()


def test_a_source_that_prepares_a_file_is_asked_again_when_it_says(
    runtime: Runtime, toy: ToyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pull(*_arguments: object) -> None:
        raise StillPreparing("writing the file", retry_after=30)

    opened(runtime, toy)
    monkeypatch.setattr(Toy, "pull", pull)
    assert poll_channel_once(runtime, NAME, NOW) == Polled()
    found = channel(runtime)
    assert (found.next_poll_at, found.last_error) == (NOW + timedelta(seconds=30), "")
    done = backfill(runtime, NAME, NOW)
    assert (done.finished, done.retry_at) == (False, NOW + timedelta(seconds=30))
    assert done.problem == "writing the file"
