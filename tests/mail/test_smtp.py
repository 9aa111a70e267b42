"""Every way an SMTP conversation can end, against real sockets."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tests.mail.smtp_parts import MAIL, Keeper, Serve, failure, free_port
from tests.mail.wire import DROP, OK, Wire, certificate, until
from worker.mail.transport import (
    Accepted,
    Permanent,
    Scope,
    Temporary,
    TransportError,
    Unknown,
)
from worker.mail.transport.smtp import (
    Security,
    SmtpSettings,
    SmtpTransport,
)


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


def test_a_slow_answer_to_the_final_dot_is_waited_for(serve: Serve) -> None:
    def slow(_number: int) -> bytes:
        time.sleep(0.5)
        return OK

    _, transport = serve({"timeout": 0.2, "final_timeout": 10.0}, answers={"dot": slow})
    assert transport.send(MAIL).reply.startswith("250 ")


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
