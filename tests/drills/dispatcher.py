"""A dispatching worker in a process of its own, which kills itself where a drill says so."""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.pipeline.approved import shop_context, unchanged
from worker.mail.journal import Journal
from worker.mail.transport.capture import CaptureTransport
from worker.mail.transport.smtp import Security, SmtpSettings, SmtpTransport
from worker.pipeline.dispatch import Transports, dispatch_due, sweep
from worker.pipeline.instance import open_installation
from worker.pipeline.review_verdict import each
from worker.store.engine import open_engine


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _probe(point: str, after: int) -> Callable[[str, str], None]:
    """Tell each point; at the ``after``-th time of ``point`` die as by kill -9."""
    reached = 0

    def tell(name: str, message_id: str) -> None:
        nonlocal reached
        _say(f"{name} {message_id}")
        reached += name == point
        if name == point and reached == after:
            os.kill(os.getpid(), signal.SIGKILL)

    return tell


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("data", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--die-at", default="")
    parser.add_argument("--after", type=int, default=1)
    parser.add_argument("--file-limit", type=int, default=0, help="bytes any file may have")
    parser.add_argument("--runs", type=int, default=1)
    return parser.parse_args()


def main() -> int:
    """Sweep and dispatch as a task does; print what was done."""
    options = _arguments()
    if options.file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, resource.RLIM_INFINITY))
    engine = open_engine(options.url, durable=True)
    smtp = SmtpTransport(
        SmtpSettings(host="127.0.0.1", port=options.port, security=Security.NONE, timeout=20.0)
    )
    transports = Transports(capture=CaptureTransport(options.data / "outbox"), default=smtp)
    journal = Journal(options.data / "journal" / "sent.log")
    ctx = shop_context()
    _say("ready")
    for _ in range(options.runs):
        sweep(engine, ctx, journal, datetime.now(UTC))
        result = dispatch_due(
            engine,
            ctx,
            transports,
            journal,
            open_installation(options.data, "machine"),
            datetime.now(UTC),
            recheck=each(unchanged),
            probe=_probe(options.die_at, options.after),
        )
        told = {"counts": result.counts, "lock": result.standing.lock}
        _say(json.dumps(told | {"problems": result.problems}))
        time.sleep(0.01)
    transports.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
