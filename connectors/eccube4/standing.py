"""The three states of an EC-CUBE order, from its status and from the dates beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connectors.contract import Fulfilment, Life, Payment

UNFINISHED = "unfinished"
"""Said of a checkout that is no order yet."""

_BEFORE_PAID = (None, Payment.UNPAID, Payment.AUTHORIZED)


@dataclass(frozen=True, slots=True)
class States:
    """What a status says of the three states; None where it is silent."""

    life: Life | None = None
    payment: Payment | None = None
    fulfilment: Fulfilment | None = None


Statuses = Mapping[str, States | None]
"""Id of a status to what it says; None: no order yet."""

STATUSES: Statuses = {
    "1": States(Life.OPEN),
    "3": States(Life.CANCELLED),
    "4": States(Life.OPEN),
    "5": States(Life.OPEN, None, Fulfilment.SHIPPED),
    "6": States(Life.OPEN, Payment.PAID),
    "7": None,
    "8": None,
    "9": States(Life.OPEN, None, Fulfilment.RETURNED),
}
"""The ids EC-CUBE is installed with: 新規受付, 注文取消し, 対応中, 発送済み, 入金済み, 決済処理中,
購入処理中, 返品. A shop may rename them and add others."""


def states(text: str) -> States | None:
    """Read ``open/paid/shipped`` (``-`` is silent) or ``unfinished``. Raises ValueError."""
    if text == UNFINISHED:
        return None
    life, payment, fulfilment = text.split("/")
    return States(
        None if life == "-" else Life(life),
        None if payment == "-" else Payment(payment),
        None if fulfilment == "-" else Fulfilment(fulfilment),
    )


def payment_of(said: States, paid_at: datetime | None) -> Payment:
    """What the status says; where that is nothing final, the date of payment decides."""
    if said.payment in _BEFORE_PAID and paid_at is not None:
        return Payment.PAID
    return said.payment or Payment.UNPAID


def fulfilment_of(said: States, shipped: Sequence[datetime | None]) -> Fulfilment:
    """What the status says; else how many of the parcels have a date of dispatch."""
    if said.fulfilment not in {None, Fulfilment.UNSHIPPED}:
        return said.fulfilment or Fulfilment.UNSHIPPED
    sent = sum(moment is not None for moment in shipped)
    if sent == 0:
        return Fulfilment.UNSHIPPED
    return Fulfilment.SHIPPED if sent == len(shipped) else Fulfilment.PART
