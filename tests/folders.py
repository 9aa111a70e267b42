"""Folders as the service sees them: its data, and the shop's documents."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sessions import session_dir

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """An empty data directory of this test's own, its path short enough for a socket."""
    path = Path(tempfile.mkdtemp(prefix="data-", dir=session_dir()))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def config_dir(tmp_path: Path) -> Path:
    """A copy of the shipped shop documents, to be changed at will."""
    return Path(shutil.copytree(ROOT / "config", tmp_path / "config"))


@pytest.fixture
def templates_dir(tmp_path: Path) -> Path:
    """A copy of the shipped mail texts, to be changed at will."""
    return Path(shutil.copytree(ROOT / "templates", tmp_path / "templates"))
