"""The tables' history: up, unchanged, down and up again, with a backup before it touches data."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from worker.store import migrate
from worker.store.engine import open_engine
from worker.store.schema import all_tables


def _tables(url: str) -> set[str]:
    engine = open_engine(url)
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return names - {"alembic_version"}


def test_an_empty_database_gets_every_table_and_nothing_is_left_to_do(
    empty_store_url: str,
) -> None:
    applied = migrate.upgrade(empty_store_url, backup_dir=None)
    assert applied[0] == "0001"
    assert _tables(empty_store_url) == set(all_tables().tables)
    assert migrate.upgrade(empty_store_url, backup_dir=None) == []


def test_the_migrations_make_exactly_what_the_models_say(empty_store_url: str) -> None:
    migrate.upgrade(empty_store_url, backup_dir=None)
    migrate.check(empty_store_url)


def test_down_to_nothing_and_up_again(empty_store_url: str) -> None:
    applied = migrate.upgrade(empty_store_url, backup_dir=None)
    assert migrate.downgrade(empty_store_url, backup_dir=None) == applied[::-1]
    assert _tables(empty_store_url) == set()
    assert migrate.current(empty_store_url) is None
    assert migrate.upgrade(empty_store_url, backup_dir=None) == applied
    migrate.check(empty_store_url)


def test_a_store_with_data_is_copied_before_anything_is_touched(
    empty_store_url: str, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    migrate.upgrade(empty_store_url, backup_dir=backups)
    assert not backups.exists(), "an empty database needs no backup"
    migrate.downgrade(empty_store_url, backup_dir=backups)
    (backup,) = backups.iterdir()
    assert backup.stat().st_mode & 0o777 == 0o600
    if backup.suffix == ".db":
        copy = sqlite3.connect(backup)
        names = {row[0] for row in copy.execute("SELECT name FROM sqlite_master")}
        copy.close()
        assert set(all_tables().tables) <= names


def test_without_pg_dump_nothing_is_migrated_unless_told_so(
    postgres_server: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent() -> str:
        raise migrate.BackupFailed("pg_dump is not installed; pass --no-backup")

    monkeypatch.setattr(migrate, "_pg_dump", absent)
    url = postgres_server.render_as_string(hide_password=False)
    with pytest.raises(migrate.BackupFailed, match="--no-backup"):
        migrate.back_up(url, tmp_path)


def test_a_failed_backup_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    migrate.upgrade(url, backup_dir=None)
    in_the_way = tmp_path / "backups"
    in_the_way.mkdir()
    full = sqlite3.OperationalError("database or disk is full")
    with pytest.MonkeyPatch.context() as patch:

        def fail(*_: object) -> Path:
            raise migrate.BackupFailed(str(full))

        patch.setattr(migrate, "_copy_sqlite", fail)
        with pytest.raises(migrate.BackupFailed, match="full"):
            migrate.downgrade(url, backup_dir=in_the_way)
    assert _tables(url) == set(all_tables().tables)


def test_a_foreign_database_is_refused_by_name(empty_store_url: str) -> None:
    engine = open_engine(empty_store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE somebody_elses (id INTEGER)"))
    engine.dispose()
    with pytest.raises(migrate.UnknownStore, match="did not make"):
        migrate.upgrade(empty_store_url, backup_dir=None)


def test_a_newer_store_is_refused_by_name(empty_store_url: str) -> None:
    migrate.upgrade(empty_store_url, backup_dir=None)
    engine = open_engine(empty_store_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(migrate.UnknownStore, match="newer Okaeri"):
        migrate.upgrade(empty_store_url, backup_dir=None)
