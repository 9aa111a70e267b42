"""A command starts without what only the service needs."""

from __future__ import annotations

import json
import subprocess
import sys

HEAVY = ("redis", "celery", "kombu", "fastapi", "uvicorn", "requests")


def test_the_command_line_starts_without_broker_web_and_http() -> None:
    found = f"[name for name in {HEAVY!r} if name in sys.modules]"
    asked = f"import json, sys, worker.cli; print(json.dumps({found}))"
    ran = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    assert json.loads(ran.stdout) == []
