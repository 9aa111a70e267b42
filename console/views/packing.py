"""同梱物: what lies in which parcel, to be ticked at the bench."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from console.views.customer import insert_label
from console.views.names import Badge, badges, shop_labels
from console.words import Words
from worker.pipeline.context import Context
from worker.store.channels import Channel
from worker.store.customers import OrderStanding
from worker.store.orders import OrderContact, OrderRow
from worker.store.rewards import Grant, PackingItem

_KEEP_PACKED = timedelta(hours=24)


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


def parcels(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Parcel, ...]:
    """What is still to be packed, then what was packed within a day."""
    rows = session.execute(
        select(PackingItem, OrderRow.number, OrderContact.name, Channel.name, OrderStanding.rank)
        .join(OrderRow, OrderRow.id == PackingItem.order_id)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .outerjoin(OrderContact, OrderContact.order_id == OrderRow.id)
        .outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .where(
            PackingItem.withdrawn_at.is_(None),
            or_(PackingItem.packed_at.is_(None), PackingItem.packed_at > now - _KEEP_PACKED),
        )
        .order_by(PackingItem.packed_at.is_not(None), OrderRow.ordered_at, PackingItem.id)
    ).all()
    shops, ranks = shop_labels(session, words), badges(ctx.documents.ladder, words.locale)
    rewards = _rewards(session)
    return tuple(
        Parcel(
            id=item.id,
            name=name or "",
            badge=ranks.get(rank or ""),
            shop=shops.get(channel, channel),
            number=number,
            item=insert_label(item, words),
            note=rewards.get(item.grant_id or 0, ""),
            strong=item.item == "sample",
            packed=item.packed_at is not None,
        )
        for item, number, name, channel, rank in rows
    )


def _rewards(session: Session) -> dict[int, str]:
    rows = session.execute(
        select(Grant.id, Grant.reward).join(PackingItem, PackingItem.grant_id == Grant.id)
    )
    return {row.id: row.reward for row in rows}
