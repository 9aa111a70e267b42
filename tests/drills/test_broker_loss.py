"""The broker goes away in every way it can; the worker is back at work within ten seconds."""

from __future__ import annotations

import signal
import time
import uuid
from pathlib import Path

import pytest

from tests.brokers import Broker
from tests.processes import Process, Processes, until
from worker.celery import make_app
from worker.settings import Settings
from worker.supervisor import worker_command

BACK_SECONDS = 10.0


class Echo:
    """A worker under the drill, and the file in which its tasks write."""

    def __init__(self, broker: Broker, worker: Process, written: Path) -> None:
        self.broker, self.worker, self.written = broker, worker, written

    def send(self, task: str, *more: object) -> str:
        """Enqueue by a producer of its own, as a fresh process would."""
        word = uuid.uuid4().hex
        with make_app(self.broker.url) as app:
            app.send_task(f"drill.{task}", (str(self.written), word, *more))
        return word

    def words(self) -> list[str]:
        """What the tasks have written."""
        return self.written.read_text().split() if self.written.exists() else []

    def until_written(self, word: str, seconds: float = BACK_SECONDS) -> None:
        """Wait for a word; the worker is the same process all along."""
        until(
            lambda: word in self.words() or not self.worker.running,
            seconds,
            lambda: f"deaf for {seconds} s:\n{self.worker.words()[-4000:]}",
        )
        assert self.worker.running, self.worker.words()[-4000:]

    def consumes(self) -> None:
        """A task sent now is done within ten seconds."""
        self.until_written(self.send("note"))


@pytest.fixture(params=["prefork", "threads"])
def echo(
    request: pytest.FixtureRequest, broker: Broker, processes: Processes, data_dir: Path
) -> Echo:
    settings = Settings(data=data_dir, pool=request.param, concurrency=2)
    worker = processes.start(
        worker_command(settings, "tests.drills.echo"), env={"OKAERI_BROKER_URL": broker.url}
    )
    drilled = Echo(broker, worker, data_dir / "written")
    drilled.until_written(drilled.send("note"), 30)
    return drilled


@pytest.mark.broker
def test_a_killed_broker_is_found_again_with_a_task_in_flight(echo: Echo) -> None:
    in_flight = echo.send("slow", 2.0)
    echo.until_written(f"{in_flight}-started")

    echo.broker.kill9()
    time.sleep(1)
    echo.broker.start()

    echo.consumes()
    echo.until_written(in_flight)


@pytest.mark.drill
@pytest.mark.broker
@pytest.mark.parametrize("away", [1.0, 20.0])
def test_an_idle_worker_survives_a_killed_broker(echo: Echo, away: float) -> None:
    for _ in range(3):
        echo.broker.kill9()
        time.sleep(away)
        echo.broker.start()

        echo.consumes()


@pytest.mark.drill
@pytest.mark.broker
def test_what_was_queued_when_the_broker_died_is_done(echo: Echo) -> None:
    busy = [echo.send("slow", 6.0) for _ in range(2)]
    for word in busy:
        echo.until_written(f"{word}-started")
    queued = [echo.send("note") for _ in range(5)]
    time.sleep(1.5)  # appendfsync everysec: what is older than a second is on the disk

    echo.broker.kill9()
    time.sleep(2)
    echo.broker.start()

    echo.consumes()
    for word in [*busy, *queued]:
        echo.until_written(word, 30)


@pytest.mark.drill
@pytest.mark.broker
@pytest.mark.parametrize("kind", ["normal", "pubsub"])
def test_cut_connections_are_opened_again(echo: Echo, kind: str) -> None:
    for _ in range(3):
        with echo.broker.client() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")

        echo.consumes()


@pytest.mark.drill
@pytest.mark.broker
def test_a_clean_restart_is_survived(echo: Echo) -> None:
    assert echo.broker.process is not None
    echo.broker.process.signal(signal.SIGTERM)
    assert echo.broker.process.wait() == 0
    time.sleep(3)
    echo.broker.start()

    echo.consumes()


@pytest.mark.drill
@pytest.mark.broker
def test_a_frozen_broker_is_waited_for(echo: Echo) -> None:
    assert echo.broker.process is not None
    in_flight = echo.send("slow", 5.0)
    echo.until_written(f"{in_flight}-started")

    echo.broker.process.signal(signal.SIGSTOP)
    time.sleep(70)
    echo.broker.process.signal(signal.SIGCONT)

    echo.consumes()
    echo.until_written(in_flight)
