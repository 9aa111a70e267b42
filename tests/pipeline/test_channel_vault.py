"""Credentials rest as ciphertexts, and one worker at a time renews a token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from connectors.contract import NeedsPerson, TryLater
from worker.pipeline.channel_vault import ChannelVault, Keyring, enter, expiries, rotate
from worker.store.channels import Channel
from worker.store.engine import reading, writing
from worker.store.leases import acquire

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
KEY, OTHER = b"k" * 32, b"o" * 32
NAME = "own:main"


@pytest.fixture
def channel(engine: Engine) -> str:
    with writing(engine) as session:
        session.add(Channel(name=NAME, kind="shop", family="own", created_at=NOW))
    return NAME


def vault(engine: Engine, owner: str = "one", key: bytes = KEY) -> ChannelVault:
    return ChannelVault(
        NAME,
        Keyring.of(key),
        look=lambda: reading(engine),
        durable=lambda: writing(engine),
        owner=owner,
        clock=lambda: NOW,
        sleep=lambda _seconds: None,
    )


def stored(engine: Engine) -> dict[str, Any]:
    with reading(engine) as session:
        return dict(session.scalars(select(Channel.secrets)).one())


def test_what_was_kept_is_given_back_and_rests_as_a_ciphertext(
    engine: Engine, channel: str
) -> None:
    ends = NOW + timedelta(days=28)
    one = vault(engine)
    assert one.get("token") is None
    one.put("token", "clear-value", ends)
    assert vault(engine, "two").get("token") == "clear-value"
    row = stored(engine)
    assert "clear-value" not in str(row)
    assert expiries(row) == {"token": ends}


def test_another_installations_key_opens_nothing_and_says_what_to_do(
    engine: Engine, channel: str
) -> None:
    vault(engine).put("token", "clear-value")
    with pytest.raises(NeedsPerson) as caught:
        vault(engine, key=OTHER).get("token")
    assert "secret.key" in caught.value.remedy
    assert "clear-value" not in str(caught.value)


def test_entering_one_credential_leaves_the_others(engine: Engine, channel: str) -> None:
    keyring = Keyring.of(KEY)
    with writing(engine) as session:
        row = session.scalars(select(Channel)).one()
        enter(row, keyring, {"key": "first", "secret": "second"}, NOW, {})
        enter(row, keyring, {"key": "third"}, NOW, {"key": NOW + timedelta(days=90)})
    one = vault(engine)
    assert (one.get("key"), one.get("secret")) == ("third", "second")
    assert expiries(stored(engine)) == {"key": NOW + timedelta(days=90)}


def test_a_new_key_opens_what_the_former_sealed_and_rotation_ends_that(
    engine: Engine, channel: str
) -> None:
    vault(engine).put("token", "clear-value", NOW)
    with writing(engine) as session:
        assert rotate(session, Keyring.of(OTHER, [KEY])) == 1
    assert vault(engine, key=OTHER).get("token") == "clear-value"
    assert expiries(stored(engine)) == {"token": NOW}
    with pytest.raises(NeedsPerson):
        vault(engine).get("token")


def test_who_looked_before_another_renewed_does_not_renew_again(
    engine: Engine, channel: str
) -> None:
    late, early = vault(engine, "late"), vault(engine, "early")
    early.put("token", "old")
    assert (late.get("token"), early.get("token")) == ("old", "old")
    with early.refreshing() as mine:
        assert mine
        early.put("token", "new")
    with late.refreshing() as mine:
        assert not mine
        assert late.get("token") == "new"
    with late.refreshing() as mine:
        assert mine


def test_a_renewal_that_failed_is_tried_by_the_next(engine: Engine, channel: str) -> None:
    first, second = vault(engine, "first"), vault(engine, "second")
    first.put("token", "old")
    second.get("token")
    with pytest.raises(TryLater), first.refreshing():
        raise TryLater("the source is down")
    with second.refreshing() as mine:
        assert mine


def test_two_workers_renew_once(engine: Engine, channel: str) -> None:
    vault(engine).put("token", "0")
    ready = threading.Barrier(2)
    renewed: list[str] = []

    def work(owner: str) -> None:
        mine = ChannelVault(
            NAME, Keyring.of(KEY), look=lambda: reading(engine),
            durable=lambda: writing(engine), owner=owner, clock=lambda: NOW,
        )  # fmt: skip
        mine.get("token")
        ready.wait(10)
        with mine.refreshing() as turn:
            if turn:
                renewed.append(owner)
                mine.put("token", "1")

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(renewed) == 1
    assert vault(engine).get("token") == "1"


def test_a_renewal_held_too_long_is_left_for_later(engine: Engine, channel: str) -> None:
    with writing(engine) as session:
        acquire(session, f"refresh:{NAME}", "somebody else", 60)
    with pytest.raises(TryLater), vault(engine).refreshing():
        raise AssertionError("nobody's turn")


def test_a_kept_token_is_committed_before_put_returns(engine: Engine, channel: str) -> None:
    order: list[str] = []

    @contextmanager
    def durable() -> Iterator[Session]:
        with writing(engine) as session:
            yield session
        order.append("committed")

    one = ChannelVault(
        NAME, Keyring.of(KEY), look=lambda: reading(engine), durable=durable,
        owner="one", clock=lambda: NOW,
    )  # fmt: skip
    one.put("token", "new")
    order.append("returned")
    assert order == ["committed", "returned"]
