"""What settling rewards reads: orders at milestones, the grants of whole merged groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.states import Certainty, MailKind
from worker.store.channels import ChannelKind
from worker.store.customers import Customer, OrderStanding
from worker.store.orders import OrderRow
from worker.store.rewards import Grant


class RewardOrder(NamedTuple):
    """An order as rewards see it."""

    id: int
    customer_id: int
    channel_id: int
    number: str
    ordered_at: datetime
    counting: bool
    fulfilment: str
    hub_hold: bool
    subtotal: int | None
    total: int | None
    shipping: int | None
    fee: int | None
    coupon_code: str | None
    scope: str | None
    visit: int | None
    certainty: Certainty | None

    @property
    def dispatched(self) -> bool:
        """The parcel has left: nothing can be laid into it any more."""
        return self.fulfilment in ("shipped", "delivered")

    @property
    def ready(self) -> bool:
        """Ready to pack: the gate is open, the parcel is here, and nobody holds the order."""
        return self.counting and self.fulfilment in ("unshipped", "part") and not self.hub_hold

    @property
    def goods_value(self) -> int:
        """What the goods cost, tax included, in yen: the ground of the gift limit."""
        if self.subtotal is not None:
            return self.subtotal
        return max(0, (self.total or 0) - (self.shipping or 0) - (self.fee or 0))


def kept_customers(session: Session, customer_ids: Collection[int]) -> list[int]:
    """The customers as they stand now: whoever was merged is replaced by whom was kept."""
    found: set[int] = set()
    layer = list(customer_ids)
    while layer:
        rows = session.execute(
            sa.select(Customer.id, Customer.merged_into).where(Customer.id.in_(layer))
        ).all()
        found |= {row.id for row in rows if row.merged_into is None}
        layer = [row.merged_into for row in rows if row.merged_into is not None]
    return sorted(found)


def grants_of(session: Session, customer_ids: Collection[int]) -> Sequence[Grant]:
    """Grants made for these customers, or resting on an order that is theirs now."""
    ids = list(customer_ids)
    theirs = sa.select(OrderRow.id).where(OrderRow.customer_id.in_(ids))
    chosen = sa.or_(Grant.customer_id.in_(ids), Grant.order_id.in_(theirs))
    return session.scalars(sa.select(Grant).where(chosen).order_by(Grant.id)).all()


def orders_of(
    session: Session, customer_ids: Collection[int], least: int, also: Collection[int]
) -> list[RewardOrder]:
    """Their orders from visit ``least`` on, and those named, in the order of buying."""
    s, o = OrderStanding, OrderRow
    rows = session.execute(
        sa.select(
            *(o.id, o.customer_id, o.channel_id, o.number, o.ordered_at, o.counting),
            *(o.fulfilment, o.hub_hold, o.subtotal, o.total, o.shipping, o.fee, o.coupon_code),
            *(s.scope, s.visit_number, s.certainty),
        )
        .outerjoin(s, s.order_id == o.id)
        .where(
            sa.or_(
                sa.and_(o.customer_id.in_(list(customer_ids)), s.visit_number >= least),
                sa.and_(o.customer_id.in_(list(customer_ids)), o.coupon_code.is_not(None)),
                o.id.in_(list(also)),
            )
        )
        .order_by(s.visit_number, s.ordinal, o.ordered_at, o.id)
    )
    return [RewardOrder._make(row) for row in rows]


def milestone_starts(session: Session) -> dict[int, datetime]:
    """From when each channel gives milestone rewards; a channel without a start gives none."""
    rows = session.execute(
        sa.select(ChannelKind.channel_id, ChannelKind.active_from).where(
            ChannelKind.kind == MailKind.MILESTONE
        )
    )
    return {row.channel_id: row.active_from for row in rows}


def lock_customers(session: Session, customer_ids: Sequence[int]) -> dict[int, bool]:
    """Lock these customers to the transaction's end; tells whose identity is unsure."""
    rows = session.execute(
        sa.select(Customer.id, Customer.identity_unsure)
        .where(Customer.id.in_(customer_ids))
        .order_by(Customer.id)
        .with_for_update()
    )
    return {row.id: row.identity_unsure for row in rows}
