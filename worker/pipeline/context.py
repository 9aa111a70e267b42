"""What every step needs besides its transaction: the shop's documents, its texts and its key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from worker.rules.shop import Documents

Transaction = Callable[[], AbstractContextManager[Session]]
"""Opens one writing transaction; commits at the end of the block, rolls back on an error."""


class TextSource(Protocol):
    """Where mail texts come from: shipped files, the shop's files, or a published release."""

    def read(self, path: str) -> str | None:
        """Give the text at ``ja/order_thanks/own/first/body.txt``, or None."""
        ...

    def release(self) -> str:
        """Name the release the texts belong to."""
        ...


@dataclass(frozen=True)
class Context:
    """Handed to the steps by whoever opens the transaction (task, page, command)."""

    documents: Documents
    texts: TextSource
    key: bytes
    """The installation's secret: keyed hashes and encryption derive from it."""
    former_keys: tuple[bytes, ...] = ()
    """Keys that credentials may still be sealed with."""

    @property
    def zone(self) -> ZoneInfo:
        """The shop's zone: it governs days, windows and hours."""
        return ZoneInfo(self.documents.shop.zone)
