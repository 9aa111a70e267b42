"""`okaeri run`: files are taken in by themselves, and whatever is killed comes back."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest

from tests.path.services import Service, order_line, service
from tests.processes import Processes
from worker.pipeline.render import recheck
from worker.pipeline.review import approve
from worker.runtime import clock

__all__ = ["service"]
pytestmark = pytest.mark.broker


def approve_all(service: Service) -> int:
    waiting = [row["message"] for row in service.rows("messages") if row["state"] == "in_review"]
    with service.runtime.transaction() as session:
        for message in waiting:
            approve(
                session, service.runtime.context(), message, by="t", now=clock(), recheck=recheck
            )
    return len(waiting)


def test_a_dropped_file_becomes_captured_mails(service: Service, processes: Processes) -> None:
    process = service.start()
    service.until(lambda: service.pid_of("broker") > 0)
    path = service.drop("orders.csv", [order_line("A-1", "m1"), order_line("A-2", "m2")])
    service.until((service.data / "broker.sock").exists)
    service.wake("poll")

    service.until(lambda: service.states() == ["in_review", "in_review"], 90)
    assert not path.exists()
    assert len(list(path.parent.glob("taken/*orders.csv"))) == 1
    assert service.captured() == []
    assert approve_all(service) == 2
    service.until(lambda: len(service.captured()) == 2)
    service.until(lambda: service.states() == ["sent", "sent"])

    process.interrupt_group()
    assert process.wait(60) == 0
    processes.assert_none_left()
    service.until_all_gone()


def test_a_killed_supervisor_leaves_no_child(service: Service, processes: Processes) -> None:
    process = service.start()
    service.until(lambda: service.pid_of("console") > 0)
    time.sleep(2)

    process.kill9()

    processes.assert_none_left(30)
    service.until_all_gone()


def test_a_killed_worker_comes_back_and_the_work_goes_on(
    service: Service, processes: Processes
) -> None:
    process = service.start()
    service.until(lambda: service.pid_of("beat") > 0)
    before = service.pid_of("worker")

    os.kill(before, signal.SIGKILL)
    service.drop("orders.csv", [order_line("A-1", "m1")])

    service.until(lambda: service.pid_of("worker") != before)
    service.until(lambda: service.states() == ["in_review"], 120)
    process.interrupt_group()
    assert process.wait(60) == 0
    processes.assert_none_left()
    service.until_all_gone()


def test_losing_all_the_brokers_data_loses_nothing(service: Service, processes: Processes) -> None:
    """P16: what is due stands in the database, and the sweeps find it there."""
    process = service.start()
    service.until(lambda: service.pid_of("broker") > 0)
    service.drop("orders.csv", [order_line(f"A-{n}", f"m{n}") for n in range(20)])
    service.until(lambda: len(service.rows("orders")) == 20, 90)

    os.kill(service.pid_of("broker"), signal.SIGKILL)
    shutil.rmtree(service.data / "broker" / "appendonlydir")

    service.until(lambda: service.states() == ["in_review"] * 20, 120)
    approve_all(service)
    os.kill(service.pid_of("broker"), signal.SIGKILL)
    shutil.rmtree(service.data / "broker" / "appendonlydir", ignore_errors=True)
    service.until(lambda: service.states() == ["sent"] * 20, 120)
    assert len(service.captured()) == 20

    process.interrupt_group()
    assert process.wait(60) == 0
    processes.assert_none_left()
    service.until_all_gone()
