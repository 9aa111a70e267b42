"""Hands a finished mail over and says plainly what became of it.

How a hand-over can end, sorted by what the caller must do::

    Accepted           the receiver has it: record it before anything else
    TransportError
    ├── Temporary      certainly not sent: wait and try again (perhaps the whole lane waits)
    ├── Permanent      certainly not sent, and never will be as it is
    │   └── Refused    we ourselves did not offer it
    ├── Paused         not tried: the transport stands still until a person has acted
    └── Unknown        perhaps sent: nobody may try again before a person has decided
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = [
    "Accepted",
    "OnAccepted",
    "Paused",
    "Permanent",
    "Prepared",
    "Refused",
    "Scope",
    "Temporary",
    "Transport",
    "TransportError",
    "Unknown",
]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail ready for the wire: ASCII bytes with CRLF, and one recipient.

    ``envelope_to`` is the RCPT form (``addresses.classify(...).rcpt``), which may be quoted.
    """

    message_ref: str
    message_id: str
    envelope_from: str
    envelope_to: str
    data: bytes
    is_advertisement: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The receiver's own words, with addresses masked; often they name its queue."""

    reply: str


OnAccepted = Callable[[Accepted], None]
"""Called the moment the mail is accepted, before another word is said to the server."""


class Scope(StrEnum):
    """Whom a failure is about, and so what to stop (mail-format, section 6)."""

    ADDRESS = "address"  # suppress this address
    MAILBOX = "mailbox"  # full or busy: this address, for a while
    CONTENT = "content"  # mend the text
    DOMAIN = "domain"  # stop the lane to this receiver, alarm
    SENDER = "sender"  # our set-up is wrong: stop everything to it, alarm
    RATE = "rate"  # too fast: slow the lane
    NETWORK = "network"


class TransportError(Exception):
    """Root; ``reply`` is safe to log: addresses in it are masked."""

    def __init__(
        self, reply: str, *, code: int | None = None, scope: Scope = Scope.NETWORK
    ) -> None:
        super().__init__(reply)
        self.reply, self.code, self.scope = reply, code, scope


class Temporary(TransportError):
    """Not sent. ``stop_lane`` asks to hold all mails of the lane, ``needs_person`` to tell one.

    ``retry_after``: seconds that the server itself asked to wait.
    """

    def __init__(
        self,
        reply: str,
        *,
        code: int | None = None,
        scope: Scope = Scope.NETWORK,
        stop_lane: bool = False,
        needs_person: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reply, code=code, scope=scope)
        self.stop_lane, self.needs_person = stop_lane, needs_person
        self.retry_after = retry_after


class Permanent(TransportError):
    """Not sent and not to be tried again as it is."""


class Refused(Permanent):
    """We did not offer it: an advertisement without its consent path, a reserved address."""


class Paused(TransportError):
    """Not tried; ``reply`` says what a person must do first."""


class Unknown(TransportError):
    """The line broke after the final dot: the mail may have arrived."""


class Transport(Protocol):
    """One way out of the house."""

    name: str

    def send(self, mail: Prepared, on_accepted: OnAccepted | None = None) -> Accepted:
        """Hand one mail over. Raises Temporary, Permanent, Refused, Paused or Unknown."""
        ...

    def close(self) -> None:
        """Let go of connections; never raises."""
        ...
