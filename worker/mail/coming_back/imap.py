"""An IMAP mailbox of returned mail, read by UID; taken mails move to ``Done`` or ``Unknown``."""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from worker.mail.coming_back.mailbox import Delivered, MailboxUnreachable
from worker.mail.coming_back.parts import LONGEST

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where the mailbox is; the password never shows in ``repr``."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    security: str = "tls"
    """tls, starttls or none."""


class ImapMailbox:
    """One mailbox over one connection, opened when first needed."""

    source = "imap"

    def __init__(self, settings: ImapSettings, tls: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._tls = tls or ssl.create_default_context()
        self._link: imaplib.IMAP4 | None = None
        self._made: set[str] = set()

    def waiting(self, limit: int) -> Iterator[Delivered]:
        """Mails in the folder, oldest first; reading marks nothing as seen."""
        found = self._ask("SEARCH", None, "ALL")
        for uid in (found[0] or b"").split()[:limit]:
            told = self._ask("FETCH", uid.decode(), f"(BODY.PEEK[]<0.{LONGEST}>)")
            for item in told:
                if isinstance(item, tuple):
                    yield Delivered(uid.decode(), item[1])

    def settle(self, mail: Delivered, *, known: bool) -> None:
        """Move one mail; where the server cannot move, copy it and take it out."""
        folder = "Done" if known else "Unknown"
        link = self._open()
        if folder not in self._made:
            with self._told():
                link.create(folder)  # NO where it is there already
            self._made.add(folder)
        if "MOVE" in link.capabilities:
            self._ask("MOVE", mail.key, folder)
            return
        self._ask("COPY", mail.key, folder)
        self._ask("STORE", mail.key, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in link.capabilities:
            self._ask("EXPUNGE", mail.key)
        else:
            with self._told():
                link.expunge()

    def close(self) -> None:
        """Log out, whatever the server says to it."""
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                link.logout()

    def _ask(self, command: str, *arguments: Any) -> list[Any]:
        link = self._open()
        with self._told():
            status, told = link.uid(command, *arguments)
        if status != "OK":
            raise MailboxUnreachable(f"{self._settings.host}: {command} was refused")
        return list(told)

    def _open(self) -> imaplib.IMAP4:
        if self._link is None:
            with self._told():
                self._link = self._connected()
        return self._link

    def _connected(self) -> imaplib.IMAP4:
        at = self._settings
        if at.security == "tls":
            link: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                at.host, at.port, ssl_context=self._tls, timeout=_SECONDS
            )
        else:
            link = imaplib.IMAP4(at.host, at.port, timeout=_SECONDS)
        try:
            if at.security == "starttls":
                link.starttls(self._tls)
            link.login(at.user, at.password)
            status, _ = link.select(f'"{re.sub(chr(34), "", at.folder)}"')
        except (OSError, imaplib.IMAP4.error):
            link.shutdown()
            raise
        if status != "OK":
            link.shutdown()
            raise MailboxUnreachable(f"{at.host}: there is no folder {at.folder}")
        return link

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Errors without the server's words, which may repeat what it was given."""
        try:
            yield
        except (OSError, imaplib.IMAP4.error) as error:
            said = f"{self._settings.host} cannot be read: {type(error).__name__}"
            raise MailboxUnreachable(said) from error
