"""The command line as a fixture of these tests."""

from __future__ import annotations

from tests.cli.commands import cli

__all__ = ["cli"]
