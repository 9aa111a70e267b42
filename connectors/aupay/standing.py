"""orderStatus and the marks beside it to the three states of an order."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract import Fulfilment, Life, NeedsPerson, Payment
from connectors.kit.fields import Fields

Moments = Mapping[str, datetime | None]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a status says; None where it is silent. ``silent``: of what came before, too."""

    life: Life = Life.OPEN
    payment: Payment | None = None
    fulfilment: Fulfilment | None = None
    hold: bool = False
    silent: bool = False


MEANINGS: Mapping[str, Meaning] = {
    "new": Meaning(),
    "unpaid": Meaning(payment=Payment.UNPAID, fulfilment=Fulfilment.UNSHIPPED),
    "paid": Meaning(payment=Payment.PAID, fulfilment=Fulfilment.UNSHIPPED),
    "hold": Meaning(hold=True, silent=True),
    "shipped": Meaning(fulfilment=Fulfilment.SHIPPED),
    "done": Meaning(payment=Payment.PAID, fulfilment=Fulfilment.SHIPPED),
    "cancelled": Meaning(Life.CANCELLED, silent=True),
}
"""Words for a shop's own statuses; 完了 is no proof that the parcel arrived."""

_STATUSES: Mapping[str, str] = {
    **dict.fromkeys(("新規受付", "新規予約", "予約中", "与信待ち"), "new"),
    **dict.fromkeys(("保留", "審査保留", "不正取引審査中"), "hold"),
    "審査ng": "cancelled",
    "発送前入金待ち": "unpaid",
    "発送待ち": "paid",
    "発送後入金待ち": "shipped",
    "完了": "done",
}
_CANCEL = "キャンセル"
"""How every status begins that says cancelled: キャンセル受付中 is one that waits."""

_CANCELLED = "c"
_YES, _NO = "y", "n"


class Statuses:
    """Knows au PAY Market's statuses and those a shop has named itself."""

    def __init__(self, own: Any = None, rest: Any = None) -> None:
        """``own``: ``name=word`` with commas. ``rest``: the word for any other name, if at all.

        Raises NeedsPerson for a word that is none of MEANINGS.
        """
        self._rest = _meaning(rest) if rest else None
        self._known = {folded(name): _meaning(word) for name, word in _STATUSES.items()}
        for part in filter(None, (one.strip() for one in str(own or "").split(","))):
            name, _, word = part.partition("=")
            self._known[folded(name)] = _meaning(word)

    def meaning(self, status: str) -> Meaning | None:
        """What a status says; None for one that nobody explained."""
        word = folded(status)
        if word not in self._known and word.startswith(_CANCEL):
            return MEANINGS["cancelled"]
        return self._known.get(word, self._rest) if word else None


def folded(word: str) -> str:
    """A status or mark for comparison."""
    return unicodedata.normalize("NFKC", word).strip().lower()


def _meaning(word: Any) -> Meaning:
    found = MEANINGS.get(str(word).strip())
    if found is None:
        raise NeedsPerson(
            f"設定 statuses か other_statuses の「{word}」は使えません。"
            f"{word!r} in the setting statuses or other_statuses has no meaning.",
            f"次から選んでください。Choose one of: {', '.join(MEANINGS)}.",
        )
    return found


def states(
    told: Fields, moments: Moments, statuses: Statuses, warnings: list[str]
) -> dict[str, Any]:
    """Life, payment and fulfilment, and whether the shop holds the order.

    What nobody can tell is left out, so that what is stored stays as it was.
    """
    status = statuses.meaning(told.text("orderStatus") or "")
    gone = folded(told.text("cancelStatus") or "") == _CANCELLED
    paid, shipped = _mark(told, "paymentStatus"), _mark(told, "shipStatus")
    if status is None or None in (paid, shipped):
        warnings.append("unknown_status")
    found: dict[str, Any] = {"life": Life.CANCELLED if gone else None}
    known = status or Meaning(silent=True)
    if status is not None:
        found = {"life": found["life"] or status.life, "hub_hold": status.hold}
    if paid is not None:
        found["payment"] = _payment(known, bool(moments["paid_at"]) or paid)
    if shipped is not None:
        found["fulfilment"] = _fulfilment(known, bool(moments["shipped_at"]) or shipped)
    return {name: value for name, value in found.items() if value is not None}


def _mark(told: Fields, name: str) -> bool | None:
    """Whether a mark says yes; no and nothing leave it to the status. None: neither."""
    word = folded(told.text(name) or "")
    return None if word not in {"", _YES, _NO} else word == _YES


def _payment(status: Meaning, paid: bool) -> Payment | None:
    if paid:
        return Payment.PAID
    return status.payment or (None if status.silent else Payment.UNPAID)


def _fulfilment(status: Meaning, shipped: bool) -> Fulfilment | None:
    if shipped:
        return Fulfilment.SHIPPED
    return status.fulfilment or (None if status.silent else Fulfilment.UNSHIPPED)
