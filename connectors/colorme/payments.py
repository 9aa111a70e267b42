"""Payment methods of a shop: their names, and when an order paid that way counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.contract import NeedsPerson, PaymentKind
from connectors.kit.fields import Fields, Unreadable
from connectors.kit.payment_kinds import payment_kind

_CARD = (3, 6, 8, 20, 21, 23, 24, 30, 33, 34, 35, 36, 38, 39, 40, 41, 42, 43, 44, 45)
_PREPAID = (1, 2, 7, 10, 11, 12, 13, 14, 16, 18, 25, 29, 31, 32, 37)

TYPES: Mapping[int, PaymentKind] = {
    0: PaymentKind.COD,
    22: PaymentKind.FREE,
    **dict.fromkeys((5, 17, 26, 27), PaymentKind.DEFERRED),
    **dict.fromkeys(_CARD, PaymentKind.CARD),
    **dict.fromkeys(_PREPAID, PaymentKind.PREPAYMENT),
}
"""``type`` of payments.json; wallets, carriers and PayPal are charged at once, like cards.

Services of several kinds (4, 15, 19) and その他 (9) are judged by the name the shop gave them.
"""

Kinds = Mapping[str, PaymentKind]
"""Payment id to its kind, as the shop has set it."""


def kinds_set(told: Any) -> Kinds:
    """Read the setting ``payment_map``. Raises NeedsPerson naming what cannot be used."""
    if told in (None, ""):
        return {}
    try:
        return {str(number): PaymentKind(str(kind)) for number, kind in dict(told).items()}
    except (TypeError, ValueError) as error:
        raise NeedsPerson(
            "設定 payment_map が正しくありません。The setting payment_map cannot be used.",
            f"決済IDごとに {', '.join(PaymentKind)} のどれかを書いてください。"
            "Write one of them for each payment id.",
        ) from error


def names_of(told: Any) -> dict[str, dict[str, Any]]:
    """Id to what a sale must carry of its payment method; what is no method is left out."""
    found: dict[str, dict[str, Any]] = {}
    for one in Fields(told).nodes("payments"):
        try:
            number = one.text("id")
            method = {"id": number, "name": one.text("name"), "type": one.whole("type")}
        except Unreadable:
            continue  # its orders then tell no method, which is said of each of them
        if number is not None:
            found[number] = method
    return found


def payment_of(sale: Fields, kinds: Kinds, warnings: list[str]) -> dict[str, Any]:
    """Method and kind of a sale; a method the shop has no more is not told."""
    number, method = sale.text("payment_id"), sale.node("payment")
    name = method.text("name")
    found: dict[str, Any] = {}
    if name is not None:
        found["payment_method"] = name
    kind = kinds.get(number or "") or TYPES.get(_type(method)) or payment_kind(name or "")
    if kind is not PaymentKind.UNKNOWN or name is not None:
        found["payment_kind"] = kind
    elif number is not None:
        warnings.append("payment_untold")
    return found


def _type(method: Fields) -> int:
    told = method.whole("type")
    return -1 if told is None else told
