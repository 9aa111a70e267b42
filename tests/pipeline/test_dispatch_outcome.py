"""Recording an outcome: an accepted mail is remembered whatever the database does meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from tests.brokers import Broker
from tests.factories import NOW
from tests.pipeline.desk import Desk, desk
from worker.mail.journal import Journal, JournalUnwritable
from worker.mail.shared_limits import RedisLimiter
from worker.pipeline.dispatch import reconcile_journal
from worker.rules.states import MessageState
from worker.store.engine import open_engine

S = MessageState

__all__ = ["desk"]


@pytest.fixture
def impatient(sqlite_url: str, tmp_path: Path) -> Iterator[Desk]:
    """A desk whose database gives up waiting for a lock at once."""
    engine = open_engine(sqlite_url, durable=True)

    def shorten(connection: sqlite3.Connection, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=20")

    event.listen(engine, "connect", shorten)
    yield Desk(engine, tmp_path / "data")
    engine.dispose()


@contextmanager
def locked(engine: Engine, seconds: float) -> Iterator[None]:
    """Another program writes for so long."""
    database = str(engine.url.database)
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")

    def let_go() -> None:
        connection.execute("ROLLBACK")
        connection.close()

    timer = threading.Timer(seconds, let_go)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def lock_when_accepted(desk: Desk, seconds: float, **options: Any) -> str:
    """One mail whose server has just said yes when the database becomes unreachable."""
    message_id = desk.approve()
    locks = []

    def lock(point: str, _message: str) -> None:
        if point == "accepted":
            locks.append(locked(desk.engine, seconds))
            locks[0].__enter__()

    try:
        desk.dispatch(probe=lock, **options)
    finally:
        for each in locks:
            each.__exit__(None, None, None)
    return message_id


def test_the_outcome_is_repeated_until_it_holds(impatient: Desk) -> None:
    message_id = lock_when_accepted(impatient, 0.8, patience=20.0)
    assert impatient.read(message_id).state is S.SENT
    assert impatient.moves(message_id) == ["approve", "send", "sent"]
    assert len(impatient.wire.mails) == 1


def test_a_database_away_for_too_long_is_told_by_the_journal_later(impatient: Desk) -> None:
    with pytest.raises(OperationalError, match="locked"):
        lock_when_accepted(impatient, 0.8, patience=0.2)
    assert impatient.dispatch().counts == {}
    (message_id,) = reconcile_journal(impatient.engine, impatient.journal, NOW).sent
    assert impatient.read(message_id).state is S.SENT
    assert len(impatient.wire.mails) == 1


def test_a_journal_that_fills_up_after_the_hand_over_does_not_lose_the_outcome(
    desk: Desk,
) -> None:
    class Filling(Journal):
        def outcome(self, *_: Any, **__: Any) -> int:
            raise JournalUnwritable(28, "full")

    desk.journal = Filling(desk.folder / "journal" / "sent.log")
    message_id = desk.approve()
    assert desk.dispatch().counts == {"sent": 1}
    assert desk.read(message_id).state is S.SENT


@pytest.mark.broker
def test_mails_leave_while_the_broker_is_gone(desk: Desk, broker: Broker) -> None:
    first, second = desk.approve(), desk.approve()
    with broker.client() as client:
        limiter = RedisLimiter(client)
        assert desk.dispatch(limit=1, limiter=limiter).counts == {"sent": 1}
        broker.kill9()
        assert desk.dispatch(limiter=limiter).counts == {"sent": 1}
    assert [desk.read(m).state for m in (first, second)] == [S.SENT, S.SENT]
