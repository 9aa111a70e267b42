"""The three states of an order, from its status words and from the dates beside them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from connectors.contract import Fulfilment, Life, Payment
from connectors.csv_file.columns import Cells, Getter, Layout
from connectors.csv_file.statuses import SILENT, UNFINISHED, States, states
from connectors.csv_file.values import BadValue, lookup

Moments = Mapping[str, datetime | None]

_BEFORE_PAID = (None, Payment.UNPAID, Payment.AUTHORIZED)
_BEFORE_SHIPPED = (None, Fulfilment.UNSHIPPED)
_MOST_WORDS = 500
_WORDS = ("status", "payment_status", "fulfilment_status", "cancel_status")


class Standing:
    """Reads life, payment and fulfilment; a part that nobody can tell stays None."""

    def __init__(self, layout: Layout) -> None:
        profile = layout.profile
        self._get: dict[str, Getter | None] = {name: layout.getter(name) for name in _WORDS}
        self._words = profile.words
        self._read: dict[tuple[str, str], tuple[States, bool]] = {}
        self._has_paid, self._has_shipped = "paid_at" in layout.found, "shipped_at" in layout.found
        self._constant = self._stated(profile.constants.get("status", ""))

    def _stated(self, constant: str) -> States:
        """Read the declared constant, less what a date column of the file can tell better."""
        text = lookup(self._words["status"], constant) if constant else None
        if text is None or self._get["status"]:
            return SILENT
        told = states(text)
        return States(
            told.life,
            None if self._has_paid or self._get["payment_status"] else told.payment,
            None if self._has_shipped or self._get["fulfilment_status"] else told.fulfilment,
        )

    def read(
        self, cells: Cells, moments: Moments, refunded: int, total: int | None, warnings: list[str]
    ) -> States:
        """Combine words and dates. Raises BadValue for a checkout that is no order."""
        word, known = self._word("status", cells)
        payment, payment_known = self._word("payment_status", cells)
        parcel, parcel_known = self._word("fulfilment_status", cells)
        if not (known and payment_known and parcel_known):
            warnings.append("unknown_status")
        told = parcel.over(payment.over(word if self._get["status"] else self._constant))
        cancelled, _ = self._word("cancel_status", cells)
        if not known:
            return States(cancelled.life, payment.payment, parcel.fulfilment)
        return States(
            _life(cancelled, told, moments),
            _payment(told, payment, moments, refunded, total, self._has_paid)
            if payment_known
            else None,
            _fulfilment(told, parcel, moments, self._has_shipped) if parcel_known else None,
        )

    def _word(self, name: str, cells: Cells) -> tuple[States, bool]:
        get = self._get[name]
        if get is None:
            return SILENT, True
        cell = get(cells)
        known = self._read.get((name, cell))
        if known is None:
            known = self._looked_up(name, cell)
            if len(self._read) < _MOST_WORDS:
                self._read[name, cell] = known
        return known

    def _looked_up(self, name: str, cell: str) -> tuple[States, bool]:
        text = lookup(self._words[name], cell)
        if text == UNFINISHED:
            raise BadValue(
                "unfinished_order",
                "This is a checkout in progress, not yet an order.",
                "購入手続きの途中で、まだ注文ではありません。",
                name,
            )
        if text is None:
            return SILENT, not cell.strip()
        return states(text), True


def _life(cancelled: States, told: States, moments: Moments) -> Life:
    if moments.get("cancelled_at"):
        return Life.CANCELLED
    return cancelled.life or told.life or Life.OPEN


def _payment(
    told: States,
    word: States,
    moments: Moments,
    refunded: int,
    total: int | None,
    has_paid: bool,
) -> Payment | None:
    payment = told.payment
    if refunded > 0 and payment is not Payment.REFUNDED:
        return Payment.REFUNDED if total and refunded >= total else Payment.REFUNDED_PART
    if word.payment is None and payment in _BEFORE_PAID:
        if moments.get("paid_at"):
            return Payment.PAID
        if payment is None and has_paid:
            return Payment.UNPAID
    return payment


def _fulfilment(
    told: States, word: States, moments: Moments, has_shipped: bool
) -> Fulfilment | None:
    parcel = told.fulfilment
    if word.fulfilment is not None or parcel is Fulfilment.RETURNED:
        return parcel
    if moments.get("delivered_at"):
        return Fulfilment.DELIVERED
    if parcel in _BEFORE_SHIPPED:
        if moments.get("shipped_at"):
            return Fulfilment.SHIPPED
        if parcel is None and has_shipped:
            return Fulfilment.UNSHIPPED
    return parcel
