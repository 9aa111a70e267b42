"""Full disk, dead host, locked or restored database while mails are being sent."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.drills.house import House, house, small_house
from worker.rules.states import MessageState
from worker.store.engine import open_engine

S = MessageState

__all__ = ["house", "small_house"]


def test_a_full_disk_under_the_journal_sends_nothing_and_says_so(small_house: House) -> None:
    ids = small_house.approve(2)
    size = 8 * 1024 * 1024
    folder = small_house.data / "journal"
    folder.mkdir(exist_ok=True)
    (folder / "sent.log").write_bytes(b"x" * (size - 1) + b"\n")
    said = small_house.work("--file-limit", str(size + 20), code=1)
    assert "sent.log cannot be written: No space left on device" in said
    assert small_house.accepted() == {}
    assert sorted(small_house.states().values()) == [S.APPROVED, S.RETRY_WAIT]
    small_house.wait_long()
    said = small_house.work()
    assert '"sent": 1' in said
    assert [small_house.accepted_of(m) for m in ids] == [0, 1]


def test_a_dead_mail_host_loses_nothing_and_says_so(small_house: House) -> None:
    ids = small_house.approve(3)
    said = small_house.work(port=9)
    assert "smtp: 127.0.0.1 cannot be reached: ConnectionRefusedError" in said
    assert sorted(small_house.states().values()) == [S.APPROVED, S.APPROVED, S.RETRY_WAIT]
    small_house.wait_long()
    small_house.work()
    states = small_house.states()
    assert [states[m] for m in ids] == [S.RETRY_WAIT, S.SENT, S.SENT]


def test_mails_leave_once_while_a_long_import_writes(small_house: House) -> None:
    ids = small_house.approve(12)
    database = small_house.engine.url.database
    assert database is not None
    over = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as connection:
            connection.execute("CREATE TABLE burden (x TEXT)")
            while not over.is_set():
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO burden VALUES ('x')")
                time.sleep(0.15)
                connection.execute("COMMIT")
                time.sleep(0.05)  # an import maps the next rows meanwhile

    writer = threading.Thread(target=write)
    writer.start()
    try:
        small_house.work("--runs", "2")
    finally:
        over.set()
        writer.join()
    assert small_house.states() == dict.fromkeys(ids, S.SENT)
    assert sorted(small_house.accepted().values()) == [1] * 12


@pytest.mark.drill
def test_a_database_locked_longer_than_it_waits_still_learns_the_outcome(
    small_house: House,
) -> None:
    (message_id,) = small_house.approve()
    database = small_house.engine.url.database
    assert database is not None
    small_house.server.behave()
    worker = small_house.start()
    worker.until_says("sending_committed")
    with closing(sqlite3.connect(database, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(13)
        connection.execute("COMMIT")
    assert worker.wait(60) == 0, worker.words()
    assert small_house.states() == {message_id: S.SENT}
    assert small_house.accepted_of(message_id) == 1


def test_a_restored_database_file_sends_nothing_to_the_world(small_house: House) -> None:
    ids = small_house.approve(2)
    database = Path(str(small_house.engine.url.database))
    copy = database.with_name("backup.db")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    small_house.work()
    small_house.engine.dispose()
    for rest in ("-wal", "-shm"):
        Path(f"{database}{rest}").unlink(missing_ok=True)
    shutil.copyfile(copy, database)
    small_house.engine = open_engine(small_house.url, durable=True)
    said = small_house.work("--runs", "2")
    assert '"lock": "journal_ahead"' in said
    assert [small_house.accepted_of(m) for m in ids] == [1, 1]
    assert len(list((small_house.data / "outbox").glob("*.eml"))) == 2
