"""orderProgress and the reasons of change to the three states, and the newest event of an order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.contract import Fulfilment, Life, Payment
from connectors.kit.fields import Fields

States = tuple[Life, Payment | None, Fulfilment | None]

PROGRESS: Mapping[int, States] = {
    100: (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED),
    200: (Life.OPEN, Payment.UNPAID, Fulfilment.UNSHIPPED),
    300: (Life.OPEN, Payment.PAID, Fulfilment.UNSHIPPED),
    400: (Life.OPEN, None, None),
    500: (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED),
    600: (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED),
    700: (Life.OPEN, Payment.PAID, Fulfilment.SHIPPED),
    800: (Life.CANCELLED, None, None),
    900: (Life.CANCELLED, None, None),
}
"""注文確認待ち 100 … キャンセル確定 900. While a change waits (400) the payment stays as it was."""

OPEN = (100, 200, 300, 400, 500, 600)
CANCELLED = (800, 900)

_FIXED_CANCEL = frozenset({1, 2})
_RETURNS = frozenset({2, 3, 5, 15})
_EVENTS = (
    *("orderDatetime", "shopOrderCfmDatetime", "orderFixDatetime"),
    *("shippingInstDatetime", "shippingCmplRptDatetime"),
)
_CHANGES = ("changeApplyDatetime", "changeFixDatetime", "changeCmplDatetime")


def states(told: Fields, shipped_at: datetime | None, warnings: list[str]) -> dict[str, Any]:
    """Life, payment and fulfilment; what the progress is silent about is not told."""
    progress = told.whole("orderProgress")
    known = PROGRESS.get(progress or 0)
    if known is None:
        warnings.append("unknown_status")
        return {}
    life, payment, fulfilment = known
    if fulfilment is None:
        fulfilment = Fulfilment.SHIPPED if shipped_at else Fulfilment.UNSHIPPED
        if progress == 900 and shipped_at and _came_back(told):
            fulfilment = Fulfilment.RETURNED
    found: dict[str, Any] = {"life": life, "fulfilment": fulfilment}
    if payment is not None:
        found["payment"] = payment
    found["cancelled_at"] = _cancelled_at(told) if life is Life.CANCELLED else None
    return found


def _fixed_cancels(told: Fields) -> list[Fields]:
    changes = told.nodes("ChangeReasonModelList")
    return [change for change in changes if change.whole("changeType") in _FIXED_CANCEL]


def _came_back(told: Fields) -> bool:
    """Whether a fixed cancel tells of goods that had left: returned, refused, never collected."""
    return any(change.whole("changeReasonDetail") in _RETURNS for change in _fixed_cancels(told))


def _cancelled_at(told: Fields) -> datetime | None:
    moments = [
        change.moment("changeFixDatetime") or change.moment("changeApplyDatetime")
        for change in _fixed_cancels(told)
    ]
    return min((moment for moment in moments if moment), default=None)


def newest_event(told: Fields) -> datetime | None:
    """The newest moment the order names: RMS tells no time of change.

    It never moves back while events are added, so a cancel that was withdrawn is newer than
    the cancel; two readings with the same newest event may still differ.
    """
    moments = [told.moment(name) for name in _EVENTS]
    for change in told.nodes("ChangeReasonModelList"):
        moments += [change.moment(name) for name in _CHANGES]
    return max((moment for moment in moments if moment), default=None)
