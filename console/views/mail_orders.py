"""The orders that a mail speaks of, as they stand beside it."""

from __future__ import annotations

from dataclasses import dataclass

from console import formats
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.review import MessageDetail
from worker.pipeline.review_detail import OrderView
from worker.rules.staff_words import ORDER, say


@dataclass(frozen=True, slots=True)
class OrderLineCard:
    """One item: name, how many, and the money where it is known."""

    name: str
    quantity: str
    amount: str


@dataclass(frozen=True, slots=True)
class OrderCard:
    """One order; ``comment`` are the buyer's own words."""

    id: int
    number: str
    at: str
    total: str
    state: str
    comment: str
    lines: tuple[OrderLineCard, ...]


def order_cards(detail: MessageDetail, ctx: Context, words: Words) -> tuple[OrderCard, ...]:
    """Every order of the mail, the oldest first."""
    return tuple(_card(order, ctx, words) for order in detail.orders)


def _card(order: OrderView, ctx: Context, words: Words) -> OrderCard:
    def money(amount: int | None) -> str:
        return "" if amount is None else formats.money(amount, order.currency, words.locale)

    return OrderCard(
        id=order.id,
        number=order.number,
        at=formats.moment(order.ordered_at, ctx.zone, words.locale),
        total=money(order.total),
        state=_state(order, words.locale),
        comment=order.buyer_comment or "",
        lines=tuple(
            OrderLineCard(line.name, words("card.pieces", n=line.quantity), money(line.amount))
            for line in order.lines
        ),
    )


def _state(order: OrderView, locale: str) -> str:
    """What a clerk asks first: cancelled, else how it is paid and whether it left."""
    if order.life == "cancelled":
        return say(ORDER, order.life, locale)
    return f"{say(ORDER, order.payment, locale)}　{say(ORDER, order.fulfilment, locale)}"
