"""A real mail server for tests: what it took, and how it is to misbehave."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.processes import Process, Processes, until


@dataclass(frozen=True, slots=True)
class Rule:
    """One misbehaviour; the phases and meanings stand at the top of ``smtp_sink``."""

    phase: str
    reply: str | None = None
    drop: bool = False
    lose: bool = False
    delay: float = 0
    match: str = ""
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that the server took."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    content: bytes
    mail_command: str
    user: str | None
    encrypted: bool
    connection: int


class MailServer:
    """A running SMTP server on 127.0.0.1; its log survives any kill -9."""

    def __init__(self, folder: Path, processes: Processes, tls: str) -> None:
        self.folder = folder
        self.tls = tls
        self.host = "localhost" if tls != "none" else "127.0.0.1"
        self.port = 0
        self.certificate = folder / "certificate.pem"
        self.process: Process | None = None
        self._processes = processes
        self._script: dict[str, Any] = {"generation": 0}

    def start(self) -> None:
        """Start it, on the same port as before where it ran before."""
        listening = self.folder / "port"
        listening.unlink(missing_ok=True)
        self.process = self._processes.python(
            "tests.smtp_sink", self.folder, "--tls", self.tls, "--port", str(self.port)
        )
        until(listening.exists, 10, self.process.words)
        self.port = int(listening.read_text())

    def kill9(self) -> None:
        """Kill it; connections break, the log stays."""
        assert self.process is not None
        self.process.kill9()

    def behave(self, *rules: Rule) -> None:
        """Follow these rules, and no earlier ones, from the next connection on."""
        wanted = [{k: v for k, v in asdict(rule).items() if v is not None} for rule in rules]
        self._tell(rules=wanted)

    def admit(self, **users: str) -> None:
        """Offer AUTH from the next connection on, to these users and passwords."""
        self._tell(users=users)

    def offer(self, *extensions: str) -> None:
        """Offer exactly these extensions from the next connection on."""
        self._tell(extensions=list(extensions))

    def _tell(self, **changes: Any) -> None:
        self._script |= changes
        self._script["generation"] += 1
        fresh = self.folder / "script.new"
        fresh.write_text(json.dumps(self._script))
        fresh.rename(self.folder / "script.json")

    def events(self, *names: str) -> list[dict[str, Any]]:
        """Lines of its log in order, of these names or all."""
        log = self.folder / "log.jsonl"
        lines = log.read_text().splitlines() if log.exists() else []
        events = [json.loads(line) for line in lines]
        return [event for event in events if not names or event["event"] in names]

    def taken(self) -> list[Taken]:
        """Every mail it took, in order, whether or not the client heard of it."""
        return [self._taken(event) for event in self.events("accepted")]

    def counts(self) -> Counter[str]:
        """How many times it took each Message-ID."""
        return Counter(event["message_id"] for event in self.events("accepted"))

    def wait_for(self, number: int, seconds: float = 30) -> list[Taken]:
        """Wait until it has taken at least ``number`` mails."""
        until(
            lambda: len(self.events("accepted")) >= number,
            seconds,
            lambda: f"took {len(self.events('accepted'))} of {number} mails",
        )
        return self.taken()

    def _taken(self, event: dict[str, Any]) -> Taken:
        return Taken(
            message_id=event["message_id"],
            sender=event["sender"],
            recipients=tuple(event["recipients"]),
            content=(self.folder / event["file"]).read_bytes(),
            mail_command=event["mail"],
            user=event["user"],
            encrypted=event["encrypted"],
            connection=event["connection"],
        )


MakeMailServer = Callable[..., MailServer]


@pytest.fixture
def make_mail_server(tmp_path: Path, processes: Processes) -> Iterator[MakeMailServer]:
    """Start mail servers; ``tls`` is none, starttls or implicit."""
    number = 0

    def make(tls: str = "none") -> MailServer:
        nonlocal number
        number += 1
        folder = tmp_path / f"mail-server-{number}"
        folder.mkdir()
        if tls != "none":
            _write_certificate(folder / "certificate.pem")
        server = MailServer(folder, processes, tls)
        server.start()
        return server

    yield make
    processes.end_all()


@pytest.fixture
def mail_server(make_mail_server: MakeMailServer) -> MailServer:
    """A well-behaved mail server, until told otherwise."""
    return make_mail_server()


def _write_certificate(path: Path) -> None:
    """Write a key and a certificate for localhost, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
