"""Runs commands in this process, on a folder of the test's own."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from worker.cli import app

HEADER = (
    "order_number,ordered_at,status,payment_method,customer_id,email,name,item,quantity,"
    "unit_price,total"
)


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)


class Cli:
    """The command line over one data directory."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def __call__(self, *arguments: str, expect: int = 0, given: str | None = None) -> Ran:
        """Run a command with ``--data`` behind it; fails where the exit code is another."""
        return self.raw(*arguments, "--data", str(self.data), expect=expect, given=given)

    def raw(self, *arguments: str, expect: int = 0, given: str | None = None) -> Ran:
        """Run a command exactly as told."""
        result = CliRunner().invoke(app, list(arguments), input=given)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == expect, (result.exit_code, result.stdout, result.stderr)
        return Ran(result.exit_code, result.stdout, result.stderr)

    def file(self, *lines: str, name: str = "orders.csv") -> Path:
        """A generic order file in the data directory."""
        path = self.data / name
        path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
        return path

    def history(self) -> None:
        """Two regulars with a reading mail each, one of them with five visits."""
        long_ago = [line(f"H-{n}", "m1", days_ago=400 - n * 20) for n in range(4)]
        path = self.file(*long_ago, line("A-1", "m1"), line("A-2", "m2"))
        start = (datetime.now(UTC) - timedelta(days=5)).date().isoformat()
        self("import", str(path), "--channel", "own:main", "--active-from", start)

    def message(self, state: str = "in_review") -> str:
        """The id of a mail in this state."""
        rows = self("review", "list", "--state", state, "--json").json
        return str(rows[0]["id"])


def line(
    number: str,
    person: str,
    *,
    days_ago: float = 0.1,
    total: str = "1200",
    now: datetime | None = None,
) -> str:
    """One row: a paid order of a person known by member id and mail."""
    at = ((now or datetime.now(UTC)).astimezone(UTC) - timedelta(days=days_ago)).strftime(
        "%Y-%m-%dT%H:%M:%S+00:00"
    )
    who = f"{person},{person}@example.jp,見本 {person}"
    return f"{number},{at},paid,クレジットカード,{who},煎茶,1,{total},{total}"


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _sqlite_template: Path) -> Iterator[Cli]:
    """The command line on a folder that holds empty tables alone, without settings of ours."""
    for name in ("DATA", "CONFIG", "TRANSPORT", "SMTP_HOST", "DATABASE_URL", "BROKER_URL", "BY"):
        # Set and removed, so that what a command sets is undone after the test.
        monkeypatch.setenv(f"OKAERI_{name}", "")
        monkeypatch.delenv(f"OKAERI_{name}")
    monkeypatch.setenv("COLUMNS", "200")
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(_sqlite_template, data / "okaeri.db")  # making the tables takes a second
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    connectors = logging.getLogger("connectors")
    spoken = connectors.level
    yield Cli(data)
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    connectors.setLevel(spoken)
