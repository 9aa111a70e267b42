"""Opening the store: one engine per process, with the settings that make SQLite trustworthy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session


def open_engine(url: str, *, durable: bool = False) -> Engine:
    """Open the store at ``url`` (``sqlite:///…`` or ``postgresql+psycopg://…``).

    ``durable`` asks for synchronous=FULL on SQLite: the dispatch connection needs it, because a
    power cut must not undo the row that says a mail is being sent. On SQLite every
    transaction begins with BEGIN IMMEDIATE unless the session is told it only reads (see
    ``reading``): a deferred read-then-write would fail at once, without waiting.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        # An error must not carry a row of personal data into a log: hide_parameters.
        return create_engine(
            url, pool_pre_ping=True, pool_size=5, max_overflow=10, hide_parameters=True
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={"timeout": 10.0, "check_same_thread": False},
        hide_parameters=True,
    )
    _prepare_sqlite(engine, durable=durable)
    return engine


def _prepare_sqlite(engine: Engine, *, durable: bool) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'NORMAL'}",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "temp_store=MEMORY",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads_only = connection.get_execution_options().get("okaeri_reading", False)
        connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """A session in one writing transaction: commits at the end, rolls back on any error."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A session that only reads; on SQLite it takes no write lock and never blocks a writer."""
    with (
        engine.connect().execution_options(okaeri_reading=True) as connection,
        Session(connection, expire_on_commit=False) as session,
    ):
        yield session
        session.rollback()
