"""Okaeri's own sides: each runs a step of the path as its command or its task does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from bench.measure import Stopwatch
from bench.sample import Period, write_orders
from worker.documents import load_documents
from worker.mail.journal import Journal
from worker.mail.texts import FolderSource, shipped_root
from worker.mail.transport.capture import CaptureTransport
from worker.mail.transport.smtp import Security, SmtpSettings, SmtpTransport
from worker.pipeline.context import Context
from worker.pipeline.dispatch import Transports, dispatch_due
from worker.pipeline.dispatch_claim import prepare
from worker.pipeline.identify import identify
from worker.pipeline.imports import import_file
from worker.pipeline.instance import check_instance, open_installation, set_mode
from worker.pipeline.plan import plan
from worker.pipeline.rank import rank_all
from worker.pipeline.render import recheck_many, render_due
from worker.pipeline.review import approve_many
from worker.resources import shipped
from worker.rules.states import MessageState, RunMode
from worker.store.engine import reading, writing
from worker.store.messages import Message, MessageBody

CHANNEL = "own:main"
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
"""Noon in Tokyo on a Friday: an hour at which mails may leave."""
_BATCH = 50
_ZONE = ZoneInfo("Asia/Tokyo")
_YESTERDAY = Period((NOW - timedelta(hours=26)).astimezone(_ZONE), timedelta(days=1), shipped=False)


def shop() -> Context:
    """The shipped documents and texts."""
    return Context(
        load_documents(shipped("config")), FolderSource(shipped_root()), b"a key for the bench only"
    )


def take_in(engine: sa.Engine, file: Path, watch: Stopwatch, since: datetime | None = None) -> int:
    """Import a file from its first byte to identified customers; gives how many orders."""
    with watch.running():
        report = import_file(
            partial(writing, engine),
            shop(),
            file,
            channel=CHANNEL,
            active_from=since,
            by="bench",
            now=NOW,
        )
    if report.rejected:
        raise RuntimeError(f"{report.rejected} records of {file} were rejected")
    return report.new


def rank_everybody(engine: sa.Engine, watch: Stopwatch) -> int:
    """Number and rank every order; gives how many."""
    with watch.running():
        return rank_all(partial(writing, engine), shop(), NOW).orders


# --- mails ------------------------------------------------------------------------------------


def write_mails(engine: sa.Engine, folder: Path, number: int) -> int:
    """Take ``number`` orders of the last day down the path to approved thank-yous, due now.

    Gives how many mails they made: some orders are cancelled, some share a mail.
    """
    file = folder / "recent.csv"
    write_orders(file, number, _YESTERDAY)
    take_in(engine, file, Stopwatch(), since=NOW - timedelta(days=3))
    ctx, transaction = shop(), partial(writing, engine)
    rank_all(transaction, ctx, NOW)
    _until_quiet(engine, ctx)
    with transaction() as session:
        ids = _due(session, MessageState.IN_REVIEW)
        approve_many(
            session, ctx, ids=ids, expected=len(ids), by="bench", now=NOW - timedelta(hours=1),
            with_vip=True, with_flagged=True,
        )  # fmt: skip
    with transaction() as session:
        return len(_due(session, MessageState.APPROVED))


def _until_quiet(engine: sa.Engine, ctx: Context) -> None:
    more = True
    while more:
        with writing(engine) as session:
            identify(session, ctx, NOW)
            planned = plan(session, ctx, NOW - timedelta(hours=2))
            more = bool(planned.orders or planned.customers)
    more = True
    while more:
        with writing(engine) as session:
            more = bool(render_due(session, ctx, NOW).rendered)


def _due(session: Session, state: MessageState) -> list[str]:
    return list(
        session.scalars(
            sa.select(Message.id)
            .where(Message.state == state, Message.due_at <= NOW)
            .order_by(Message.due_at)
        )
    )


def bytes_of(engine: sa.Engine) -> list[bytes]:
    """The same mails as bytes, for the bare loop."""
    ctx = shop()
    with reading(engine) as session:
        return [
            prepare(
                ctx.zone,
                session.get_one(Message, message_id),
                session.get_one(MessageBody, message_id),
                advertising=False,
            ).data
            for message_id in _due(session, MessageState.APPROVED)
        ]


def send(engine: sa.Engine, folder: Path, host: str, port: int, watch: Stopwatch) -> int:
    """Dispatch everything that is due, every check and the journal included; gives how many."""
    journal = Journal(folder / "journal" / "dispatch.jsonl")
    installation = open_installation(folder, "bench")
    with writing(engine) as session:
        check_instance(session, installation, journal, NOW)
        set_mode(session, RunMode.LIVE, by="bench", now=NOW)
    smtp = SmtpTransport(SmtpSettings(host=host, port=port, security=Security.NONE))
    transports = Transports(capture=CaptureTransport(folder / "outbox"), default=smtp)
    ctx, sent, last = shop(), 0, -1
    with watch.running():
        while sent != last:
            last = sent
            result = dispatch_due(
                engine, ctx, transports, journal, installation, NOW, _BATCH, recheck=recheck_many
            )
            sent += result.counts["sent"]
        transports.close()
    return sent
