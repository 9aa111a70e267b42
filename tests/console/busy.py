"""Two years of invented sales for the pages of reports, on top of the sample's shop."""

from __future__ import annotations

import random
from datetime import timedelta

from sqlalchemy.orm import Session

from tests.console.sample import NOW
from tests.factories import make_channel
from worker.pipeline.context import Context
from worker.pipeline.coupons import code_hash
from worker.rules.states import Certainty, CouponState, GrantState
from worker.store.channels import Channel
from worker.store.customers import (
    Customer,
    CustomerProfile,
    CustomerStanding,
    OrderStanding,
    RankHistory,
)
from worker.store.orders import OrderRow
from worker.store.rewards import CouponCode, CouponPool, Grant

_FAMILY = ("山口", "井上", "斎藤", "高橋", "岡本", "大野", "渡辺", "長谷川", "木村", "坂本")
_GIVEN = ("さくら", "誠", "真由美", "美咲", "千尋", "由佳", "健一", "光", "礼子", "葵")


def sell(session: Session, ctx: Context, people: int = 260) -> None:
    """Customers who come again or do not, over four channels; the same every time."""
    dice = random.Random(4)
    amazon = make_channel(session, "amazon:main")
    channels = [*session.query(Channel).where(Channel.family != "amazon").order_by(Channel.id)]
    pool = CouponPool(name="節目500円", channel_id=channels[0].id, value=500, created_at=NOW)
    session.add(pool)
    session.flush()
    for number in range(people):
        _live(session, ctx, dice, number, channels[dice.choice((0, 0, 0, 1, 1, 2))], pool)
    for _ in range(90):
        _order(session, dice, amazon.id, None, dice.randrange(700), None)
    session.flush()


def _live(
    session: Session, ctx: Context, dice: random.Random, number: int, channel: Channel,
    pool: CouponPool,
) -> None:  # fmt: skip
    customer = Customer(created_at=NOW, rank_due=False, plan_due=False)
    session.add(customer)
    session.flush()
    name = f"{dice.choice(_FAMILY)} {dice.choice(_GIVEN)}"
    session.add(CustomerProfile(customer_id=customer.id, name=name))
    ago, spend, place = dice.randrange(20, 720), 0, 0
    first = ago
    while ago >= 0 and place < 12:
        place += 1
        rank = "first" if place == 1 else "repeat" if place < 5 else "vip"
        code = f"KAZ{number:05}" if place == 6 else None
        order = _order(session, dice, channel.id, customer.id, ago, code)
        spend += order.spend
        session.add(
            OrderStanding(
                order_id=order.id, customer_id=customer.id, scope="own", ordinal=place,
                visit_number=place, ordinal_overall=place, certainty=Certainty.PROVED, rank=rank,
            )
        )  # fmt: skip
        if place in (2, 5):
            was = "first" if place == 2 else "repeat"
            session.add(
                RankHistory(
                    customer_id=customer.id, scope="*", at=order.ordered_at, from_rank=was,
                    to_rank=rank, cause="order",
                )
            )  # fmt: skip
        if place == 5:
            _reward(session, ctx, customer.id, number, pool, used=ago > 60)
        last = ago
        if dice.random() < 0.42:
            break
        ago -= dice.choice((14, 25, 40, 55, 80, 120, 170))
    session.add(
        CustomerStanding(
            customer_id=customer.id, scope="*", rank=rank, count=place, visits=place,
            net_spend=spend, first_order_at=NOW - timedelta(days=first),
            last_order_at=NOW - timedelta(days=last), certainty=Certainty.PROVED,
        )
    )  # fmt: skip


def _order(
    session: Session, dice: random.Random, channel: int, customer: int | None, ago: int,
    code: str | None,
) -> OrderRow:  # fmt: skip
    at, total = NOW - timedelta(days=ago, minutes=5), dice.randrange(18, 140) * 100
    number = f"B-{dice.randrange(10**9):09}"
    order = OrderRow(
        channel_id=channel, external_id=number, number=number, ordered_at=at,
        ordered_on=(at + timedelta(hours=9)).date(), life="open", payment="paid",
        fulfilment="shipped", payment_kind="card", currency="JPY", total=total, counting=True,
        visit_counting=True, spend=total, content_hash="0" * 64, customer_id=customer,
        coupon_code=code, created_at=at, changed_at=at, identify_due=False, plan_due=False,
    )  # fmt: skip
    session.add(order)
    session.flush()
    return order


def _reward(
    session: Session, ctx: Context, customer: int, number: int, pool: CouponPool, *, used: bool
) -> None:
    grant = Grant(
        customer_id=customer, scope="own", milestone=5, changed_at=NOW,
        state=GrantState.USED if used else GrantState.EARNED, reward=f"card+coupon:{pool.name}",
    )  # fmt: skip
    session.add(grant)
    session.flush()
    code = CouponCode(
        pool_id=pool.id, code_hash=code_hash(ctx, f"KAZ{number:05}"), cipher="", last4="0000",
        state=CouponState.USED if used else CouponState.ISSUED, grant_id=grant.id, changed_at=NOW,
    )  # fmt: skip
    session.add(code)
    session.flush()
    grant.coupon_id = code.id
