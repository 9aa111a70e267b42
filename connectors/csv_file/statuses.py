"""Source words to the three states of an order, and payment methods to payment kinds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from connectors.contract import Fulfilment, Life, Payment

UNFINISHED = "unfinished"
"""Said of a checkout that never became an order."""


@dataclass(frozen=True, slots=True)
class States:
    """What a word says; None where it is silent."""

    life: Life | None = None
    payment: Payment | None = None
    fulfilment: Fulfilment | None = None

    def over(self, under: States) -> States:
        """Lay this statement over a weaker one."""
        return States(
            self.life or under.life,
            self.payment or under.payment,
            self.fulfilment or under.fulfilment,
        )


SILENT = States()


def check(text: str) -> str:
    """Give the text back where it can be read as states; raises ValueError otherwise."""
    if text != UNFINISHED:
        states(text)
    return text


@lru_cache(maxsize=1024)
def states(text: str) -> States:
    """Read ``open/paid/shipped``; ``-`` is silent. Raises ValueError."""
    life, payment, fulfilment = text.split("/")
    return States(
        None if life == "-" else Life(life),
        None if payment == "-" else Payment(payment),
        None if fulfilment == "-" else Fulfilment(fulfilment),
    )
