"""The whole way: a mail leaves by SMTP, its bounce comes back by SMTP, and is taken in once."""

from __future__ import annotations

import base64
import mailbox as maildirs
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from pydantic import SecretStr

from tests.documents import KEY
from tests.factories import NOW
from tests.mail.coming_back.corpus import sample
from tests.mailboxes import MailServer
from tests.pipeline.desk import Desk
from tests.pipeline.returning import DOMAIN
from worker.mail.transport.smtp import Security, SmtpSettings, SmtpTransport
from worker.pipeline.dispatch import Transports
from worker.returning import take_returns
from worker.rules.states import MessageState
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.customers import ContactNote, Suppression
from worker.store.engine import open_engine
from worker.store.returns import ReturnedMail
from worker.store.ulids import new_ulid


@pytest.fixture
def desk(store_url: str, data_dir: Path) -> Iterator[Desk]:
    """A desk whose installation has the key of the tests."""
    engine = open_engine(store_url, durable=True)
    yield Desk(engine, data_dir)
    engine.dispose()


@pytest.fixture
def incoming(tmp_path: Path) -> Iterator[tuple[Path, Controller]]:
    """The mail server of the bounce domain, which delivers into a maildir."""
    folder = tmp_path / "returns"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Mailbox(folder), hostname="127.0.0.1", port=port)
    controller.start()
    yield folder, controller
    controller.stop()


def deliver(controller: Controller, to: str, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", controller.port) as link:
        link.sendmail("", [to], raw)


@pytest.fixture
def runtime(desk: Desk, store_url: str, data_dir: Path, tmp_path: Path) -> Iterator[Runtime]:

    opened = Runtime(
        Settings(
            data=data_dir,
            database_url=store_url,
            returns_folder=tmp_path / "returns",
            key=SecretStr(base64.b64encode(KEY).decode()),
        )
    )
    yield opened
    opened.dispose()


def count(runtime: Runtime, table: type) -> int:
    with runtime.look() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_a_bounce_finds_its_mail_by_the_return_path_it_left_with(
    desk: Desk,
    runtime: Runtime,
    mail_server: MailServer,
    incoming: tuple[Path, Controller],
) -> None:
    folder, controller = incoming
    smtp = SmtpTransport(SmtpSettings(mail_server.host, mail_server.port, security=Security.NONE))
    desk.transports = Transports(desk.outbox, smtp, bounce_domain=DOMAIN)
    message_id = desk.approve(id=new_ulid(NOW))
    desk.dispatch()
    smtp.close()
    (sent,) = mail_server.taken()
    assert sent.sender.endswith(f"@{DOMAIN}")
    to = sent.recipients[0]
    reply = sample("human-reply", to=to, mail_id=sent.message_id)
    for raw in (
        sample("postfix-unknown-user", to=to, mail_id="<other@x.example>", path=sent.sender),
        reply,
        sample("machine-unreadable", to=to, path=sent.sender),
    ):
        deliver(controller, sent.sender, raw)
    done = take_returns(runtime, NOW)
    assert done.counts == {"stopped": 1, "inquiry": 1, "unreadable": 1}
    assert desk.read(message_id).state is MessageState.BOUNCED
    assert (count(runtime, Suppression), count(runtime, ContactNote)) == (1, 1)
    kept = maildirs.Maildir(folder, create=False)
    assert (len(kept), sorted(kept.list_folders())) == (0, ["Done", "Unknown"])
    assert [len(kept.get_folder(name)) for name in ("Done", "Unknown")] == [2, 1]
    assert take_returns(runtime, NOW).counts == {}


def test_a_crash_after_the_commit_changes_nothing_the_second_time(
    desk: Desk, runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "returns/new").mkdir(parents=True)
    (tmp_path / "returns/new/1").write_bytes(sample("qmail"))
    with monkeypatch.context() as broken:

        def die(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        broken.setattr("worker.mail.coming_back.folder.Maildir.settle", die)
        with pytest.raises(KeyboardInterrupt):
            take_returns(runtime, NOW)
    assert count(runtime, ReturnedMail) == 1
    assert take_returns(runtime, NOW).counts == {"again": 1}
    assert count(runtime, ReturnedMail) == 1
