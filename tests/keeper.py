"""Runs one server for a whole test session and ends it when the session is gone, even by kill -9.

Under xdist the process that first needs a server may end before its neighbours do, so the server
hangs on this keeper, and the keeper watches the session's first process.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from types import FrameType

_LOOK_SECONDS = 0.2


def main(arguments: list[str]) -> int:
    """Run ``SESSION_PID USER COMMAND...``; USER ``-`` keeps the present user."""
    session, user, command = int(arguments[0]), arguments[1], arguments[2:]
    asked_to_stop: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked_to_stop.append(number)

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    session_is_gone = _Watch(session)
    if user == "-":
        server = subprocess.Popen(command)
    else:
        server = subprocess.Popen(command, user=user, group=user, extra_groups=())
    while not asked_to_stop and not session_is_gone() and server.poll() is None:
        _pause()
    status = _end(server)
    if session_is_gone():
        # Nobody else is left to tidy up.
        shutil.rmtree(os.environ["OKAERI_TEST_SESSION_DIR"], ignore_errors=True)
    return status


def _pause() -> None:
    # A signal ends the sleep early only through its handler's flag, so look often.
    select.select([], [], [], _LOOK_SECONDS)


class _Watch:
    """Tells whether a process is gone, by pidfd where the system has one: numbers are reused."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        try:
            self._fd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
            self._gone = False
        except ProcessLookupError:
            self._fd, self._gone = -1, True

    def __call__(self) -> bool:
        if self._gone:
            return True
        if self._fd >= 0:
            return bool(select.select([self._fd], [], [], 0)[0])
        try:
            os.kill(self._pid, 0)
        except ProcessLookupError:
            return True
        return False


def _end(server: subprocess.Popen[bytes]) -> int:
    # SIGQUIT is PostgreSQL's immediate shutdown: the data is thrown away anyway.
    if server.poll() is None:
        server.send_signal(signal.SIGQUIT)
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
    return server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
