"""Asking for a review through the marketplace itself: in its words, to a buyer we do not know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connectors.contract import RawOrder


@dataclass(frozen=True, slots=True)
class AskWindow:
    """When the marketplace takes the request, aware UTC; ``place`` is its own site's name."""

    opens_at: datetime
    closes_at: datetime
    place: str = ""


class Answer(StrEnum):
    """What the marketplace said; unknown: the request may or may not have gone out."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Replied:
    """An answer, and the marketplace's own words for it as far as they name nobody."""

    answer: Answer
    said: str = ""


@runtime_checkable
class Solicits(Protocol):
    """A connector whose marketplace asks the buyer of an order for a review, once per order.

    Nothing of ours goes along: no text, no address, only the order's number.
    """

    def ask_window(self, raw: RawOrder) -> AskWindow | None:
        """Tell from a record when it may be asked; None: never. Reads no clock, no network."""
        ...

    def may_ask(self, order_id: str, place: str) -> Replied:
        """Ask harmlessly whether the request would be taken. Raises NeedsPerson or TryLater."""
        ...

    def ask(self, order_id: str, place: str) -> Replied:
        """Have the marketplace send its request; never repeats itself.

        NeedsPerson and TryLater are raised only where nothing went out for certain; where
        nobody knows, the answer is UNKNOWN and a person must look.
        """
        ...
