"""kill -9 of the dispatching process at every step: never two mails, never one forgotten (P3)."""

from __future__ import annotations

import random
import signal
import time

import pytest

from tests.drills.house import House, house, small_house
from tests.mailboxes import Rule
from tests.processes import until
from worker.rules.states import MessageState

S = MessageState
POINTS = {
    "claimed": (S.SENT, 1),
    "sending_committed": (S.UNCONFIRMED, 0),
    "sending_journalled": (S.UNCONFIRMED, 0),
    "accepted": (S.UNCONFIRMED, 1),
    "outcome_journalled": (S.SENT, 1),
    "done": (S.SENT, 1),
}
"""Where the worker dies: what the message ends as, and how often the server took it."""

__all__ = ["house", "small_house"]


def die_and_recover(house: House, point: str) -> None:
    ids = house.approve(3)
    first, *rest = ids
    house.work("--die-at", point, code=-signal.SIGKILL)
    house.wait_long()
    house.work()
    end, taken = POINTS[point]
    states = house.states()
    assert {message_id: states[message_id] for message_id in rest} == dict.fromkeys(rest, S.SENT)
    assert (states[first], house.accepted_of(first)) == (end, taken)
    assert max(house.accepted().values()) == 1
    assert sum(house.accepted().values()) == 2 + taken


@pytest.mark.parametrize("point", ["sending_journalled", "accepted"])
def test_a_killed_worker_doubles_and_forgets_nothing(small_house: House, point: str) -> None:
    die_and_recover(small_house, point)


@pytest.mark.drill
@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at_each_step_doubles_and_forgets_nothing(house: House, point: str) -> None:
    die_and_recover(house, point)


def test_a_worker_killed_after_the_final_dot_leaves_the_mail_to_a_person(
    small_house: House,
) -> None:
    small_house.server.behave(Rule("dot", delay=30))
    (message_id,) = small_house.approve()
    worker = small_house.start()
    small_house.server.wait_for(1)
    worker.kill9()
    small_house.server.behave()
    small_house.wait_long()
    small_house.work()
    assert small_house.states() == {message_id: S.UNCONFIRMED}
    assert small_house.accepted_of(message_id) == 1


@pytest.mark.drill
def test_a_worker_killed_while_the_server_thinks_about_data_sent_nothing(
    small_house: House,
) -> None:
    small_house.server.behave(Rule("data", delay=30))
    (message_id,) = small_house.approve()
    worker = small_house.start()
    worker.until_says("sending_journalled")
    time.sleep(0.3)
    worker.kill9()
    small_house.server.behave()
    small_house.wait_long()
    small_house.work()
    assert small_house.states() == {message_id: S.UNCONFIRMED}
    assert small_house.accepted() == {}


def test_two_workers_on_the_same_rows_send_each_mail_once(small_house: House) -> None:
    two_workers(small_house, 20)


@pytest.mark.drill
def test_two_workers_on_many_rows_send_each_mail_once(house: House) -> None:
    two_workers(house, 200)


def two_workers(house: House, number: int) -> None:
    ids = house.approve(number)
    workers = [house.start("--runs", str(number // 10)) for _ in range(2)]
    assert [worker.wait(120) for worker in workers] == [0, 0], workers[0].words()
    house.wait_long()
    house.work("--runs", "5")
    assert house.states() == dict.fromkeys(ids, S.SENT)
    assert sorted(house.accepted().values()) == [1] * number


@pytest.mark.drill
def test_workers_killed_at_random_double_and_forget_nothing(house: House) -> None:
    ids = house.approve(60)
    house.server.behave(Rule("dot", delay=0.02))
    chance = random.Random(20261120)
    for _ in range(12):
        worker = house.start("--runs", "50")
        worker.until_says("ready")
        time.sleep(chance.uniform(0.05, 0.6))
        worker.kill9()
        house.wait_long()
    house.work("--runs", "10")
    house.wait_long()
    states = house.states()
    assert set(states.values()) <= {S.SENT, S.UNCONFIRMED}
    assert set(house.accepted().values()) == {1}
    for message_id in ids:
        if states[message_id] is S.SENT:
            assert house.accepted_of(message_id) == 1


@pytest.mark.drill
def test_a_mail_server_killed_in_the_middle_doubles_and_forgets_nothing(house: House) -> None:
    ids = house.approve(30)
    house.server.behave(Rule("dot", delay=0.05))
    worker = house.start("--runs", "3")
    until(lambda: sum(house.accepted().values()) >= 5)
    house.server.kill9()
    assert worker.wait(60) == 0
    house.server.start()
    house.wait_long()
    unsure = [m for m, state in house.states().items() if state is S.UNCONFIRMED]
    assert len(unsure) <= 1
    states = set(house.states().values())
    assert states <= {S.SENT, S.UNCONFIRMED, S.RETRY_WAIT, S.APPROVED}
    assert set(house.accepted().values()) == {1}
    assert len(house.states()) == len(ids)
