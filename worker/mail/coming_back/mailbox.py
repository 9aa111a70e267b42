"""Where returned mail lies: what the intake needs of a folder or a mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol


class MailboxUnreachable(Exception):
    """The mailbox cannot be read now; the text is safe to log and says what to look at."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A mail as it lies there; ``key`` finds it again. Personal."""

    key: str
    raw: bytes = field(repr=False)


class Mailbox(Protocol):
    """A place that returned mail is taken from."""

    source: str

    def waiting(self, limit: int) -> Iterator[Delivered]:
        """Mails not taken in yet. Raises MailboxUnreachable."""
        ...

    def settle(self, mail: Delivered, *, known: bool) -> None:
        """Put a mail aside: to those that are done, or to those that nobody understood."""
        ...

    def close(self) -> None:
        """Let go of the connection; never raises."""
        ...
