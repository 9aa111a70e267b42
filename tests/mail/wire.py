"""A raw SMTP server in a thread that misbehaves exactly where a test tells it to."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DROP = b""
"""Instead of an answer: close the connection."""

OK = b"250 2.0.0 Ok: queued as 4F2A\r\n"


@dataclass
class Wire:
    """``answers`` maps a phase (greeting, EHLO, AUTH, MAIL, RCPT, DATA, dot, QUIT) to its answer.

    A callable is asked with the number of the command on its connection, from 1. ``silent``
    phases are never answered. ``heard`` lists every command of every connection.
    """

    answers: dict[str, bytes | Callable[[int], bytes]] = field(default_factory=dict)
    silent: frozenset[str] = frozenset()
    tls: ssl.SSLContext | None = None
    heard: list[str] = field(default_factory=list)
    mails: list[bytes] = field(default_factory=list)
    connections: int = 0
    close_after_dot: bool = False

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """Stop listening and end all conversations."""
        self._over.set()
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.connections += 1
            thread = threading.Thread(target=self._talk, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(10)
        try:
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
            with client, client.makefile("rb") as lines:
                if self._answer(client, "greeting", b"220 sink ESMTP\r\n", 1):
                    self._commands(client, lines.readline)
        except OSError:
            return  # the client went away: what it did is in ``heard``

    def _commands(self, client: socket.socket, readline: Callable[[], bytes]) -> None:
        counts: dict[str, int] = {}
        while line := readline():
            self.heard.append(line.decode().rstrip())
            verb = line.split()[0].decode().upper()
            counts[verb] = counts.get(verb, 0) + 1
            ordinary = {
                "EHLO": b"250-sink\r\n250 AUTH PLAIN\r\n",
                "AUTH": b"235 2.7.0 ok\r\n",
                "DATA": b"354 go on\r\n",
                "QUIT": b"221 bye\r\n",
            }.get(verb, b"250 ok\r\n")
            if not self._answer(client, verb, ordinary, counts[verb]):
                return
            if verb == "QUIT":
                return
            if verb == "DATA" and not self._data(client, readline, counts["DATA"]):
                return

    def _data(self, client: socket.socket, readline: Callable[[], bytes], number: int) -> bool:
        if self.answers.get("DATA", b"354").__class__ is bytes and not bytes(
            self.answers.get("DATA", b"354")  # type: ignore[arg-type]
        ).startswith(b"354"):
            return True
        mail = b""
        while (line := readline()) != b".\r\n":
            if not line:
                return False
            mail += line
        self.mails.append(mail)
        return self._answer(client, "dot", OK, number)

    def _answer(self, client: socket.socket, phase: str, ordinary: bytes, number: int) -> bool:
        if phase in self.silent:
            self._over.wait(10)
            return False
        answer = self.answers.get(phase, ordinary)
        said = answer(number) if callable(answer) else answer
        if said == DROP:
            return False
        client.sendall(said)
        return True


def until(condition: Callable[[], bool]) -> None:
    """Wait up to five seconds for what another thread does."""
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "it did not happen within five seconds"
        time.sleep(0.005)


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that trusts itself; returns (certificate, key)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
