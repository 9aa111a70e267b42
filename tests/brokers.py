"""A real broker for tests, on a socket of the test's own, to be killed and started again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.needs import absent
from tests.processes import Process, Processes, until
from worker.embedded import NoBroker, find_binary


class Broker:
    """A Valkey server with the settings of the service; its data outlive a kill -9."""

    def __init__(self, binary: Path, folder: Path, processes: Processes) -> None:
        self.socket = folder / "broker.sock"
        self.url = f"redis+socket://{self.socket}?virtual_host=0"
        self._folder = folder
        self._binary = binary
        self._processes = processes
        self.process: Process | None = None

    def start(self) -> None:
        """Start it and wait until it answers; what it had stored is there again."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        options = [part for key, value in settings.items() for part in (f"--{key}", value)]
        self.process = self._processes.start([self._binary, *options])
        until(self.answers, 10, lambda: f"no answer:\n{self._words()}")

    def client(self) -> redis.Redis:
        """A connection of the test's own."""
        at_once = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5, retry=at_once)

    def answers(self) -> bool:
        """Whether it answers now."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.exceptions.ConnectionError:
            return False

    def kill9(self) -> None:
        """Kill it where it stands."""
        assert self.process is not None
        self.process.kill9()

    def lose_everything(self) -> None:
        """Kill it and throw its data away."""
        self.kill9()
        shutil.rmtree(self._folder / "appendonlydir")

    def _words(self) -> str:
        return self.process.words() if self.process else ""


@pytest.fixture
def broker(data_dir: Path, processes: Processes) -> Iterator[Broker]:
    """A running broker of this test's own; ``broker.url`` is what Celery takes."""
    try:
        binary = find_binary()
    except NoBroker as error:
        absent(str(error))
    folder = data_dir / "broker"
    folder.mkdir()
    server = Broker(binary, folder, processes)
    server.start()
    yield server
    processes.end_all()
