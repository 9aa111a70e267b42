"""A small shop with one own channel whose mails leave by a wire; everything real but the wire."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, select

from tests.factories import NOW, make_channel
from tests.pipeline.approved import Wire, approved, shop_context, unchanged
from worker.mail.journal import Journal
from worker.pipeline.dispatch import DispatchResult, Transports, dispatch_due
from worker.pipeline.instance import check_instance, open_installation, set_mode
from worker.pipeline.review_verdict import each
from worker.rules.states import RunMode
from worker.store.channels import Channel
from worker.store.engine import open_engine, reading, writing
from worker.store.leases import DatabaseLater
from worker.store.messages import Message, MessageEvent


class Desk:
    """A shop with one own channel whose mails leave by a wire; everything real but the wire."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder
        self.ctx = shop_context()
        self.journal = Journal(folder / "journal" / "sent.log")
        self.installation = open_installation(folder, "machine")
        self.outbox, self.wire = Wire("capture"), Wire()
        self.transports = Transports(capture=self.outbox, default=self.wire)
        with writing(engine) as session:
            self.channel_id = make_channel(session).id
            check_instance(session, self.installation, self.journal, NOW)
            set_mode(session, RunMode.LIVE, by="owner", now=NOW)

    def approve(self, **fields: Any) -> str:
        """One approved message that is due; gives its id."""
        with writing(self.engine) as session:
            channel = session.get_one(Channel, fields.pop("channel_id", self.channel_id))
            return approved(session, channel, **fields).id

    def dispatch(self, now: datetime = NOW, **options: Any) -> DispatchResult:
        """One run."""
        recheck = each(options.pop("recheck", unchanged))
        chosen: dict[str, Any] = {
            "recheck": recheck,
            "clock": lambda: now,
            "patience": 0.0,
        } | options
        return dispatch_due(
            self.engine,
            self.ctx,
            self.transports,
            self.journal,
            self.installation,
            now,
            **chosen,
        )

    def read(self, message_id: str) -> Message:
        """The message as it stands."""
        with reading(self.engine) as session:
            message = session.get_one(Message, message_id)
            session.expunge(message)
        return message

    def moves(self, message_id: str) -> list[str]:
        """Names of its moves in order."""
        with reading(self.engine) as session:
            found = select(MessageEvent.move).where(MessageEvent.message_id == message_id)
            return list(session.scalars(found.order_by(MessageEvent.id)))

    def change(self, message_id: str, **values: Any) -> None:
        """Change columns behind everybody's back."""
        with writing(self.engine) as session:
            message = session.get_one(Message, message_id)
            for name, value in values.items():
                setattr(message, name, value)

    def add(self, row: Any) -> None:
        """Add one row."""
        with writing(self.engine) as session:
            session.add(row)

    def age(self, message_id: str, **lengths: float) -> None:
        """Set times of the database's clock back: ``sending`` and ``lease`` in seconds ago."""
        columns = {"sending": Message.sending_since, "lease": Message.lease_until}
        values = {columns[name]: DatabaseLater(-ago) for name, ago in lengths.items()}
        with writing(self.engine) as session:
            session.execute(
                sa.update(Message)
                .where(Message.id == message_id)
                .values({column.key: value for column, value in values.items()})
            )


@pytest.fixture
def desk(store_url: str, tmp_path: Path) -> Iterator[Desk]:
    """A desk on each kind of database."""
    engine = open_engine(store_url, durable=True)
    yield Desk(engine, tmp_path / "data")
    engine.dispose()
