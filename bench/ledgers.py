"""Ledgers for trials: fresh ones and copies of filled ones, on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from tests.databases import postgres_database
from worker.store.engine import open_engine
from worker.store.migrate import upgrade


class Ledgers(Protocol):
    """Where the ledgers of one kind of database come from."""

    name: str

    def fresh(self) -> str:
        """Make an empty ledger with all its tables; gives its URL."""
        ...

    def copy_of(self, url: str) -> str:
        """Make a copy of a ledger that nobody has open; gives its URL."""
        ...

    def drop(self, url: str) -> None:
        """Remove a ledger that nobody has open."""
        ...


class SqliteLedgers:
    """Each a file of one folder."""

    name = "SQLite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._template = f"sqlite:///{folder / 'template.db'}"
        upgrade(self._template, backup_dir=None)

    def fresh(self) -> str:
        """Make an empty ledger."""
        return self.copy_of(self._template)

    def copy_of(self, url: str) -> str:
        """Copy the file; the last to close it has left nothing beside it."""
        target = self._folder / f"ledger-{next(self._numbers)}.db"
        shutil.copyfile(_path(url), target)
        return f"sqlite:///{target}"

    def drop(self, url: str) -> None:
        """Remove the file."""
        _path(url).unlink()


def _path(url: str) -> Path:
    return Path(sa.make_url(url).database or "")


class PostgresLedgers:
    """Each a database of one server, dropped at the end of the block."""

    name = "PostgreSQL"

    def __init__(self, server: sa.URL, stack: ExitStack) -> None:
        self._server, self._stack = server, stack
        self._open: dict[str, ExitStack] = {}
        self._template = self._make(None)
        upgrade(self._template, backup_dir=None)

    def fresh(self) -> str:
        """Make an empty ledger."""
        return self.copy_of(self._template)

    def copy_of(self, url: str) -> str:
        """Make a database with that one as its template."""
        return self._make(sa.make_url(url).database)

    def drop(self, url: str) -> None:
        """Drop the database."""
        self._open.pop(url).close()

    def _make(self, template: str | None) -> str:
        own = self._stack.enter_context(ExitStack())
        made = own.enter_context(postgres_database(self._server, template))
        url = made.render_as_string(hide_password=False)
        self._open[url] = own
        return url


@contextmanager
def opened(url: str, *, durable: bool = False) -> Iterator[sa.Engine]:
    """An engine on a ledger, opened the way the service opens it, for as long as the block."""
    engine = open_engine(url, durable=durable)
    try:
        yield engine
    finally:
        engine.dispose()
