"""Golden files: what came out before, compared to the letter, written anew by `make expected`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[str, str], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare ``text`` with ``expected/<name>`` beside the test file, byte for byte."""
    folder = Path(request.path).parent / "expected"

    def compare(name: str, text: str) -> None:
        path = folder / name
        if os.environ.get("OKAERI_WRITE_EXPECTED"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return
        if not path.exists():
            pytest.fail(f"{path} is absent: run `make expected`, read it, commit it", pytrace=False)
        assert text == path.read_bytes().decode()

    return compare
