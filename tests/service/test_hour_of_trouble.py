"""An hour in which one market is dead, one lost its login, one talks garbage: the rest runs on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import pytest

from console.views.channels import channel_troubles
from console.words import words_of
from tests.service.markets_story import NoPace, Town, street_of
from worker.browser_login import Answer, begin, finish
from worker.pipeline.channel_health import channel_health
from worker.runtime import Runtime, clock

DEAD, EXPIRED, GARBLED, RENEWS = "rakuten:live", "yahoo:live", "own:woo", "own:base"
TROUBLED = {DEAD, EXPIRED, GARBLED}


@pytest.fixture
def town(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Four hours ago; nobody waits for a place, and a lost answer is not asked for at once."""
    monkeypatch.setattr("worker.live.pace_of", lambda _runtime, _config: NoPace())
    made = Town(runtime, clock() - timedelta(hours=4))
    yield made
    made.close()


def end_login(town: Town) -> None:
    """Staff changed a password at Yahoo!: neither token works any more."""
    store = getattr(street_of(town.markets[EXPIRED]).loopback.handle, "__self__", None)
    assert store is not None
    store.refresh_token = "refresh-token-0001"
    store.access_tokens.clear()


def log_in_again(town: Town) -> None:
    """The clerk goes through the login in the browser."""
    address = "https://desk.example.jp/channels/login/back"
    login = begin(town.runtime, EXPIRED, address, "森本", town.now)
    finish(town.runtime, Answer("good-code", login.state), "森本", town.now)


def told(town: Town, locale: str) -> str:
    """What the first page says about channels."""
    with town.runtime.look() as session:
        troubles = channel_troubles(session, words_of(locale), town.now)
    return "\n".join(f"{one.title} {one.text} {one.address}" for one in troubles)


def test_the_others_run_on_the_first_page_says_what_is_wrong_and_nothing_is_lost(
    town: Town,
) -> None:
    town.poll()
    town.settle()
    assert town.behind() == {}
    before = {name: town.marks(name) for name in TROUBLED}

    with ExitStack() as hour:
        hour.enter_context(town.dead(DEAD))
        hour.enter_context(town.garbage(GARBLED))
        end_login(town)
        expire = street_of(town.markets[RENEWS]).expire
        assert expire is not None
        expire()  # this one can renew it
        for _ in range(14):
            town.step()
        # Twenty quiet minutes, in which the others end what they have in hand.
        for _ in range(4):
            town.now += timedelta(minutes=5)
            town.poll()

        assert set(town.behind()) == TROUBLED
        for name in town.markets.keys() - TROUBLED:
            row = town.channel(name)
            assert (row.paused, row.last_error) == (False, ""), name
            assert row.last_success_at is not None
            assert town.now - row.last_success_at <= timedelta(minutes=20), name
        assert {name: town.marks(name) for name in TROUBLED} == before
        assert {name: town.channel(name).paused for name in TROUBLED} == {
            DEAD: False,
            EXPIRED: True,
            GARBLED: False,
        }
        japanese, english = told(town, "ja"), told(town, "en")

    assert re.search(rf"取込が止まっています {EXPIRED}.*ログインの期限が切れました", japanese)
    assert re.search(rf"取込が遅れています {DEAD}", japanese)
    assert re.search(rf"取込が遅れています {GARBLED}", japanese)
    assert f"/channels/{EXPIRED}" in japanese
    assert re.search(rf"Orders are not coming in {EXPIRED}.*must log in again", english)

    log_in_again(town)
    town.now += timedelta(hours=1)  # the longest that a channel waits on its own
    town.poll()
    town.settle()

    assert town.behind() == {}
    assert town.differences() == {}
    for name in town.markets:
        row = town.channel(name)
        assert (row.paused, row.last_error, row.last_success_at) == (False, "", town.now), name
    for name in TROUBLED:
        marks = town.marks(name)
        assert all((marks[stream] or "") >= (mark or "") for stream, mark in before[name].items())
        assert marks["orders"] != before[name]["orders"]
    assert not any(title in told(town, "ja") for title in ("止まっています", "遅れています"))
    with town.runtime.look() as session:
        assert not [one.channel for one in channel_health(session, town.now) if one.problem]


def test_a_dead_market_is_asked_less_and_less_often_but_within_the_hour(town: Town) -> None:
    town.poll()
    with town.dead(DEAD):
        waits = []
        for _ in range(9):
            town.now = max(town.now, town.channel(DEAD).next_poll_at or town.now)
            town.poll()
            next_poll = town.channel(DEAD).next_poll_at
            assert next_poll is not None
            waits.append((next_poll - town.now).total_seconds())
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (60.0, 3600.0)


def test_every_market_whose_token_renews_itself_can_lose_it_in_the_demonstration(
    town: Town,
) -> None:
    town.poll()
    able = {name for name, one in town.markets.items() if street_of(one).expire}
    assert able >= {"own:base", "yahoo:live", "amazon:live", "own:eccube", "qoo10:live"}
    for name in able:
        street = street_of(town.markets[name])
        said = ""
        while "token" not in said:
            said = street.disturb()
            street.loopback.faults.clear()
    town.step()
    town.settle()
    assert (town.behind(), town.differences()) == ({}, {})
