"""The packing list: which parcels must carry a card, sample or letter today, and the tick."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.kit.defuse import defuse
from worker.pipeline.cards import Card, write_card
from worker.pipeline.context import Context
from worker.pipeline.coupons_live import told_worth
from worker.pipeline.vault import reveal
from worker.rules.gifts import SharedStage, shared_stage
from worker.rules.milestones import reward_pool
from worker.rules.staff_words import CARD_HOLDS, item_label, say
from worker.store.channels import Channel
from worker.store.customers import OrderStanding
from worker.store.orders import OrderContact, OrderRow
from worker.store.reward_sources import CouponMaking
from worker.store.rewards import CouponCode, CouponPool, Grant, PackingItem
from worker.store.text_queries import TELLABLE

_COLUMNS = ("注文番号", "店舗", "氏名", "同梱物", "備考", "カードの文面")
Locale = Literal["ja", "en"]


class ItemGone(ValueError):
    """The thing is not to be packed any more: its order was cancelled or left."""


@dataclass(frozen=True, slots=True)
class PackingRow:
    """One thing for one parcel; ``coupon`` is the clear code that a card carries."""

    item_id: int
    order_id: int
    order_number: str
    channel: str
    shop: str
    name: str
    item: str
    label: str
    milestone: int | None
    visit_number: int | None
    coupon: str
    gift: bool
    hub_hold: bool
    packed_at: datetime | None
    packed_by: str
    text: str = ""
    """What is to be printed on a card, in the channel's language; empty while ``held``."""
    held: str = ""
    """Why the card must not be printed yet, in words."""
    printed_at: datetime | None = None

    @property
    def to_print(self) -> bool:
        """A card that may be printed, was not, and whose parcel is still open."""
        return bool(self.text) and self.printed_at is None and self.packed_at is None


def packing_list(
    session: Session, ctx: Context, day: date, locale: Locale | None = None
) -> list[PackingRow]:
    """Everything still to be packed, and what was packed on this shop-local day; oldest first.

    Orders that left, were cancelled or are unpaid again are not on it. ``locale`` is that of
    the words for staff; None: the shop's. A card's own text has its channel's language.
    """
    start = datetime.combine(day, time(), ctx.zone)
    end = datetime.combine(day + timedelta(days=1), time(), ctx.zone)
    found = list(session.execute(_statement(start, end)))
    pools = {pool.id: pool for pool in session.scalars(sa.select(CouponPool))}
    samples = {item.grant_id: item.label for item, *_ in found if item.item.startswith("sample")}
    words = locale or ctx.documents.shop.locale
    return [_row(ctx, tuple(each), pools, samples, start, words) for each in found]


def _row(
    ctx: Context,
    each: Sequence[Any],
    pools: dict[int, CouponPool],
    samples: dict[int | None, str],
    start: datetime,
    words: Locale,
) -> PackingRow:
    item, order, channel, contact, grant, visit, code, making = each
    is_card = item.item.startswith("card")
    pool = _pool_of(grant, code, pools, start, packed=item.packed_at is not None)
    row = PackingRow(
        item_id=item.id,
        order_id=order.id,
        order_number=order.number,
        channel=channel.name,
        shop=channel.title or ctx.documents.shop.name,
        name=(contact.name if contact else None) or "",
        item=item.item,
        label=item_label(item.item, item.label, grant.milestone if grant else None, words),
        milestone=grant.milestone if grant else None,
        visit_number=visit,
        coupon=_clear(ctx, pool, code) if is_card else "",
        gift=order.gift,
        hub_hold=order.hub_hold,
        packed_at=item.packed_at,
        packed_by=item.packed_by,
        printed_at=item.printed_at,
    )
    if not is_card or grant is None:
        return row
    if code is not None and code.state not in TELLABLE:
        return replace(row, coupon="", held=say(CARD_HOLDS, "coupon_pending", words))
    worth = told_worth(making.terms) if making is not None and making.terms else None
    sample = samples.get(grant.id, "")
    card = Card(channel, contact, grant.milestone, pool, code, sample, start, worth)
    text, held = write_card(ctx, card, row.coupon, words)
    return replace(row, text=text, held=held)


def _pool_of(
    grant: Grant | None,
    code: CouponCode | None,
    pools: dict[int, CouponPool],
    day: datetime,
    *,
    packed: bool,
) -> CouponPool | None:
    """The pool of the card's code; a shared one not in its last two weeks, unless packed."""
    if code is not None:
        return pools.get(code.pool_id)
    name = reward_pool(grant.reward) if grant is not None else ""
    pool = next((p for p in pools.values() if p.name == name and p.shared_code), None)
    if pool is None or packed:
        return pool
    return None if shared_stage(pool.expires_at, day) is SharedStage.STOPPED else pool


def _clear(ctx: Context, pool: CouponPool | None, code: CouponCode | None) -> str:
    if code is not None:
        return reveal(ctx, code)
    return (pool.shared_code or "") if pool is not None else ""


def _statement(start: datetime, end: datetime) -> sa.Select[*tuple[Any, ...]]:
    packed_today = sa.and_(PackingItem.packed_at >= start, PackingItem.packed_at < end)
    still_here = sa.and_(
        PackingItem.packed_at.is_(None),
        OrderRow.counting,
        OrderRow.fulfilment.in_(("unshipped", "part")),
    )
    statement: sa.Select[*tuple[Any, ...]] = (
        sa.select(
            *(PackingItem, OrderRow, Channel, OrderContact, Grant),
            *(OrderStanding.visit_number, CouponCode, CouponMaking),
        )
        .join(OrderRow, OrderRow.id == PackingItem.order_id)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .outerjoin(OrderContact, OrderContact.order_id == OrderRow.id)
        .outerjoin(Grant, Grant.id == PackingItem.grant_id)
        .outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
        .outerjoin(CouponCode, CouponCode.id == Grant.coupon_id)
        .outerjoin(CouponMaking, CouponMaking.code_id == CouponCode.id)
        .where(PackingItem.withdrawn_at.is_(None), sa.or_(still_here, packed_today))
        .order_by(OrderRow.ordered_at, OrderRow.id, PackingItem.id)
    )
    return statement


def tick(session: Session, item_id: int, by: str, now: datetime) -> None:
    """Say that a thing lies in its parcel; a second tick changes nothing. Raises ItemGone."""
    item = _item(session, item_id)
    if item.packed_at is None:
        item.packed_at, item.packed_by = now, by


def untick(session: Session, item_id: int) -> None:
    """Take a tick back. Raises ItemGone."""
    item = _item(session, item_id)
    item.packed_at, item.packed_by = None, ""


def mark_printed(session: Session, item_ids: Collection[int], now: datetime) -> int:
    """Say that these cards came out of the printer; gives how many were not printed before.

    What has left the list meanwhile stays as it is: its card is to be thrown away.
    """
    rows = session.scalars(
        sa.select(PackingItem)
        .where(
            PackingItem.id.in_(list(item_ids)),
            PackingItem.withdrawn_at.is_(None),
            PackingItem.printed_at.is_(None),
        )
        .order_by(PackingItem.id)
        .with_for_update()
    ).all()
    for item in rows:
        item.printed_at = now
    return len(rows)


def mark_unprinted(session: Session, item_id: int) -> None:
    """Print a card again: the sheet jammed, or the card was spoilt. Raises ItemGone."""
    _item(session, item_id).printed_at = None


def _item(session: Session, item_id: int) -> PackingItem:
    item = session.get(PackingItem, item_id, with_for_update=True)
    if item is None or item.withdrawn_at is not None:
        raise ItemGone(f"Item {item_id} is not on the packing list any more.")
    return item


def packing_csv(rows: Iterable[PackingRow]) -> bytes:
    """One line per order for the order hub's slip: UTF-8 with mark, so that Excel reads it."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for _, group in groupby(rows, key=_order):
        things = list(group)
        first = things[0]
        labels = "、".join(row.label or row.item for row in things)
        texts = "\n\n".join(row.text for row in things if row.text)
        cells = (first.order_number, first.shop, first.name, labels, _remark(things), texts)
        writer.writerow([defuse(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def _order(row: PackingRow) -> int:
    return row.order_id


def _remark(things: list[PackingRow]) -> str:
    parts = [f"クーポンコード {row.coupon}" for row in things if row.coupon]
    parts += [f"カード保留: {row.held}" for row in things if row.held]
    parts += ["贈り物"] if things[0].gift else []
    parts += ["受注側で保留"] if things[0].hub_hold else []
    parts += ["同梱済み"] if all(row.packed_at is not None for row in things) else []
    return " / ".join(parts)
