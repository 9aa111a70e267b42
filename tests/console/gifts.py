"""A morning at the packing bench: milestone orders with their cards, samples, pools and grants."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tests.console.sample import NOW
from worker.pipeline.context import Context
from worker.pipeline.coupons import load_codes, load_shared, take_coupon
from worker.rules.states import GrantState
from worker.store.channels import Channel
from worker.store.orders import OrderContact, OrderRow
from worker.store.rewards import Grant, PackingItem


class Parcel(NamedTuple):
    """One parcel: the order of the sample's person at that place, and what goes in."""

    order: int
    milestone: int
    reward: str
    sample: str = ""
    packed: bool = False


PARCELS = (
    Parcel(2, 5, "card+coupon:5回目500円"),
    Parcel(4, 5, "card+coupon:楽天共通"),
    Parcel(12, 10, "card+sample", sample="ほうじ茶のお試し袋"),
    Parcel(6, 5, "card"),
    Parcel(14, 5, "card+coupon:5回目500円"),
    Parcel(10, 5, "card+coupon:楽天共通"),
    Parcel(13, 10, "card", packed=True),
)


def give(session: Session, ctx: Context) -> None:
    """Pools, grants and things to pack, in place of the sample's own."""
    session.execute(delete(PackingItem))
    titles = {"own:main": "みどり茶舗", "rakuten:main": "みどり茶舗 楽天市場店"}
    for name, title in titles.items():
        session.execute(update(Channel).where(Channel.name == name).values(title=title))
    _pools(session, ctx)
    for place, parcel in enumerate(PARCELS):
        _put(session, ctx, place, parcel)
    session.flush()


def _pools(session: Session, ctx: Context) -> None:
    codes = "\n".join(f"MIDORI5-{n:04}" for n in range(1, 9)).encode()
    load_codes(
        session, ctx, "5回目500円", codes, value=500, minimum=3000, targets="全商品",
        expires_on=date(2027, 1, 31), channel="own:main", now=NOW,
    )  # fmt: skip
    load_shared(
        session, ctx, "楽天共通", "XTEA-9F4C-51LN", value=300, minimum=3000, targets="全商品",
        expires_on=date(2027, 1, 31), channel="rakuten:main", now=NOW,
    )  # fmt: skip
    load_shared(
        session, ctx, "Yahoo!共通", "YTEA-2026", value=300, minimum=3000, targets="全商品",
        expires_on=date(2026, 12, 12), channel="yahoo:main", now=NOW,
    )  # fmt: skip


def _put(session: Session, ctx: Context, place: int, parcel: Parcel) -> None:
    order = session.get_one(OrderRow, parcel.order)
    contact = session.get_one(OrderContact, order.id)
    contact.family_name = (contact.name or "").split(" ")[0]
    assert order.customer_id is not None
    grant = Grant(
        customer_id=order.customer_id, scope="own", milestone=parcel.milestone, order_id=order.id,
        state=GrantState.RESERVED, reward=parcel.reward, reserved_at=NOW,
        changed_at=NOW - timedelta(hours=place),
    )  # fmt: skip
    session.add(grant)
    session.flush()
    pool = parcel.reward.partition("coupon:")[2]
    code = take_coupon(session, ctx, pool, grant_id=grant.id, now=NOW) if pool else None
    grant.coupon_id = code.id if code else None
    things = [("card", "")] + ([("sample", parcel.sample)] if parcel.sample else [])
    for item, label in things:
        session.add(
            PackingItem(
                order_id=order.id, grant_id=grant.id, item=item, label=label,
                packed_at=NOW if parcel.packed else None, packed_by="中村" if parcel.packed else "",
            )
        )  # fmt: skip
    session.flush()


def open_items(session: Session) -> list[int]:
    """Ids of the cards that are still to be packed, in the order of the list."""
    rows = session.scalars(
        select(PackingItem.id)
        .where(PackingItem.item == "card", PackingItem.packed_at.is_(None))
        .order_by(PackingItem.id)
    )
    return list(rows)
