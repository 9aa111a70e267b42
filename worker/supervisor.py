"""The one-command service: starts broker, worker, beat and console, and restarts what exits."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from worker import log
from worker.embedded import prepare
from worker.settings import QUEUES, Settings, export_settings

_log = log.get("supervisor")
_BACKOFF_FIRST, _BACKOFF_MOST = 0.5, 30.0
_STEADY_SECONDS = 60.0
"""A child that lived this long starts its back-off anew."""
_STOP_SECONDS = 25.0
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask Linux to end the child when the supervisor dies, even by kill -9."""
    os.setpgid(0, 0)  # a Ctrl-C reaches the supervisor alone, which stops them in order
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    backoff: float = _BACKOFF_FIRST
    next_start: float = 0.0
    restarts: int = 0

    def start(self) -> None:
        """Start the process; its output goes to its own log file."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own commands
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # No thread runs here while a child is started, so this is safe.
                preexec_fn=_die_with_parent,  # noqa: PLW1509
            )
        self.started = time.monotonic()
        _log.info("process_started", process=self.name, pid=self.process.pid)

    def watch(self, now: float) -> None:
        """Restart an exited process when its back-off is over."""
        if self.process is None:
            if now >= self.next_start:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self._end_offspring()
        lived = now - self.started
        self.backoff = (
            _BACKOFF_FIRST if lived > _STEADY_SECONDS else min(self.backoff * 2, _BACKOFF_MOST)
        )
        self.next_start = now + self.backoff
        self.process = None
        self.restarts += 1
        _log.warning("process_exited", process=self.name, exit_code=code, seconds=self.backoff)

    def _end_offspring(self) -> None:
        """Kill what an exited process left behind: a killed worker's pool would go on alone."""
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def stop(self, seconds: float = _STOP_SECONDS) -> None:
        """Ask it to end, wait, and end it by force when it does not."""
        process = self.process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            _log.warning("process_killed", process=self.name, pid=process.pid)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)
        self._end_offspring()


@dataclass
class Supervisor:
    """Runs the children until told to stop; stops them beat, worker, console, broker."""

    children: list[Child]
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, each_round: Callable[[], None] | None = None) -> None:
        """Watch until ``stopping`` is set; ``each_round`` is called twice a second."""
        try:
            while not self.stopping.is_set():
                now = time.monotonic()
                for child in self.children:
                    child.watch(now)
                if each_round is not None:
                    each_round()
                self.stopping.wait(0.5)
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop all, in the order that loses least: no new work, then the workers, then the rest."""
        order = {"beat": 0, "worker": 1, "console": 2, "broker": 3}
        for child in sorted(self.children, key=lambda c: order.get(c.name, 1)):
            child.stop()
        _log.info("stopped")


class PortTaken(RuntimeError):
    """Another program listens where the desk would."""


def require_port(host: str, port: int) -> None:
    """Raise PortTaken where the desk could not listen.

    Else its process would end again and again, and whoever follows the link would stand at the
    door of another program.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"{host}:{port} では待ち受けできません({error.strerror})。"
                "OKAERI_PORT に別の番号を指定してください。\n"
                f"The desk cannot listen on {host}:{port} ({error.strerror}): another Okaeri may be"
                " running. Name another port with OKAERI_PORT."
            ) from error


def plan_children(settings: Settings, *, console: bool = True) -> tuple[list[Child], str]:
    """The children of the embedded service in starting order, and the broker's URL.

    Raises NoBroker when no broker URL is set and no binary can be found.
    """
    children: list[Child] = []
    logs = settings.data.absolute() / "log"
    environment = {**os.environ, **export_settings(settings)}
    url = settings.broker_url
    if not url:
        broker = prepare(settings.data)
        url = broker.url
        children.append(Child("broker", broker.command, dict(os.environ), logs / "broker.log"))
    environment["OKAERI_BROKER_URL"] = url
    celery = [sys.executable, "-m", "celery", "-A", "worker.celery"]
    worker = worker_command(settings)
    children.append(Child("worker", worker, environment, logs / "worker.log"))
    beat = [*celery, "beat", "--loglevel", "WARNING", "--pidfile="]
    children.append(Child("beat", beat, environment, logs / "beat.log"))
    if console:
        serve = [
            sys.executable, "-m", "worker.cli", "console",
            "--host", settings.host, "--port", str(settings.port),
        ]  # fmt: skip
        children.append(Child("console", serve, environment, logs / "console.log"))
    return children, url


def worker_command(settings: Settings, app: str = "worker.celery") -> list[str]:
    """The command of a worker of every queue; the flags make fewer reconnections fail."""
    return [
        sys.executable, "-m", "celery", "-A", app, "worker",
        "-P", settings.pool, "-c", str(settings.concurrency),
        "-Q", ",".join(QUEUES), "--without-gossip", "--without-mingle",
        "--loglevel", "WARNING", "-n", "okaeri@%h",
    ]  # fmt: skip


def stop_on_signals(supervisor: Supervisor) -> None:
    """Ctrl-C, SIGTERM and a closed terminal stop the service in order."""

    def _stop(_number: int, _frame: object) -> None:
        supervisor.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
