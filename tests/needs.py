"""What a test needs from the machine: absent means skipped, and a failure where CI=true."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def absent(what: str) -> NoReturn:
    """Skip this test with one line that says what is absent; fail it where CI=true."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(what)
