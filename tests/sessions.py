"""The test session: one folder and one first process, shared by all xdist workers."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

_PID = "OKAERI_TEST_SESSION_PID"
_DIR = "OKAERI_TEST_SESSION_DIR"
_STOP_SECONDS = 10


def session_pid() -> int:
    """Number of the first process of this test session (xdist's controller, else this one)."""
    return int(os.environ[_PID])


def session_dir() -> Path:
    """Folder of this test session; short, because sockets stand in it."""
    return Path(os.environ[_DIR])


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def open_session() -> None:
    """Make this process the first of a session; its children find it in their environment."""
    os.environ[_PID] = str(os.getpid())
    os.environ[_DIR] = tempfile.mkdtemp(prefix="okaeri-test-", dir=_short_temporary_dir())


def close_session() -> None:
    """Stop what the session shares and remove its folder."""
    for noted in session_dir().glob("*.pid"):
        _stop(int(noted.read_text()))
    shutil.rmtree(session_dir(), ignore_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    """Open the session in its first process."""
    if not _is_worker(config):
        open_session()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close it there too."""
    if not _is_worker(config):
        close_session()


def _short_temporary_dir() -> str | None:
    # A socket's path may have about 107 bytes, and another user must be able to walk to it.
    return "/tmp" if Path("/tmp").is_dir() else None


def _stop(keeper: int) -> None:
    try:
        os.kill(keeper, signal.SIGTERM)
        for _ in range(_STOP_SECONDS * 20):
            os.kill(keeper, 0)
            if _is_zombie_of_ours(keeper):
                return
            time.sleep(0.05)
    except ProcessLookupError:
        return


def _is_zombie_of_ours(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return False
