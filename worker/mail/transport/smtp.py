"""SMTP driven by hand, so that after every broken line we know how far the mail had come."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import select
import smtplib
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from time import monotonic

from worker.mail.addresses import AddressClass, classify
from worker.mail.transport import (
    Accepted,
    OnAccepted,
    Permanent,
    Prepared,
    Refused,
    Scope,
    Temporary,
    TransportError,
    Unknown,
)
from worker.mail.transport.replies import Reply

_PLAIN = re.compile(r"[!-;=?-~]*")
"""Visible ASCII without angle brackets: nothing that could end the command."""

PASSWORD_VARIABLE = "OKAERI_SMTP_PASSWORD"  # noqa: S105 (the name of a variable, not a secret)


class Security(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class SettingsRefused(ValueError):
    """A setting that cannot work; says which."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how to hand over. Times in seconds; the password never shows in ``repr``."""

    host: str
    port: int = 587
    security: Security = Security.STARTTLS
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 60.0
    final_timeout: float = 600.0
    """How long to wait for the answer to the final dot (RFC 5321, section 4.5.3.2.6)."""
    per_connection: int = 100
    """Mails per connection; some servers refuse the next one (452 4.5.3)."""
    idle: float = 30.0
    """A connection idle for longer is not used again."""
    local_hostname: str | None = None


def password_from(environ: Mapping[str, str], name: str = PASSWORD_VARIABLE) -> str | None:
    """Read a secret from ``NAME`` or from the file that ``NAME_FILE`` names.

    Raises SettingsRefused when both are set or the file cannot be read.
    """
    direct, path = environ.get(name), environ.get(f"{name}_FILE")
    if direct and path:
        raise SettingsRefused(f"set {name} or {name}_FILE, not both")
    if not path:
        return direct or None
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n") or None
    except OSError as error:
        raise SettingsRefused(f"{name}_FILE: {path} cannot be read") from error


class SmtpTransport:
    """One server, one connection at a time, kept open between mails.

    Never use smtplib's ``sendmail`` or ``with`` here: they hide whether a line broke before or
    after the final dot, and report an error for a mail that was accepted.
    """

    name = "smtp"

    def __init__(self, settings: SmtpSettings, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or ssl.create_default_context()
        self._lock = threading.Lock()
        self._link: smtplib.SMTP | None = None
        self._used = 0
        self._last = 0.0

    def send(self, mail: Prepared, on_accepted: OnAccepted | None = None) -> Accepted:
        """Hand one mail over; ``on_accepted`` runs before QUIT or any further word."""
        self._refuse(mail)
        with self._lock:
            try:
                accepted = self._hand_over(mail)
            except TransportError as error:
                # An answered refusal leaves a sound line, which may be closed in good manners.
                self._drop() if error.code is None else self._quit()
                raise
            self._used, self._last = self._used + 1, monotonic()
            if on_accepted is not None:
                on_accepted(accepted)
            if self._used >= self._settings.per_connection:
                self._quit()
            return accepted

    def close(self) -> None:
        """Say QUIT; whatever the server answers changes nothing that was accepted."""
        with self._lock:
            self._quit()

    def _refuse(self, mail: Prepared) -> None:
        if mail.is_advertisement:
            raise Refused("advertising mail does not leave by SMTP yet", scope=Scope.SENDER)
        if not all(_PLAIN.fullmatch(part) for part in (mail.envelope_from, mail.envelope_to)):
            raise Refused("the envelope holds what no address holds", scope=Scope.ADDRESS)
        kind = classify(mail.envelope_to.replace('"', "")).kind
        if kind is AddressClass.INVALID:
            raise Refused("the recipient's address is none", scope=Scope.ADDRESS)
        # Invented people of documents and tests: such mail may reach this machine only.
        if kind is AddressClass.RESERVED and not _is_loopback(self._settings.host):
            raise Refused("the recipient's domain is reserved for examples", scope=Scope.ADDRESS)

    def _hand_over(self, mail: Prepared) -> Accepted:
        link = self._begin(mail.envelope_from)
        reply = _said(link, "RCPT", f"RCPT TO:<{mail.envelope_to}>")
        if not 200 <= reply.code < 300:
            raise reply.error("RCPT")
        reply = _said(link, "DATA", "DATA")
        if reply.code != 354:
            raise reply.error("DATA")
        return self._deliver(link, mail.data)

    def _begin(self, sender: str) -> smtplib.SMTP:
        """Say MAIL on the open connection, or on a new one where the old has had its day."""
        reused = self._reusable()
        if reused is not None:
            try:
                reply = _said(reused, "MAIL", f"MAIL FROM:<{sender}>")
            except Temporary:
                reply = None
            if reply is not None and reply.code == 250:
                return reused
            self._drop()
            if reply is not None and not reply.asks_to_reconnect:
                raise reply.error("MAIL")
        link = self._link = self._connect()
        reply = _said(link, "MAIL", f"MAIL FROM:<{sender}>")
        if reply.code != 250:
            raise reply.error("MAIL")
        return link

    def _reusable(self) -> smtplib.SMTP | None:
        if self._link is not None and monotonic() - self._last > self._settings.idle:
            self._quit()
        return self._link

    def _connect(self) -> smtplib.SMTP:
        settings, self._used = self._settings, 0
        plain = settings.security is not Security.TLS
        link = (
            smtplib.SMTP(timeout=settings.timeout, local_hostname=settings.local_hostname)
            if plain
            else smtplib.SMTP_SSL(
                timeout=settings.timeout, local_hostname=settings.local_hostname, context=self._tls
            )
        )
        try:
            # smtplib takes the name for the certificate from the constructor, which connects.
            link._host = settings.host  # type: ignore[attr-defined]  # noqa: SLF001
            self._greet(link)
        except smtplib.SMTPAuthenticationError as error:
            _shut(link)
            raise _unauthorised(Reply.read(error.smtp_code, error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            _shut(link)
            raise _unreached(error, settings.host) from error
        return link

    def _greet(self, link: smtplib.SMTP) -> None:
        code, text = link.connect(self._settings.host, self._settings.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, text)
        if link.sock is not None:
            # The final dot is a small packet after a large one: it must not wait for an echo.
            link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.ehlo_or_helo_if_needed()
        if self._settings.security is Security.STARTTLS:
            link.starttls(context=self._tls)
            link.ehlo()
        if self._settings.user:
            link.login(self._settings.user, self._settings.password or "")

    def _deliver(self, link: smtplib.SMTP, data: bytes) -> Accepted:
        body = data if data.endswith(b"\r\n") else data + b"\r\n"
        stuffed = body.replace(b"\r\n.", b"\r\n..")
        try:
            link.send(b"." + stuffed if stuffed.startswith(b".") else stuffed)
        except (OSError, smtplib.SMTPException) as error:
            raise Temporary("the line broke before the end of the mail") from error
        self._refuse_early_answer(link)
        self._final_dot(link)
        try:
            code, text = link.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Unknown("the line broke after the final dot") from error
        self._patience(link, self._settings.timeout)
        reply = Reply.read(code, text)
        if 400 <= code < 600:
            raise reply.error("end of mail")
        if not 200 <= code < 300:
            raise Unknown("the answer to the final dot was not SMTP")
        return Accepted(f"{reply.code} {reply.text}")

    def _refuse_early_answer(self, link: smtplib.SMTP) -> None:
        """A server that speaks or hangs up before the final dot has not taken the mail."""
        sock = link.sock
        if sock is None or isinstance(sock, ssl.SSLSocket):
            return
        if not select.select([sock], [], [], 0)[0]:
            return
        try:
            code, text = link.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Temporary("the line broke before the end of the mail") from error
        raise Reply.read(code, text).error("mail text")

    def _final_dot(self, link: smtplib.SMTP) -> None:
        self._patience(link, self._settings.final_timeout)
        try:
            link.send(b".\r\n")
        except (BrokenPipeError, ConnectionResetError, smtplib.SMTPServerDisconnected) as error:
            # smtplib turns an OSError of send into SMTPServerDisconnected as well. Three bytes
            # are queued whole or not at all, so the server cannot have seen the end.
            if isinstance(error.__cause__ or error.__context__, TimeoutError):
                raise Unknown("the line stalled at the final dot") from error
            raise Temporary("the line broke before the end of the mail") from error
        except OSError as error:
            raise Unknown("the line stalled at the final dot") from error

    @staticmethod
    def _patience(link: smtplib.SMTP, seconds: float) -> None:
        if link.sock is not None:
            link.sock.settimeout(seconds)

    def _quit(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                link.quit()
            _shut(link)

    def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            _shut(link)


def _said(link: smtplib.SMTP, phase: str, command: str) -> Reply:
    """Send one command and read its answer; a broken line here means not sent."""
    verb, _, rest = command.partition(" ")
    try:
        code, text = link.docmd(verb, rest)
    except (OSError, smtplib.SMTPException) as error:
        raise Temporary(f"{phase}: the server broke the line or fell silent") from error
    return Reply.read(code, text)


def _shut(link: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError):
        link.close()


def _unauthorised(reply: Reply) -> Temporary:
    wrong = reply.code >= 500
    return Temporary(
        f"the server does not accept user and password: {reply.code} {reply.text}"
        if wrong
        else f"sign-in is not possible now: {reply.code} {reply.text}",
        code=reply.code,
        scope=Scope.SENDER,
        stop_lane=wrong,
        needs_person=wrong,
    )


def _unreached(error: Exception, host: str) -> TransportError:
    if isinstance(error, smtplib.SMTPResponseException):
        reply = Reply.read(error.smtp_code, error.smtp_error)
        said = f"{host} does not take mail now: {reply.code} {reply.text}"
        return Temporary(said, code=reply.code, scope=reply.scope, needs_person=reply.code >= 500)
    if isinstance(error, smtplib.SMTPNotSupportedError | ssl.SSLCertVerificationError):
        said = f"{host} cannot be trusted or lacks what the settings ask for: {error}"
        return Temporary(said, scope=Scope.SENDER, stop_lane=True, needs_person=True)
    return Temporary(f"{host} cannot be reached: {type(error).__name__}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


__all__ = [
    "PASSWORD_VARIABLE",
    "Permanent",
    "Security",
    "SettingsRefused",
    "SmtpSettings",
    "SmtpTransport",
    "password_from",
]
