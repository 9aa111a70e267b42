"""Databases for tests: every test its own, cloned from a migrated one, on SQLite and PostgreSQL."""

from __future__ import annotations

import fcntl
import itertools
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.util.exc import CommandError
from sqlalchemy.engine import URL, make_url

from tests.needs import absent
from tests.sessions import session_dir, session_pid
from worker.store.engine import open_engine
from worker.store.migrate import check, upgrade
from worker.store.schema import all_tables

BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]
_START_SECONDS = 60
_SERVER_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Not UTC: a query that leans on the server's zone must show itself here.
    "timezone": "Asia/Tokyo",
}
_numbers = itertools.count(1)


# --- the server -----------------------------------------------------------------------------


def _find_binaries() -> Path | None:
    """Folder with initdb and postgres: the newest of Debian's, else PATH."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    by_version = sorted(debian, key=lambda path: int(path.parts[-3]))
    found = by_version[-1] if by_version else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def _server_user() -> str | None:
    """Who runs the server: PostgreSQL refuses root, so another user of this machine then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


def _start_server(binaries: Path, home: Path) -> URL:
    user = _server_user()
    home.mkdir(mode=0o700)
    if user is not None:
        home.parent.chmod(0o711)
        shutil.chown(home, user=user)
    data = home / "data"
    initdb = [str(binaries / "initdb"), "-D", str(data), "-U", "okaeri", "-A", "trust"]
    subprocess.run(
        [*initdb, "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=home,
        user=user,
    )
    settings = _SERVER_SETTINGS | {"unix_socket_directories": str(home)}
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    keeper_py = str(Path(__file__).with_name("keeper.py"))
    keep = [sys.executable, keeper_py, str(session_pid()), user or "-"]
    with (home.parent / "postgres.log").open("wb") as log:
        keeper = subprocess.Popen(
            [*keep, str(binaries / "postgres"), "-D", str(data), *options],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (home.parent / "postgres.pid").write_text(str(keeper.pid))
    url = make_url("postgresql+psycopg://okaeri@/postgres").set(query={"host": str(home)})
    _wait_until_up(url, keeper, home.parent / "postgres.log")
    return url


def _wait_until_up(url: URL, keeper: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(_plain(url)).close()
        except psycopg.OperationalError as error:
            if keeper.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}") from error
            time.sleep(0.05)
        else:
            return


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def find_server() -> URL | None:
    """A server to make databases on: the one named, else one of this session's own, else none."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        return make_url(named).set(drivername="postgresql+psycopg")
    with (session_dir() / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        noted = session_dir() / "postgres.url"
        if noted.exists():
            return make_url(noted.read_text())
        binaries = _find_binaries()
        if binaries is None or (os.geteuid() == 0 and _server_user() is None):
            return None
        url = _start_server(binaries, session_dir() / "pg")
        noted.write_text(url.render_as_string(hide_password=False))
        return url


# --- databases ------------------------------------------------------------------------------


def _make_tables(url: str) -> None:
    """Migrate; where a model was changed and its migration not yet drafted, follow the models.

    So that one can try a change before its migration is written; CI sees migrations only.
    """
    upgrade(url, backup_dir=None)
    try:
        check(url)
    except CommandError:
        if os.environ.get("CI") == "true":
            raise
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            migrated = sa.MetaData()
            migrated.reflect(connection)
            migrated.drop_all(connection)
            all_tables().create_all(connection)
        engine.dispose()


def _execute(server: URL, statement: str) -> None:
    with psycopg.connect(_plain(server), autocommit=True) as connection:
        connection.execute(statement.encode())


@contextmanager
def postgres_database(server: URL, template: str | None = None) -> Iterator[URL]:
    """A database for as long as the block lasts."""
    name = f"okaeri_test_{os.getpid()}_{next(_numbers)}"
    _execute(server, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    try:
        yield server.set(database=name)
    finally:
        _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server() -> URL:
    """URL of a PostgreSQL server; skips where there is none, fails there when CI=true."""
    return find_server() or absent("PostgreSQL is absent: install it or set TEST_DATABASE_URL")


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: URL) -> Iterator[str]:
    with postgres_database(postgres_server) as url:
        _make_tables(url.render_as_string(hide_password=False))
        assert url.database is not None
        yield url.database


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    _make_tables(f"sqlite:///{path}")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        # One file holds everything, so that a copy of it does too.
        connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    return path


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """URL of a migrated SQLite database of this test's own."""
    path = tmp_path / "ledger.db"
    shutil.copyfile(_sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: URL, _postgres_template: str) -> Iterator[str]:
    """URL of a migrated PostgreSQL database of this test's own."""
    with postgres_database(postgres_server, _postgres_template) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(params=BOTH)
def store_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated database of this test's own; the test runs on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=BOTH)
def empty_store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without tables, for tests of the migrations themselves."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres_server")) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    """An engine on ``store_url``, opened the way the service opens it."""
    opened = open_engine(store_url)
    yield opened
    opened.dispose()
