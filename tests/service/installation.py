"""An installation in this process: a store, the shipped documents, and one own channel."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folders import ROOT
from worker.runtime import Runtime
from worker.settings import Settings


@pytest.fixture
def runtime(tmp_path: Path, _sqlite_template: Path) -> Iterator[Runtime]:
    """A runtime on SQLite with the shipped documents as the shop's own."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(_sqlite_template, data / "okaeri.db")
    shutil.copytree(ROOT / "config", data / "config")
    made = Runtime(Settings(data=data))
    yield made
    made.dispose()
