"""What a live coupon source promises: a code is told to nobody before the shop has confirmed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal, Protocol, runtime_checkable

from connectors.kit.money import exponent


@dataclass(frozen=True, slots=True)
class CouponTerms:
    """What a coupon is worth; exactly one of ``amount`` and ``percent`` is given.

    Money is in minor units of ``currency``; instants are aware. ``reference`` is our own name
    of the batch or grant: making the same again finds what was made before.
    """

    reference: str
    title: str
    currency: str
    starts_at: datetime
    ends_at: datetime
    amount: int | None = None
    percent: int | None = None
    minimum: int | None = None
    """Goods must come to this much."""
    email: str | None = None
    """Binds the code to the buyer, where the source binds by mail."""
    member_id: str | None = None
    """Binds the code to the buyer, where the source binds by account."""

    def __post_init__(self) -> None:
        if (self.amount is None) == (self.percent is None):
            raise ValueError("a coupon has an amount or a percentage")
        if self.percent is not None and not 1 <= self.percent <= 100:
            raise ValueError("a percentage is 1 to 100")
        if self.amount is not None and self.amount <= 0:
            raise ValueError("an amount is above nothing")
        if self.ends_at <= self.starts_at:
            raise ValueError("a coupon ends after it starts")


@dataclass(frozen=True, slots=True)
class MadeCoupon:
    """A code as the shop confirmed it; ``source_id`` is the shop's name of it."""

    code: str
    source_id: str


@dataclass(frozen=True, slots=True)
class Made:
    """What became of the codes: confirmed, refused with a reason, or still being made.

    Codes that are in none of them are ``pending``: ask ``confirm`` with that token later.
    """

    confirmed: tuple[MadeCoupon, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    """Code and reason; ``taken`` means another coupon has it: make a new code."""
    pending: str | None = None


@runtime_checkable
class CouponSource(Protocol):
    """Makes codes that work once in the shop's own cart.

    Every call may be repeated after a failure and makes nothing twice. All of them raise
    NeedsPerson or TryLater.
    """

    BINDS: ClassVar[Literal["email", "member_id"]]
    """Which of the terms binds a code to its buyer here."""

    def make(self, codes: Sequence[str], terms: CouponTerms) -> Made:
        """Have the shop make these codes."""
        ...

    def confirm(self, pending: str) -> Made:
        """Ask what became of codes that were still being made."""
        ...

    def used(self, made: MadeCoupon) -> bool:
        """Tell whether the shop has seen the code used."""
        ...

    def void(self, made: MadeCoupon) -> bool:
        """End the code; False where this cannot be done from here and a person must."""
        ...


def decimal_text(minor: int, currency: str) -> str:
    """Write minor units as the shops' interfaces want them: 500 yen ``500``, cents ``19.90``."""
    places = exponent(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"
