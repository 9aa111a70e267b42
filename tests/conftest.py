"""Fixtures of all tests, gathered from one file per theme."""

from __future__ import annotations

import pytest

pytest_plugins = [
    "tests.sessions",
    "tests.databases",
    "tests.folders",
    "tests.processes",
    "tests.brokers",
    "tests.mailboxes",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what a fixture already tells, so that nobody has to remember it."""
    for item in items:
        if "postgres_url" in getattr(item, "fixturenames", ()):
            item.add_marker("postgres")
