"""A full disk: the command ends with a sentence, and what was stored before stays whole."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from tests.cli.commands import Cli, line
from tests.folders import ROOT


def limited(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def run_limited(data: Path, size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process that may write no file larger than ``size`` bytes."""
    code = (
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from worker.cli import app; app()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments, "--data", str(data)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: limited(size),
    )  # fmt: skip


def test_an_import_that_no_longer_fits_is_told_and_goes_on_later(cli: Cli) -> None:
    cli("import", str(cli.file(line("A-1", "m1"))), "--channel", "own:main")
    many = cli.file(*(line(f"B-{n}", f"p{n}") for n in range(800)), name="many.csv")
    size = (cli.data / "okaeri.db").stat().st_size + 4096

    ran = run_limited(cli.data, size, "import", str(many), "--channel", "own:main", "--json")

    assert ran.returncode == 2
    assert "the store cannot be used" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""
    report = cli("import", str(many), "--channel", "own:main", "--json").json
    assert report["rejected"] == 0
    numbers = [json.loads(text)["order_number"] for text in cli("export", "orders").out.split("\n")
               if text]  # fmt: skip
    assert sorted(numbers) == sorted(["A-1", *(f"B-{n}" for n in range(800))])
    assert cli("verify", "--json").json == []
