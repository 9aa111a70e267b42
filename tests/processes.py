"""Real processes for tests: started, watched, killed, and none left behind."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tests.folders import ROOT

_MARK = "OKAERI_TEST_PROCESS"
_PR_SET_PDEATHSIG = 1


class Process:
    """A running command; its stdout and stderr stand in the file ``log``."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self._popen = popen
        self.log = log

    @property
    def pid(self) -> int:
        """Its number, which is also the number of its process group."""
        return self._popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._popen.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal to it alone."""
        self._popen.send_signal(number)

    def interrupt_group(self) -> None:
        """Do what Ctrl-C in a terminal does: SIGINT to the whole group."""
        os.killpg(self.pid, signal.SIGINT)

    def kill9(self, *, group: bool = False) -> None:
        """Kill it (or all its group) without a chance to say goodbye, and wait until it is gone."""
        if group:
            _ignoring_absence(lambda: os.killpg(self.pid, signal.SIGKILL))
        else:
            self._popen.kill()
        self._popen.wait()

    def wait(self, seconds: float = 30) -> int:
        """Its exit code; fails with its log where it has not ended in time."""
        try:
            return self._popen.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running after {seconds} s:\n{self.words()}")

    def words(self) -> str:
        """All it has written so far."""
        return self.log.read_text(errors="replace")

    def until_says(self, word: str, seconds: float = 30) -> None:
        """Wait until its log holds ``word``; fails with the log where it never does."""
        until(
            lambda: word in self.words() or not self.running,
            seconds,
            lambda: f"{word!r} not said:\n{self.words()}",
        )
        if word not in self.words():
            pytest.fail(f"ended with {self._popen.returncode}, without {word!r}:\n{self.words()}")


class Processes:
    """Starts processes that carry this test's mark, so that their offspring can be found."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mark = uuid.uuid4().hex
        self._started: list[Process] = []

    def start(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
    ) -> Process:
        """Start ``command`` in a session of its own; it dies with the test process."""
        log = self._folder / f"process-{len(self._started) + 1}.log"
        with log.open("wb") as out:
            popen = subprocess.Popen(
                command,
                cwd=cwd,
                env=self._environment(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        process = Process(popen, log)
        self._started.append(process)
        return process

    def python(self, module: str, *arguments: str | Path, **env: str) -> Process:
        """Start a module of this checkout with this interpreter."""
        return self.start([sys.executable, "-m", module, *arguments], env=env)

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": str(ROOT),
            **extra,
            _MARK: self._mark,
        }

    def alive(self) -> dict[int, str]:
        """Every living process with this test's mark, at whatever depth: number and command."""
        return _marked(f"{_MARK}={self._mark}".encode())

    def assert_none_left(self, seconds: float = 10) -> None:
        """Fail where a process of this test still lives after ``seconds``."""
        until(lambda: not self.alive(), seconds, lambda: f"left behind: {self.alive()}")

    def end_all(self) -> None:
        """Kill whatever lives, offspring too."""
        while alive := self.alive():
            for pid in alive:
                _ignoring_absence(lambda pid=pid: os.kill(pid, signal.SIGKILL))  # type: ignore[misc]
            time.sleep(0.02)


def until(
    holds: Callable[[], bool], seconds: float = 30, otherwise: Callable[[], str] = lambda: ""
) -> None:
    """Wait until ``holds()``; fails with the words of ``otherwise()`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(otherwise() or f"did not come true within {seconds} s", pytrace=True)
        time.sleep(0.02)


def _ignoring_absence(act: Callable[[], None]) -> None:
    try:
        act()
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _marked(mark: bytes) -> dict[int, str]:
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(folder.name)] = command.decode(errors="replace").strip()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    """Starts real processes; at the end of the test none of them lives."""
    started = Processes(tmp_path)
    yield started
    started.end_all()
