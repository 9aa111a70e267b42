"""The customer card beside a mail: ten fields, what goes into the parcel, earlier contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from console import formats
from console.views.packing import item_words
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.review import CustomerCard, MessageDetail
from worker.rules.rank_words import missing_words, rank_words
from worker.rules.states import MAYBE_OUT
from worker.store.customers import ContactNote
from worker.store.messages import Occasion
from worker.store.orders import OrderRow
from worker.store.rewards import PackingItem

_EARLIER = 6


@dataclass(frozen=True, slots=True)
class Earlier:
    """One line of what was before: a mail or an order without one."""

    day: str
    what: str
    end: str
    id: str = ""
    """The mail; empty where it was an order without one."""


@dataclass(frozen=True, slots=True)
class Insert:
    """Something that lies in the parcel of this order."""

    label: str
    packed: bool


@dataclass(frozen=True, slots=True)
class Note:
    """An open contact note."""

    text: str
    day: str
    by: str


@dataclass(frozen=True, slots=True)
class Card:
    """Empty strings where nothing is known; the page says so in words."""

    name: str = ""
    kana: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""
    birthday: str = ""
    spend: str = ""
    count: str = ""
    average: str = ""
    last: str = ""
    since: str = ""
    rank_reason: tuple[str, ...] = ()
    inserts: tuple[Insert, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    notes: tuple[Note, ...] = ()


def card(session: Session, ctx: Context, detail: MessageDetail, words: Words) -> Card:
    """The card for the customer of a mail; an empty one where it has none."""
    customer = detail.customer
    if customer is None:
        return Card()
    return Card(
        **_who(customer, words),
        **_totals(customer, ctx, words),
        rank_reason=_rank_reason(ctx, detail, words),
        inserts=_inserts(session, detail, words),
        earlier=_earlier(session, ctx, detail, words),
        notes=tuple(_note(row, ctx, words) for row in detail.notes),
    )


def _who(customer: CustomerCard, words: Words) -> dict[str, Any]:
    postal = f"〒{customer.postal_code} " if customer.postal_code else ""
    birthday = formats.day(customer.birthday, words.locale) if customer.birthday else ""
    return {
        "name": customer.name or "",
        "kana": customer.kana or "",
        "address": f"{postal}{customer.address or ''}".strip(),
        "phone": customer.phone or "",
        "email": customer.email or "",
        "birthday": birthday,
    }


def _totals(customer: CustomerCard, ctx: Context, words: Words) -> dict[str, Any]:
    if not customer.order_count:
        return {}
    currency, locale = ctx.documents.shop.counting.currency, words.locale
    last, since = customer.last_order_at, customer.days_since_last_order
    return {
        "spend": formats.money(customer.lifetime_spend, currency, locale),
        "count": words("card.times", n=customer.order_count),
        "average": formats.money(customer.average_order, currency, locale),
        "last": formats.day(last.astimezone(ctx.zone).date(), locale) if last else "",
        "since": words("card.days", n=since) if since is not None else "",
    }


def _rank_reason(ctx: Context, detail: MessageDetail, words: Words) -> tuple[str, ...]:
    """The rank at that order in the mail's scope, and what is missing to the next one."""
    assert detail.customer is not None
    facts = detail.orders[-1].rank_facts if detail.orders else {}
    rank = detail.orders[-1].rank if facts else detail.customer.rank
    facts = facts or detail.customer.rank_facts
    if "orders" not in facts:
        return ()
    ladder, locale = ctx.documents.ladder, words.locale
    said = (rank_words(rank, facts, ladder, locale), missing_words(rank, facts, ladder, locale))
    return tuple(line for line in said if line)


def _inserts(session: Session, detail: MessageDetail, words: Words) -> tuple[Insert, ...]:
    rows = session.scalars(
        select(PackingItem)
        .where(
            PackingItem.order_id.in_([order.id for order in detail.orders]),
            PackingItem.withdrawn_at.is_(None),
        )
        .order_by(PackingItem.id)
    )
    return tuple(
        Insert(item_words(row.item, row.label, None, words), row.packed_at is not None)
        for row in rows
    )


def _earlier(
    session: Session, ctx: Context, detail: MessageDetail, words: Words
) -> tuple[Earlier, ...]:
    rows: list[tuple[datetime, Earlier]] = []
    for mail in detail.earlier:
        if mail.state not in MAYBE_OUT:
            continue
        at = mail.sent_at or mail.due_at
        number = f" {formats.nth(mail.announced, words.locale)}" if mail.announced else ""
        what, end = f"{words(f'kind.{mail.kind}')}{number}", words(f"state.{mail.state}")
        rows.append((at, Earlier(_day(at, ctx), what, end, mail.id)))
    rows += _silent_orders(session, ctx, detail, words)
    rows.sort(key=lambda row: row[0], reverse=True)
    return tuple(line for _at, line in rows[:_EARLIER])


def _silent_orders(
    session: Session, ctx: Context, detail: MessageDetail, words: Words
) -> list[tuple[datetime, Earlier]]:
    """Orders that no mail speaks of: they explain a number that jumped."""
    spoken = exists().where(Occasion.order_id == OrderRow.id, Occasion.message_id.is_not(None))
    rows = session.scalars(
        select(OrderRow)
        .where(OrderRow.customer_id == detail.message.customer_id, ~spoken)
        .order_by(OrderRow.ordered_at.desc())
        .limit(_EARLIER)
    )
    return [(row.ordered_at, _order_line(row, ctx, words)) for row in rows]


def _order_line(order: OrderRow, ctx: Context, words: Words) -> Earlier:
    what = words("card.order_plain")
    if order.total is not None:
        total = formats.money(order.total, order.currency, words.locale)
        what = words("card.order", money=total)
    return Earlier(_day(order.ordered_at, ctx), what, words("card.no_mail"))


def _day(at: datetime, ctx: Context) -> str:
    return formats.short_day(at.astimezone(ctx.zone).date())


def _note(row: ContactNote, ctx: Context, words: Words) -> Note:
    asked = words("card.asked", what=row.ask_next) if row.ask_next else ""
    until = words("card.by_until", day=formats.short_day(row.ask_by)) if row.ask_by else ""
    gift = words("card.gift", what=row.gift_received) if row.gift_received else ""
    text = " ".join(part for part in (row.said, gift, asked, until) if part)
    return Note(text, _day(row.at, ctx), row.by)
