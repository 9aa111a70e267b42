"""A shop whose mails leave through a real worker process to a real mail server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from tests.factories import make_channel
from tests.mailboxes import MailServer
from tests.pipeline.approved import approved, shop_context
from tests.processes import Process, Processes
from worker.mail.compose import message_id_for
from worker.mail.journal import Journal
from worker.pipeline.dispatch import Swept, sweep
from worker.pipeline.instance import check_instance, open_installation, set_mode
from worker.rules.states import MessageState, RunMode
from worker.store.channels import Channel
from worker.store.engine import open_engine, reading, writing
from worker.store.leases import DatabaseLater
from worker.store.messages import Message


class House:
    """Database, data directory, mail server; workers come and die."""

    def __init__(self, url: str, data: Path, server: MailServer, processes: Processes) -> None:
        self.url, self.data, self.server, self._processes = url, data, server, processes
        self.engine = open_engine(url, durable=True)
        self.journal = Journal(data / "journal" / "sent.log")
        self.ctx = shop_context()
        self.now = datetime.now(UTC) - timedelta(minutes=10)
        with writing(self.engine) as session:
            self._channel = make_channel(session).id
            installation = open_installation(data, "machine")
            check_instance(session, installation, self.journal, self.now)
            set_mode(session, RunMode.LIVE, by="owner", now=self.now)

    def approve(self, number: int = 1) -> list[str]:
        """So many approved mails that are due."""
        with writing(self.engine) as session:
            channel = session.get_one(Channel, self._channel)
            fields: dict[str, Any] = {"due_at": self.now, "created_at": self.now}
            fields["expires_at"] = self.now + timedelta(days=9)
            return [approved(session, channel, **fields).id for _ in range(number)]

    def start(self, *options: str, port: int | None = None) -> Process:
        """Start a worker."""
        where = str(port if port is not None else self.server.port)
        return self._processes.python(
            "tests.drills.dispatcher", self.url, self.data, where, *options
        )

    def work(self, *options: str, port: int | None = None, code: int = 0) -> str:
        """Let a worker do its work; gives what it said."""
        process = self.start(*options, port=port)
        assert process.wait(60) == code, process.words()
        return process.words()

    def states(self) -> dict[str, MessageState]:
        """Every message's state."""
        with reading(self.engine) as session:
            return {row.id: row.state for row in session.execute(select(Message.id, Message.state))}

    def accepted(self) -> Counter[str]:
        """How often the server took each Message-ID."""
        return self.server.counts()

    def accepted_of(self, message_id: str) -> int:
        """How often the server took this message."""
        return self.accepted()[message_id_for(message_id, 1, "hinata.example")]

    def wait_long(self) -> Swept:
        """Let twenty minutes pass for the database's clock, and sweep."""
        with writing(self.engine) as session:
            session.execute(
                sa.update(Message)
                .where(Message.lease_until.is_not(None))
                .values(lease_until=DatabaseLater(-1))
            )
            session.execute(
                sa.update(Message)
                .where(Message.state == MessageState.SENDING)
                .values(sending_since=DatabaseLater(-1200))
            )
        return sweep(self.engine, self.ctx, self.journal, datetime.now(UTC))


@pytest.fixture
def house(
    store_url: str, data_dir: Path, mail_server: MailServer, processes: Processes
) -> Iterator[House]:
    """A house on each kind of database."""
    house = House(store_url, data_dir, mail_server, processes)
    yield house
    processes.end_all()
    house.engine.dispose()


@pytest.fixture
def small_house(
    sqlite_url: str, data_dir: Path, mail_server: MailServer, processes: Processes
) -> Iterator[House]:
    """A house on SQLite alone, for the quick version of a promise."""
    house = House(sqlite_url, data_dir, mail_server, processes)
    yield house
    processes.end_all()
    house.engine.dispose()
