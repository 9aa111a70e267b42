"""The front door: what make passes on, when it installs, and that Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.folders import ROOT
from tests.processes import Processes

_STAND_IN = """#!/bin/sh
case "$*" in
  *--once*) echo '{"args": "'"$*"'"}'; exit 0 ;;
esac
trap 'kill $child; echo stopped in order; exit 0' INT TERM
sleep 60 & child=$!
echo "up: $*"
wait
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout that is installed already; its command is a stand-in for the service."""
    for name in ("Makefile", "pyproject.toml", "requirements"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    _command(bin_folder / "okaeri", _STAND_IN)
    _command(bin_folder / "python", "#!/bin/sh\necho pip says words\n")
    for stamp in (".runtime", ".dev"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


def _command(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def _make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests hands its own variables and flags down; they are none of ours.
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        ["make", *words], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )


def test_make_alone_lists_every_target(checkout: Path) -> None:
    listed = _make(checkout)
    assert listed.returncode == 0
    for target in ("install", "run", "demo", "test", "check", "bench", "clean"):
        assert f"make {target} " in listed.stdout


def test_one_demo_prints_only_its_json_on_stdout(checkout: Path) -> None:
    done = _make(checkout, "demo", "ONCE=1")
    assert done.stdout == '{"args": "demo --once --json"}\n'
    assert done.returncode == 0


def test_words_of_the_installation_do_not_reach_stdout(checkout: Path) -> None:
    (checkout / ".venv" / ".runtime").unlink()
    done = _make(checkout, "demo", "ONCE=1")
    assert done.stdout == '{"args": "demo --once --json"}\n'
    assert "pip says words" in done.stderr


def test_it_installs_again_only_when_packages_changed(checkout: Path) -> None:
    assert "Installing" not in _make(checkout, "install").stderr
    later = (checkout / ".venv" / ".runtime").stat().st_mtime + 10
    os.utime(checkout / "requirements" / "constraints.txt", (later, later))
    assert "Installing" in _make(checkout, "--dry-run", "install").stdout


def test_a_python_that_is_too_old_is_named_as_the_cause(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    _command(checkout / "old-python", "#!/bin/sh\nexit 1\n")
    done = _make(checkout, "install", "PYTHON=./old-python")
    assert done.returncode == 2
    assert "Okaeri needs Python 3.11 or newer" in done.stderr
    assert not (checkout / ".venv").exists()


def test_ctrl_c_stops_the_demo_in_order_and_leaves_nothing(
    checkout: Path, processes: Processes
) -> None:
    demo = processes.start(["make", "demo", "ARGS=--data here"], cwd=checkout)
    demo.until_says("up: demo --data here")
    demo.interrupt_group()
    assert demo.wait() != 0
    assert "stopped in order" in demo.words()
    processes.assert_none_left()


def test_ending_make_alone_ends_the_demo_too(checkout: Path, processes: Processes) -> None:
    demo = processes.start(["make", "demo", "ARGS="], cwd=checkout)
    demo.until_says("up: demo")
    demo.signal(15)
    demo.wait()
    assert "stopped in order" in demo.words()
    processes.assert_none_left()
