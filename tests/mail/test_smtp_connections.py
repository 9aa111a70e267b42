"""Connections kept and changed, what is not offered, secrets, and a real server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from tests.mail.smtp_parts import MAIL, Keeper, Serve, failure, free_port
from tests.mail.wire import DROP, OK, until
from worker.mail.transport import (
    Permanent,
    Refused,
    Unknown,
)
from worker.mail.transport.replies import Reply
from worker.mail.transport.smtp import (
    Security,
    SettingsRefused,
    SmtpSettings,
    SmtpTransport,
    password_from,
)


def test_a_connection_is_kept_and_changed_after_its_hundredth_mail(serve: Serve) -> None:
    wire, transport = serve()
    for _ in range(101):
        transport.send(MAIL)
    assert (len(wire.mails), wire.connections) == (101, 2)


def test_too_many_mails_on_a_connection_is_not_the_mail_s_fault(serve: Serve) -> None:
    def mail(number: int) -> bytes:
        return b"452 4.5.3 too many\r\n" if number > 2 else b"250 ok\r\n"

    wire, transport = serve(answers={"MAIL": mail})
    for _ in range(5):
        transport.send(MAIL)
    assert (len(wire.mails), wire.connections) == (5, 3)


def test_a_connection_the_server_closed_meanwhile_is_opened_anew(serve: Serve) -> None:
    def mail(number: int) -> bytes:
        return DROP if number > 1 else b"250 ok\r\n"

    wire, transport = serve(answers={"MAIL": mail})
    transport.send(MAIL)
    transport.send(MAIL)
    assert (len(wire.mails), wire.connections) == (2, 2)


def test_a_sender_refused_on_an_old_connection_is_refused(serve: Serve) -> None:
    def mail(number: int) -> bytes:
        return b"550 5.7.1 no\r\n" if number > 1 else b"250 ok\r\n"

    wire, transport = serve(answers={"MAIL": mail})
    transport.send(MAIL)
    assert isinstance(failure(transport), Permanent)
    assert len(wire.mails) == 1


def test_an_idle_connection_is_not_trusted(serve: Serve) -> None:
    wire, transport = serve({"idle": 0.0})
    transport.send(MAIL)
    transport.send(MAIL)
    assert wire.connections == 2


def test_after_a_broken_line_the_next_mail_goes_on_a_new_connection(serve: Serve) -> None:
    answers = iter([DROP, OK])
    wire, transport = serve(answers={"dot": lambda _number: next(answers)})
    assert isinstance(failure(transport), Unknown)
    transport.send(MAIL)
    assert wire.connections == 2
    until(lambda: len(wire.mails) == 2)


# What we do not offer.


def test_an_advertisement_does_not_leave(serve: Serve) -> None:
    wire, transport = serve()
    error = failure(transport, replace(MAIL, is_advertisement=True))
    assert isinstance(error, Refused)
    assert wire.connections == 0


def test_an_invented_person_is_mailed_on_this_machine_only() -> None:
    transport = SmtpTransport(SmtpSettings("mail.shop.jp"))
    assert isinstance(failure(transport), Refused)


@pytest.mark.parametrize(
    "rcpt", ["a@gmail.com>\r\nRCPT TO:<b@gmail.com", "a b@gmail.com", "a@", ""]
)
def test_an_envelope_cannot_hold_a_second_command(serve: Serve, rcpt: str) -> None:
    wire, transport = serve()
    assert isinstance(failure(transport, replace(MAIL, envelope_to=rcpt)), Refused)
    assert isinstance(failure(transport, replace(MAIL, envelope_from="a>\r\nRSET")), Refused)
    assert wire.connections == 0


def test_an_old_phone_address_travels_in_quotes(serve: Serve) -> None:
    wire, transport = serve()
    transport.send(replace(MAIL, envelope_to='"a..b"@docomo.ne.jp'))
    assert 'RCPT TO:<"a..b"@docomo.ne.jp>' in wire.heard


# Secrets.


def test_the_password_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("from file\n", encoding="utf-8")
    assert password_from({}) is None
    assert password_from({"OKAERI_SMTP_PASSWORD": "direct"}) == "direct"
    assert password_from({"OKAERI_SMTP_PASSWORD_FILE": str(secret)}) == "from file"
    with pytest.raises(SettingsRefused, match="not both"):
        password_from({"OKAERI_SMTP_PASSWORD": "x", "OKAERI_SMTP_PASSWORD_FILE": str(secret)})
    with pytest.raises(SettingsRefused, match="cannot be read"):
        password_from({"OKAERI_SMTP_PASSWORD_FILE": str(tmp_path / "none")})


def test_the_password_never_shows() -> None:
    assert "hidden" not in repr(SmtpSettings("h", user="u", password="hidden"))


def test_a_reply_is_read_with_its_addresses_masked() -> None:
    reply = Reply.read(550, b"5.1.1 <hanako@gmail.com>:\r\n user unknown")
    assert reply == Reply(550, "5.1.1 <h***@gmail.com>: user unknown", "5.1.1")


def test_a_real_server_takes_mail_after_mail() -> None:
    keeper = Keeper()
    controller = Controller(keeper, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        transport = SmtpTransport(SmtpSettings("127.0.0.1", controller.port, Security.NONE))
        replies = {transport.send(MAIL).reply for _ in range(30)}
        transport.close()
    finally:
        controller.stop()
    assert replies == {"250 kept"}
    assert keeper.mails == [MAIL.data] * 30
