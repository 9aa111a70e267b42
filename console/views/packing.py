"""同梱物: what lies in which parcel, to be ticked at the bench."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Badge, Option, badges, shop_labels
from console.views.packing_cards import PrintedCard, card_of, sheets_of
from console.words import Words
from worker.pipeline.context import Context
from worker.pipeline.packing import PackingRow, packing_list
from worker.store.customers import OrderStanding
from worker.store.orders import OrderRow
from worker.store.reach_queries import people_with_open_notes


@dataclass(frozen=True, slots=True)
class Parcel:
    """One thing to put into one parcel."""

    id: int
    name: str
    badge: Badge | None
    shop: str
    number: str
    item: str
    note: str
    strong: bool
    """A sample: forgetting it costs most."""
    packed: bool
    text: str
    """What the card says, to be printed or written by hand; empty while it is held."""
    printed: bool
    is_card: bool
    held: bool
    customer_id: int | None
    noted: bool
    """A contact note of the person is open: it comes back with the next order."""


@dataclass(frozen=True, slots=True)
class PackingView:
    """Everything the page prints."""

    parcels: tuple[Parcel, ...]
    done: int
    all: int
    kinds: tuple[Option, ...]
    """Filter by what is to be put in, with counts."""
    sheets: tuple[tuple[PrintedCard, ...], ...]
    to_print: int


def packing_view(
    session: Session, ctx: Context, words: Words, now: datetime, item: str = ""
) -> PackingView:
    """Read the page; ``item`` shows only what is called so."""
    today = now.astimezone(ctx.zone).date()
    rows = packing_list(session, ctx, today, "en" if words.locale == "en" else "ja")
    labels = Counter(row.label for row in rows)
    chosen = item if item in labels else ""
    shown = [row for row in rows if chosen in ("", row.label)]
    shops = shop_labels(session, words)
    cards = [
        card_of(row, shops.get(row.channel, row.channel), words.locale)
        for row in shown
        if row.to_print
    ]
    every = Option("", words("app.all"), len(rows), not chosen)
    kinds = [Option(name, name, number, name == chosen) for name, number in labels.most_common()]
    return PackingView(
        parcels=_parcels(session, ctx, words, shown),
        done=sum(1 for row in rows if row.packed_at is not None),
        all=len(rows),
        kinds=(every, *kinds) if len(kinds) > 1 else (),
        sheets=sheets_of(cards),
        to_print=len(cards),
    )


def parcels(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Parcel, ...]:
    """The parcels alone."""
    return packing_view(session, ctx, words, now).parcels


def _parcels(
    session: Session, ctx: Context, words: Words, rows: Sequence[PackingRow]
) -> tuple[Parcel, ...]:
    """What is still to be packed, then what was packed today."""
    shops, ranks = shop_labels(session, words), badges(ctx.documents.ladder, words.locale)
    rank_of, owner_of = _ranks(session, rows), _owners(session, rows)
    noted = people_with_open_notes(session, {each for each in owner_of.values() if each})
    return tuple(
        Parcel(
            id=row.item_id,
            name=row.name,
            badge=ranks.get(rank_of.get(row.order_id) or ""),
            shop=shops.get(row.channel, row.channel),
            number=row.order_number,
            item=row.label,
            note=row.held or row.coupon,
            strong=row.item.startswith("sample"),
            packed=row.packed_at is not None,
            text=row.text,
            printed=row.printed_at is not None,
            is_card=row.item.startswith("card"),
            held=bool(row.held),
            customer_id=owner_of.get(row.order_id),
            noted=owner_of.get(row.order_id) in noted,
        )
        for row in sorted(rows, key=lambda row: row.packed_at is not None)
    )


def item_words(item: str, label: str, milestone: int | None, words: Words) -> str:
    """What to put in, in the shop's words where it has some; a card names its milestone."""
    if label:
        return label
    kind = item.partition(":")[0]
    key = f"item.{kind}"
    name = words(key) if words.has(key) else item
    if milestone is None:
        return name
    return f"{formats.nth(milestone, words.locale)}{'' if words.locale == 'ja' else ' '}{name}"


def _owners(session: Session, rows: Sequence[PackingRow]) -> dict[int, int | None]:
    found = session.execute(
        select(OrderRow.id, OrderRow.customer_id).where(
            OrderRow.id.in_({row.order_id for row in rows})
        )
    )
    return {row.id: row.customer_id for row in found}


def _ranks(session: Session, rows: Sequence[PackingRow]) -> dict[int, str | None]:
    found = session.execute(
        select(OrderStanding.order_id, OrderStanding.rank).where(
            OrderStanding.order_id.in_({row.order_id for row in rows})
        )
    )
    return {row.order_id: row.rank for row in found}
