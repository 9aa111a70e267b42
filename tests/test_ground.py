"""The ground that other tests stand on: databases, processes, broker, mail server."""

from __future__ import annotations

import os
import smtplib
import ssl
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.brokers import Broker
from tests.mailboxes import MailServer, MakeMailServer, Rule
from tests.needs import absent
from tests.processes import Processes, until
from worker.store.schema import all_tables

_MAIL = "Message-ID: <1@okaeri.test>\r\nSubject: x\r\n\r\n.dot\r\nend\r\n"


def _send(server: MailServer) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=5) as client:
        client.sendmail("shop@okaeri.test", ["a@okaeri.test"], _MAIL)


def test_each_test_gets_every_table_and_no_row(engine: sa.Engine) -> None:
    tables = all_tables().tables
    assert set(tables) <= set(sa.inspect(engine).get_table_names())
    with engine.connect() as connection:
        counts = {
            name: connection.scalar(sa.select(sa.func.count()).select_from(table))
            for name, table in tables.items()
        }
    assert set(counts.values()) == {0}


def test_an_empty_store_has_no_table(empty_store_url: str) -> None:
    engine = sa.create_engine(empty_store_url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_what_is_absent_skips_a_test_and_fails_it_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^PostgreSQL is absent$"):
        absent("PostgreSQL is absent")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="nothing may be skipped"):
        absent("PostgreSQL is absent")


def test_offspring_is_found_and_ended_even_when_its_parent_is_gone(processes: Processes) -> None:
    parent = processes.start(["sh", "-c", "sleep 60 & echo started; exec true"])
    assert parent.wait() == 0
    assert list(processes.alive().values()) == ["sleep 60"]
    processes.end_all()
    assert processes.alive() == {}


@pytest.mark.broker
def test_the_broker_remembers_through_kill_9(broker: Broker) -> None:
    with broker.client() as client:
        client.set("word", "kept")
        time.sleep(1.2)  # appendfsync everysec
    broker.kill9()
    assert not broker.answers()
    broker.start()
    with broker.client() as client:
        assert client.get("word") == b"kept"


def test_the_mail_server_keeps_a_mail_byte_for_byte(mail_server: MailServer) -> None:
    _send(mail_server)
    (taken,) = mail_server.taken()
    assert taken.content == _MAIL.encode()
    assert taken.message_id == "<1@okaeri.test>"
    assert (taken.sender, taken.recipients) == ("shop@okaeri.test", ("a@okaeri.test",))


def test_a_mail_dropped_after_the_final_dot_was_taken(mail_server: MailServer) -> None:
    mail_server.behave(Rule("dot", drop=True, times=1))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        _send(mail_server)
    assert mail_server.counts() == {"<1@okaeri.test>": 1}
    _send(mail_server)
    assert mail_server.counts() == {"<1@okaeri.test>": 2}


def test_a_mail_lost_at_the_final_dot_was_not_taken(mail_server: MailServer) -> None:
    mail_server.behave(Rule("dot", lose=True))
    with pytest.raises(smtplib.SMTPServerDisconnected):
        _send(mail_server)
    assert mail_server.taken() == []


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (Rule("connect", reply="421 4.3.2 busy"), smtplib.SMTPConnectError),
        (Rule("mail", reply="451 4.7.1 greylisted"), smtplib.SMTPSenderRefused),
        (Rule("rcpt", reply="550 5.1.1 unknown"), smtplib.SMTPRecipientsRefused),
        (Rule("rcpt", reply="550 5.1.1 unknown", match="<a@"), smtplib.SMTPRecipientsRefused),
        (Rule("data", reply="554 5.7.1 no"), smtplib.SMTPDataError),
        (Rule("dot", reply="552 5.2.2 full"), smtplib.SMTPDataError),
    ],
)
def test_a_refused_mail_was_not_taken(
    mail_server: MailServer, rule: Rule, error: type[Exception]
) -> None:
    mail_server.behave(rule)
    with pytest.raises(error):
        _send(mail_server)
    assert mail_server.taken() == []


def test_a_server_that_is_tired_at_quit_has_taken_the_mail(mail_server: MailServer) -> None:
    mail_server.behave(Rule("quit", reply="421 4.4.2 tired"))
    with pytest.raises(smtplib.SMTPResponseException, match="tired"):
        _send(mail_server)
    assert mail_server.counts() == {"<1@okaeri.test>": 1}


def test_a_slow_final_answer_leaves_the_client_in_doubt(mail_server: MailServer) -> None:
    mail_server.behave(Rule("dot", delay=3))
    with (
        smtplib.SMTP(mail_server.host, mail_server.port, timeout=0.3) as client,
        pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)),
    ):
        client.sendmail("shop@okaeri.test", ["a@okaeri.test"], _MAIL)
    assert mail_server.counts() == {"<1@okaeri.test>": 1}


def test_the_mail_server_comes_back_on_its_port_with_its_mails(mail_server: MailServer) -> None:
    port = mail_server.port
    _send(mail_server)
    mail_server.kill9()
    with pytest.raises(ConnectionRefusedError):
        _send(mail_server)
    mail_server.start()
    assert mail_server.port == port
    _send(mail_server)
    assert mail_server.counts() == {"<1@okaeri.test>": 2}


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_the_mail_server_asks_for_a_password_over_tls(
    make_mail_server: MakeMailServer, tls: str
) -> None:
    server = make_mail_server(tls=tls)
    server.admit(shop="right")
    context = ssl.create_default_context(cafile=server.certificate)
    if tls == "implicit":
        client: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, context=context)
    else:
        client = smtplib.SMTP(server.host, server.port)
        client.starttls(context=context)
    with client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("shop", "wrong")
        client.login("shop", "right")
        client.sendmail("shop@okaeri.test", ["a@okaeri.test"], _MAIL)
    (taken,) = server.taken()
    assert (taken.user, taken.encrypted) == ("shop", True)


@pytest.mark.postgres
def test_the_session_ends_its_server_even_after_kill_9(
    processes: Processes, postgres_server: sa.URL, tmp_path: Path
) -> None:
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("the server is not this session's own")
    up = tmp_path / "up"
    probe = tmp_path / "test_probe.py"
    probe.write_text(
        "import pathlib, time\n"
        "def test_it(postgres_server):\n"
        f"    pathlib.Path({str(up)!r}).touch()\n"
        "    time.sleep(60)\n"
    )
    plugins = ["-p", "no:cacheprovider", "-p", "tests.sessions", "-p", "tests.databases"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, "-c", os.devnull, str(probe)]
    session = processes.start(command)
    until(up.exists, 60, session.words)
    assert any("postgres" in command for command in processes.alive().values())
    session.kill9()
    processes.assert_none_left()
