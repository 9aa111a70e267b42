"""Every way an SMTP conversation can end, against real sockets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.mail.wire import DROP, OK, Wire, certificate, until
from worker.mail.transport import (
    Accepted,
    Permanent,
    Prepared,
    Refused,
    Scope,
    Temporary,
    TransportError,
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

MAIL = Prepared(
    message_ref="m1",
    message_id="<m1.1@order.example>",
    envelope_from="b+m1@bounce.example",
    envelope_to="hanako@example.com",
    data=b"Subject: x\r\n\r\nhello\r\n.dot\r\n..two\r\n",
)

Serve = Callable[..., tuple[Wire, SmtpTransport]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that misbehaves as told and a transport that talks to it."""
    started: list[tuple[Wire, SmtpTransport]] = []

    def start(settings: dict[str, Any] | None = None, **script: Any) -> tuple[Wire, SmtpTransport]:
        wire = Wire(**script)
        plain: dict[str, Any] = {"security": Security.NONE, "timeout": 2.0, "final_timeout": 2.0}
        transport = SmtpTransport(
            SmtpSettings("127.0.0.1", wire.port, **(plain | (settings or {})))
        )
        started.append((wire, transport))
        return wire, transport

    yield start
    for wire, transport in started:
        transport.close()
        wire.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def failure(transport: SmtpTransport, mail: Prepared = MAIL) -> TransportError:
    said: list[Accepted] = []
    with pytest.raises(TransportError) as caught:
        transport.send(mail, said.append)
    assert said == []
    return caught.value


def test_an_accepted_mail_arrives_byte_for_byte(serve: Serve) -> None:
    wire, transport = serve()
    said: list[Accepted] = []
    accepted = transport.send(MAIL, said.append)
    assert accepted == Accepted("250 2.0.0 Ok: queued as 4F2A")
    assert said == [accepted]
    assert wire.mails == [b"Subject: x\r\n\r\nhello\r\n..dot\r\n...two\r\n"]
    assert wire.heard[1:] == [
        "MAIL FROM:<b+m1@bounce.example>",
        "RCPT TO:<hanako@example.com>",
        "DATA",
    ]


def test_a_mail_that_begins_with_a_dot_keeps_it(serve: Serve) -> None:
    wire, transport = serve()
    transport.send(replace(MAIL, data=b".first\r\nlast"))
    assert wire.mails == [b"..first\r\nlast\r\n"]


def test_the_acceptance_is_recorded_before_any_further_word(serve: Serve) -> None:
    wire, transport = serve({"per_connection": 1})
    heard: list[list[str]] = []
    transport.send(MAIL, lambda _accepted: heard.append(list(wire.heard)))
    assert heard[0][-1] == "DATA"
    until(lambda: wire.heard[-1] == "quit")


# Row 1 of the table: connect, TLS or AUTH fails.


def test_nobody_listening_is_temporary() -> None:
    error = failure(SmtpTransport(SmtpSettings("127.0.0.1", free_port(), Security.NONE)))
    assert isinstance(error, Temporary)
    assert error.reply == "127.0.0.1 cannot be reached: ConnectionRefusedError"


def test_an_unknown_host_is_temporary() -> None:
    settings = SmtpSettings("no-such-host.invalid", 25, Security.NONE)
    error = failure(SmtpTransport(settings), replace(MAIL, envelope_to="hanako@gmail.com"))
    assert isinstance(error, Temporary)


@pytest.mark.parametrize(
    ("greeting", "person"), [(b"554 go away\r\n", True), (b"421 busy\r\n", False)]
)
def test_a_greeting_that_is_none_is_temporary(serve: Serve, greeting: bytes, person: bool) -> None:
    error = failure(serve(answers={"greeting": greeting})[1])
    assert isinstance(error, Temporary)
    assert error.needs_person == person


def test_a_silent_server_is_temporary(serve: Serve) -> None:
    error = failure(serve({"timeout": 0.2}, silent=frozenset({"greeting"}))[1])
    assert isinstance(error, Temporary)


@pytest.mark.parametrize(
    ("answer", "stops"),
    [(b"535 5.7.8 bad password\r\n", True), (b"454 4.7.0 later\r\n", False)],
)
def test_a_refused_password_stops_the_lane_and_calls_a_person(
    serve: Serve, answer: bytes, stops: bool
) -> None:
    wire, transport = serve({"user": "shop", "password": "wrong"}, answers={"AUTH": answer})
    error = failure(transport)
    assert isinstance(error, Temporary)
    assert (error.stop_lane, error.needs_person, error.scope) == (stops, stops, Scope.SENDER)
    assert not [line for line in wire.heard if line.startswith("MAIL")]


def test_a_server_without_starttls_stops_the_lane(serve: Serve) -> None:
    error = failure(serve({"security": Security.STARTTLS})[1])
    assert isinstance(error, Temporary)
    assert error.stop_lane
    assert error.needs_person


def test_tls_works_with_a_trusted_certificate_only(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    wire = Wire(tls=server)
    settings = SmtpSettings("127.0.0.1", wire.port, Security.TLS, timeout=2.0)
    trusting = SmtpTransport(settings, ssl.create_default_context(cafile=str(cert)))
    assert trusting.send(MAIL).reply.startswith("250 ")
    trusting.close()
    error = failure(SmtpTransport(settings))
    assert isinstance(error, Temporary)
    assert error.needs_person
    assert len(wire.mails) == 1
    wire.close()


def test_starttls_is_taken_up(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    keeper = Keeper()
    controller = Controller(
        keeper, hostname="127.0.0.1", port=free_port(), tls_context=server, require_starttls=True
    )
    controller.start()
    try:
        context = ssl.create_default_context(cafile=str(cert))
        transport = SmtpTransport(SmtpSettings("127.0.0.1", controller.port), context)
        transport.send(MAIL)
        transport.close()
    finally:
        controller.stop()
    assert len(keeper.mails) == 1


# Row 2: the peer drops after MAIL or RCPT, or never answers.


@pytest.mark.parametrize("phase", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("how", ["drops", "falls silent"])
def test_a_line_that_breaks_before_the_mail_is_temporary(
    serve: Serve, phase: str, how: str
) -> None:
    script: dict[str, Any] = (
        {"answers": {phase: DROP}} if how == "drops" else {"silent": frozenset({phase})}
    )
    wire, transport = serve({"timeout": 0.2}, **script)
    assert isinstance(failure(transport), Temporary)
    assert wire.mails == []


# Row 3: RCPT is refused; and MAIL and DATA alike.


@pytest.mark.parametrize(
    ("phase", "answer", "kind", "scope"),
    [
        ("RCPT", b"550 5.1.1 <hanako@example.com> unknown\r\n", Permanent, Scope.ADDRESS),
        ("RCPT", b"550 no such user\r\n", Permanent, Scope.ADDRESS),
        ("RCPT", b"450 4.2.2 full\r\n", Temporary, Scope.MAILBOX),
        ("RCPT", b"451 greylisted\r\n", Temporary, Scope.NETWORK),
        ("RCPT", b"421 4.7.0 slow down\r\n", Temporary, Scope.RATE),
        ("RCPT", b"550 5.7.1 blocked\r\n", Permanent, Scope.DOMAIN),
        ("MAIL", b"550 5.7.26 unauthenticated\r\n", Permanent, Scope.SENDER),
        ("MAIL", b"451 4.3.0 later\r\n", Temporary, Scope.NETWORK),
        ("DATA", b"451 4.3.0 later\r\n", Temporary, Scope.NETWORK),
        ("DATA", b"554 no\r\n", Permanent, Scope.NETWORK),
        ("dot", b"552 5.3.4 too large\r\n", Permanent, Scope.CONTENT),
        ("dot", b"550 5.7.515 dmarc\r\n", Permanent, Scope.SENDER),
        ("dot", b"451 4.7.28 rate\r\n", Temporary, Scope.RATE),
        ("dot", b"421 4.3.2 closing\r\n", Temporary, Scope.NETWORK),
    ],
)
def test_a_refusal_says_whether_waiting_helps_and_whom_it_is_about(
    serve: Serve, phase: str, answer: bytes, kind: type[TransportError], scope: Scope
) -> None:
    error = failure(serve(answers={phase: answer})[1])
    assert type(error) is kind
    assert error.scope == scope
    assert error.code == int(answer[:3])
    assert "hanako" not in str(error)


# Row 4 stands above (dot). Between: the server hangs up or speaks before the final dot.


def test_a_drop_before_the_end_of_the_mail_is_temporary(serve: Serve) -> None:
    class HangsUp(Wire):
        def _data(self, client: socket.socket, readline: Callable[[], bytes], number: int) -> bool:
            readline()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return False

    wire = HangsUp()
    transport = SmtpTransport(SmtpSettings("127.0.0.1", wire.port, Security.NONE, timeout=2.0))
    error = failure(transport, replace(MAIL, data=b"x" * 76 + b"\r\n" + b"y" * 20_000_000))
    assert isinstance(error, Temporary)
    assert wire.mails == []
    wire.close()


def test_an_answer_before_the_end_of_the_mail_is_not_an_acceptance(serve: Serve) -> None:
    error = failure(serve(answers={"DATA": b"354 go on\r\n552 5.3.4 too large\r\n"})[1])
    assert isinstance(error, Permanent)
    assert error.scope == Scope.CONTENT


# Row 5: drop or silence after the final dot.


def test_a_drop_after_the_final_dot_is_unknown(serve: Serve) -> None:
    wire, transport = serve(answers={"dot": DROP})
    assert isinstance(failure(transport), Unknown)
    assert len(wire.mails) == 1


def test_silence_after_the_final_dot_is_unknown_after_its_own_patience(serve: Serve) -> None:
    wire, transport = serve({"timeout": 30.0, "final_timeout": 0.2}, silent=frozenset({"dot"}))
    assert isinstance(failure(transport), Unknown)
    assert len(wire.mails) == 1


def test_nonsense_after_the_final_dot_is_unknown(serve: Serve) -> None:
    assert isinstance(failure(serve(answers={"dot": b"hello\r\n"})[1]), Unknown)


# Rows 6 and 7: accepted, then trouble at QUIT.


@pytest.mark.parametrize("answer", [b"421 4.3.2 shutting down\r\n", DROP, b"500 what?\r\n"])
def test_trouble_at_quit_changes_nothing(serve: Serve, answer: bytes) -> None:
    wire, transport = serve({"per_connection": 1}, answers={"QUIT": answer})
    said: list[Accepted] = []
    transport.send(MAIL, said.append)
    assert len(said) == 1
    transport.close()
    assert len(wire.mails) == 1


# Connections.


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


class Keeper:
    """Keeps what a real server took."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        """Take the mail."""
        self.mails.append(envelope.original_content)
        return "250 kept"


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
