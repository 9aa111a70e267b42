"""What a connector kind gives the conformance suite: a small source that can be read again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol

from connectors.contract import Connector

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the source holds: totals in minor units by external id, and what must not be told."""

    totals: dict[str, int]
    bad_records: int
    private: tuple[str, ...]
    """Personal data and secrets of the source; none may reach a log record."""


class Harness(Protocol):
    """Lives as ``harness`` in ``tests/connectors/<kind>/harness.py``.

    The source must fill at least two pages and hold a bad record, and opening it again
    must show the same source as if nothing had been read.
    """

    stream: str
    expected: Expected

    def open(self, folder: Path) -> Connector:
        """Set the source up in an empty folder, and open a connector on it."""
        ...


def harness_of(kind: str) -> Harness:
    """Find the harness of a kind; every registered kind must have one."""
    found: Harness = import_module(f"tests.connectors.{kind}.harness").harness
    return found
