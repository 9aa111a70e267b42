"""A worker with the service's own settings whose tasks only write down that they ran."""

from __future__ import annotations

import os
import time
from pathlib import Path

from worker.celery import make_app

app = make_app(os.environ["OKAERI_BROKER_URL"])
app.conf.include = []


def _write(path: str, word: str) -> None:
    with Path(path).open("a", encoding="ascii") as file:
        file.write(word + "\n")


@app.task(name="drill.note")  # type: ignore[untyped-decorator]
def note(path: str, word: str) -> None:
    """Write one word."""
    _write(path, word)


@app.task(name="drill.slow")  # type: ignore[untyped-decorator]
def slow(path: str, word: str, seconds: float) -> None:
    """Write that it started, take a while, write the word."""
    _write(path, f"{word}-started")
    time.sleep(seconds)
    _write(path, word)
