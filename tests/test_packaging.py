"""The wheel carries all it needs: installed elsewhere, it finds its texts, settings and tables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.folders import ROOT

Run = Callable[..., str]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this checkout, without a network."""
    out = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a command of a fresh environment that holds the wheel, from a folder far from here."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    options = ["--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", *options, str(wheel)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    # What Okaeri depends on is borrowed from this environment: a plain path, so that the
    # checkout's own .pth there is not followed and nothing of ours can come from the checkout.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def run(command: str, *arguments: str) -> str:
        done = subprocess.run(
            [home / "bin" / command, *arguments],
            cwd=home,
            env={k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OKAERI"))},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_our_code_comes_from_the_wheel(installed: Run) -> None:
    where = installed("python", "-c", "import worker, connectors, console; print(worker.__file__)")
    assert str(ROOT / "worker") not in where


def test_every_shipped_document_is_in_the_wheel_byte_for_byte(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for folder in ("config", "templates"):
            for path in (ROOT / folder).rglob("*"):
                if path.is_file():
                    name = f"worker/_data/{path.relative_to(ROOT).as_posix()}"
                    assert archive.read(name) == path.read_bytes(), name


def test_the_installed_package_reads_its_settings_and_texts(installed: Run) -> None:
    code = (
        "from worker.resources import shipped as s; print((s({0!r}) / {1!r}).read_text(), end='')"
    )
    for folder in ("config", "templates"):
        for path in (p for p in (ROOT / folder).rglob("*") if p.is_file()):
            relative = path.relative_to(ROOT / folder).as_posix()
            assert installed("python", "-c", code.format(folder, relative)) == path.read_text()
            break


def test_the_wheel_carries_no_tests_and_nothing_of_this_machine(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
        assert {top for top in tops if not top.endswith(".dist-info")} == {
            "worker",
            "connectors",
            "console",
        }
        assert [name for name in archive.namelist() if "__pycache__" in name] == []
        (licence,) = (n for n in archive.namelist() if n.endswith("licenses/LICENSE"))
        assert b"Apache License" in archive.read(licence)


def test_the_installed_command_starts(installed: Run) -> None:
    said = installed("okaeri", "--help")
    for command in ("init", "run", "demo", "import", "why", "verify"):
        assert re.search(rf"\b{command}\b", said), command
