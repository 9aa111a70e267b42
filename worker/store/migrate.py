"""Bringing the store to the newest tables and back, with a backup before anything is touched."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import URL, make_url

from worker.store.engine import open_engine

_TREE = Path(__file__).parent / "migrations"
_LOCK = 0x6F6B6165  # "okae": two processes that start at once must not both migrate


class BackupFailed(RuntimeError):
    """No backup could be made, so nothing was migrated; the message says what to do."""


class UnknownStore(RuntimeError):
    """The database holds tables but no version of ours, or a version from a newer Okaeri."""


def upgrade(url: str, *, backup_dir: Path | None) -> list[str]:
    """Bring the store to the newest tables; gives the revisions that were applied, oldest first.

    A store that already holds tables is copied into ``backup_dir`` first; None means that the
    caller was told to go without. Raises BackupFailed (nothing was touched) and UnknownStore.
    """
    with _locked(url) as connection:
        pending = _pending(connection)
        if pending and _version(connection) is not None and backup_dir is not None:
            back_up(url, backup_dir)
        if pending:
            command.upgrade(_config(connection), "head")
            _check_keys(connection)
    return pending


def downgrade(url: str, target: str = "base", *, backup_dir: Path | None) -> list[str]:
    """Take tables back to revision ``target``; gives the revisions undone, newest first."""
    with _locked(url) as connection:
        before = _applied(connection)
        if before and backup_dir is not None:
            back_up(url, backup_dir)
        command.downgrade(_config(connection), target)
        _check_keys(connection)
        after = set(_applied(connection))
    return [revision for revision in before if revision not in after]


def current(url: str) -> str | None:
    """Name the store's present revision; None for an empty database."""
    engine = open_engine(url)
    try:
        with engine.connect().execution_options(okaeri_reading=True) as connection:
            return _version(connection)
    finally:
        engine.dispose()


def check(url: str) -> None:
    """Raise alembic's CommandError when the tables differ from what the models say."""
    with _locked(url) as connection:
        command.check(_config(connection))


def back_up(url: str, folder: Path) -> Path:
    """Copy the whole store into ``folder`` and give the file's path. Raises BackupFailed."""
    parsed = make_url(url)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    if parsed.get_backend_name() == "sqlite":
        return _copy_sqlite(url, folder / f"ledger-{stamp}.db")
    return _dump_postgres(parsed, folder / f"ledger-{stamp}.dump")


def draft(name: str) -> Path:
    """Write a migration from the difference between the newest tables and the models."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/draft.db"
        upgrade(url, backup_dir=None)
        with _locked(url) as connection:
            config = _config(connection)
            script = ScriptDirectory.from_config(config)
            number = f"{len(list(script.walk_revisions())) + 1:04d}"
            made: Any = command.revision(config, name, autogenerate=True, rev_id=number)
            return Path(made.path)


# --- the connection ---------------------------------------------------------------------------


@contextmanager
def _locked(url: str) -> Iterator[sa.Connection]:
    """One transaction that keeps a second migrating process waiting.

    SQLite rebuilds tables for most changes, which foreign keys would turn into deletions; they
    are off meanwhile and checked afterwards. The setting works only outside a transaction.
    """
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                driver: Any = connection.connection.driver_connection
                driver.execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                if engine.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
                yield connection
    finally:
        engine.dispose()


def _config(connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_TREE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _version(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _applied(connection: sa.Connection) -> list[str]:
    version = _version(connection)
    if version is None:
        return []
    tree = ScriptDirectory.from_config(_config(connection))
    return [step.revision for step in tree.iterate_revisions(version, "base")]


def _pending(connection: sa.Connection) -> list[str]:
    version = _version(connection)
    tree = ScriptDirectory.from_config(_config(connection))
    known = [step.revision for step in tree.walk_revisions()][::-1]
    if version is None and set(sa.inspect(connection).get_table_names()) - {"alembic_version"}:
        raise UnknownStore("The database holds tables that Okaeri did not make: name another one.")
    if version is not None and version not in known:
        raise UnknownStore(f"The database has version {version}, made by a newer Okaeri: update.")
    return known if version is None else known[known.index(version) + 1 :]


def _check_keys(connection: sa.Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"The migration left a row of {broken[0]} without its {broken[2]}.")


# --- backups ----------------------------------------------------------------------------------


def _copy_sqlite(url: str, target: Path) -> Path:
    # A second connection reads the last committed state even while a writer holds its lock.
    engine = open_engine(url)
    try:
        connection: Any = engine.raw_connection()
        connection.driver_connection.execute("VACUUM INTO ?", (str(target),))
        connection.close()
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise BackupFailed(f"The backup {target} could not be written: {error}") from error
    finally:
        engine.dispose()
    target.chmod(0o600)
    return target


def _pg_dump() -> str:
    found = shutil.which("pg_dump")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/pg_dump"), key=lambda path: int(path.parts[-3])
    )
    if found is None and not debian:
        raise BackupFailed(
            "pg_dump is not installed, so no backup can be made before the migration. "
            "Install postgresql-client, or make your own backup and pass --no-backup."
        )
    return str(debian[-1]) if debian else str(found)


def _dump_postgres(url: URL, target: Path) -> Path:
    plain = url.set(drivername="postgresql", password=None)
    environment = {"PGPASSWORD": str(url.password)} if url.password else {}
    run = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [
            _pg_dump(),
            "--format=custom",
            f"--file={target}",
            "--dbname",
            plain.render_as_string(hide_password=False),
        ],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        target.unlink(missing_ok=True)
        raise BackupFailed(f"pg_dump could not copy the store: {run.stderr.strip()}")
    target.chmod(0o600)
    return target


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "draft":
        sys.exit('usage: python -m worker.store.migrate draft "what it does"')
    sys.stdout.write(f"{draft(sys.argv[2])}\n")
