"""Reads what an SMTP server answered: whom it is about and whether waiting helps."""

from __future__ import annotations

import re
from dataclasses import dataclass

from worker.mail.addresses import scrub
from worker.mail.transport import Permanent, Scope, Temporary, TransportError

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_SENDER_CODES = frozenset({"7.26", "7.515", "7.32", "7.8", "7.9", "7.14"})
_RATE_CODES = frozenset({"7.28", "5.3"})
_ADDRESS_CODES = frozenset({"1.0", "1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
_CONTENT_CODES = frozenset({"3.4", "2.3"})
_LONGEST = 500
_WAIT = re.compile(r"\b(?:in|for|after|within) (\d{1,5}) ?(s|m|h)[a-z]*\b", re.IGNORECASE)
_CLOCK = re.compile(r"\b(?:in|for|after|within) (\d\d):(\d\d):(\d\d)\b", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Reply:
    """``text`` has its addresses masked; ``enhanced`` is the RFC 3463 code or None."""

    code: int
    text: str
    enhanced: str | None

    @classmethod
    def read(cls, code: int, text: bytes | str) -> Reply:
        """Take an answer as smtplib hands it over."""
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
        match = _ENHANCED.search(words)
        plain = " ".join(scrub(words).split())[:_LONGEST]
        return cls(code, plain, match.group(0) if match else None)

    @property
    def asks_to_reconnect(self) -> bool:
        """Too many mails on one connection, or the server is closing it: not this mail's fault."""
        return self.code == 421 or (self.code == 452 and self.enhanced == "4.5.3")

    @property
    def scope(self) -> Scope:
        """Whom the failure is about (table of mail-format, section 6)."""
        detail = self.enhanced.partition(".")[2] if self.enhanced else ""
        if "TSS04" in self.text or detail in _RATE_CODES or self.enhanced == "4.7.0":
            return Scope.RATE
        if detail in _SENDER_CODES or self.code in {530, 535}:
            return Scope.SENDER
        if detail.startswith("7."):
            return Scope.DOMAIN
        if detail in _CONTENT_CODES or detail.startswith("6.") or (not detail and self.code == 552):
            return Scope.CONTENT
        if detail in _ADDRESS_CODES or (not detail and self.code in {550, 551, 553}):
            return Scope.ADDRESS
        if detail == "2.2":
            return Scope.MAILBOX
        return Scope.NETWORK

    def error(self, phase: str) -> TransportError:
        """The error this answer means in a phase before or at acceptance: never sent."""
        said = f"{phase}: {self.code} {self.text}"
        if 500 <= self.code < 600:
            return Permanent(said, code=self.code, scope=self.scope)
        stop = self.scope in {Scope.SENDER, Scope.DOMAIN}
        return Temporary(
            said,
            code=self.code,
            scope=self.scope,
            stop_lane=stop,
            needs_person=stop,
            retry_after=self.wait,
        )

    @property
    def wait(self) -> float | None:
        """Seconds that the words ask to wait, as greylisting servers do; None: not said."""
        clock = _CLOCK.search(self.text)
        if clock is not None:
            hours, minutes, seconds = (int(part) for part in clock.groups())
            return float(hours * 3600 + minutes * 60 + seconds)
        found = _WAIT.search(self.text)
        return float(int(found.group(1)) * _UNITS[found.group(2).lower()]) if found else None
