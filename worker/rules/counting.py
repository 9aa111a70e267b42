"""What counts: the payment gate, counting orders, visits and net spend (design, section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from worker.rules.shop import Counting

_WITHOUT_MINOR_UNIT = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"}
    | {"RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})

_AUTHORIZED = frozenset({"authorized", "paid", "refunded_part"})
_PAID = frozenset({"paid", "refunded_part"})
_DISPATCHED = frozenset({"shipped", "delivered"})

NO_RATE = "no_rate"
"""Warning of an order whose currency has no rate: it is not in the spend."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What counting looks at; money in minor units of ``currency``, None where never told."""

    life: str
    payment: str
    fulfilment: str
    payment_kind: str
    paid_at: datetime | None
    total: int | None
    shipping: int | None
    refunded: int | None
    currency: str
    delivery_count: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What an order is worth: ``spend`` in minor units of the ledger currency."""

    counting: bool
    visit_counting: bool
    spend: int
    warnings: tuple[str, ...] = ()


def gate_open(order: OrderFacts, counting: Counting) -> bool:
    """Say whether the payment gate is open; a parcel that left opens any gate."""
    if order.fulfilment in _DISPATCHED:
        return True
    match counting.gates.get(order.payment_kind, "paid"):
        case "accepted":
            return order.life == "open"
        case "authorized":
            return order.payment in _AUTHORIZED or order.paid_at is not None
        case _:
            return order.payment in _PAID or order.paid_at is not None


def counts(order: OrderFacts, counting: Counting) -> bool:
    """Say whether the order has an ordinal: gate open, not cancelled, not wholly returned."""
    stands = order.life == "open" and order.fulfilment != "returned" and order.payment != "refunded"
    worth = counting.zero_amount or order.total != 0
    return stands and worth and gate_open(order, counting)


def count(order: OrderFacts, counting: Counting) -> Counted:
    """Judge one order; only the first delivery of a subscription is a visit."""
    if not counts(order, counting):
        return Counted(counting=False, visit_counting=False, spend=0)
    net = max((order.total or 0) - (order.refunded or 0), 0)
    if counting.spend_without_shipping:
        net = max(net - (order.shipping or 0), 0)
    spend = in_ledger_currency(net, order.currency, counting)
    return Counted(
        counting=True,
        visit_counting=(order.delivery_count or 1) <= 1,
        spend=spend or 0,
        warnings=(NO_RATE,) if spend is None else (),
    )


def in_ledger_currency(amount: int, currency: str, counting: Counting) -> int | None:
    """Convert minor units by the configured rate; None where the shop has no rate."""
    if currency == counting.currency:
        return amount
    rate = counting.rates.get(currency)
    if rate is None:
        return None
    units = Decimal(amount).scaleb(-_digits(currency)) * rate
    minor = units.scaleb(_digits(counting.currency))
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _digits(currency: str) -> int:
    if currency in _WITHOUT_MINOR_UNIT:
        return 0
    return 3 if currency in _THOUSANDTHS else 2
