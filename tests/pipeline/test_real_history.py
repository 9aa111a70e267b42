"""A real order history, whole and troubled: every number equals an independent computation."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import Buyer, Fulfilment, Life, Order, Payment, PaymentKind
from tests.folders import ROOT
from tests.needs import absent
from tests.pipeline.ledger import context, with_shop
from tests.pipeline.naive_ranks import Bought, expected
from worker.pipeline.context import Context
from worker.pipeline.identify import identify
from worker.pipeline.ingest import ingest
from worker.pipeline.merging import merge
from worker.pipeline.rank import rank_all
from worker.rules.shop import Condition, Demotion, Ladder, Rung
from worker.store.channels import Channel
from worker.store.customers import CustomerStanding, OrderStanding
from worker.store.engine import writing
from worker.store.orders import OrderContact, OrderRow

NOW = datetime(1998, 9, 10, 3, tzinfo=UTC)
TODAY = date(1998, 9, 10)
CHANNELS = {"own:main": "own", "rakuten:main": "rakuten:main"}
LADDER = Ladder(
    rungs=(
        Rung(
            "vip", "VIP", "VIP", 2,
            (Condition(orders=3, spend=10_000, months=6), Condition(spend=15_000, days=60)),
        ),
        Rung("good", "上客", "Good", 2, (Condition(average=4_000, months=12),)),
        Rung("repeat", "リピーター", "Repeat", 2),
        Rung("first", "新規", "First"),
    ),
    demotion=Demotion(judging_day=1, grace_days=30),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    order_id: str
    member: str
    day: date
    cents: int


def _history() -> list[Line]:
    shared = Path(os.environ.get("OKAERI_SHARED", ROOT.parent / "shared"))
    path = shared / "data" / "record-shop-1997.csv.gz"
    if not path.exists():
        absent(f"no order history at {path}: set OKAERI_SHARED")
    with gzip.open(path, "rt", encoding="ascii", newline="") as file:
        return [
            Line(
                row["order_id"],
                row["customer_id"],
                date.fromisoformat(row["datetime"][:10]),
                round(float(row["amount"]) * 100),
            )
            for row in csv.DictReader(file)
        ]


def _context() -> Context:
    ctx = with_shop(context(), counting={"currency": "USD"})
    return replace(ctx, documents=replace(ctx.documents, ladder=LADDER))


def _order(ctx: Context, line: Line, trouble: int) -> Order:
    """The line as an order; ``trouble`` 1 to 4: cancelled, unpaid, partly refunded, returned."""
    return Order(
        external_id=line.order_id,
        number=line.order_id,
        ordered_at=datetime(line.day.year, line.day.month, line.day.day, tzinfo=ctx.zone),
        currency="USD",
        present=frozenset(
            {"life", "payment", "fulfilment", "total", "refunded", "payment_kind"}
            | {"buyer.member_id"}
        ),
        life=Life.CANCELLED if trouble == 1 else Life.OPEN,
        payment={2: Payment.UNPAID, 3: Payment.REFUNDED_PART}.get(trouble, Payment.PAID),
        fulfilment=Fulfilment.RETURNED if trouble == 4 else Fulfilment.UNSHIPPED,
        payment_kind=PaymentKind.PREPAYMENT,
        total=line.cents,
        refunded=line.cents // 3 if trouble == 3 else None,
        buyer=Buyer(member_id=line.member),
    )


def _bought(ctx: Context, line: Line, channel: str, person: str, trouble: int) -> Bought:
    return Bought(
        key=line.order_id,
        person=person,
        scope=CHANNELS[channel],
        at=datetime(line.day.year, line.day.month, line.day.day, tzinfo=ctx.zone),
        day=line.day,
        channel=channel,
        number=line.order_id,
        counts=trouble in (0, 3),
        waits=trouble == 2,
        # Money that has not come is not spend, not even for the rank at that very order.
        spend={2: 0, 3: line.cents - line.cents // 3}.get(trouble, line.cents),
    )


def _channels(engine: sa.Engine) -> dict[str, Channel]:
    with writing(engine) as session:
        rows = {
            name: Channel(
                name=name, kind="csv_file", family=name.split(":")[0], created_at=NOW,
                history_complete_since=date(1990, 1, 1),
            )
            for name in CHANNELS
        }  # fmt: skip
        session.add_all(rows.values())
    return rows


def _feed(engine: sa.Engine, ctx: Context, channel: Channel, orders: list[Order]) -> None:
    for start in range(0, len(orders), 2000):
        with writing(engine) as session:
            ingest(session, ctx, channel, list(enumerate(orders[start : start + 2000], 1)), NOW)
    linked = 1
    while linked:
        with writing(engine) as session:
            linked = identify(session, ctx, NOW, 5000).linked
    rank_all(lambda: writing(engine), ctx, NOW)


def _orders_found(
    session: Session,
) -> Iterator[tuple[str, int | None, int | None, str | None, int]]:
    for row in session.execute(
        sa.select(
            OrderRow.external_id,
            OrderStanding.ordinal,
            OrderStanding.visit_number,
            OrderStanding.rank,
            OrderRow.spend,
        ).outerjoin(OrderStanding, OrderStanding.order_id == OrderRow.id)
    ):
        yield row[0], row[1], row[2], row[3], row[4]


def _compare(engine: sa.Engine, bought: list[Bought]) -> None:
    orders, totals = expected(bought, LADDER, TODAY)
    spend = {each.key: each.spend if each.counts else 0 for each in bought}
    person_of = {each.key: each.person for each in bought}
    with Session(engine) as session:
        found = {row[0]: row[1:] for row in _orders_found(session)}
        standings = {
            (person_of[row[0]], row[1]): tuple(row[2:])
            for row in session.execute(
                sa.select(
                    sa.func.min(OrderRow.external_id),
                    CustomerStanding.scope,
                    CustomerStanding.count,
                    CustomerStanding.visits,
                    CustomerStanding.net_spend,
                    CustomerStanding.rank,
                )
                .join(OrderRow, OrderRow.customer_id == CustomerStanding.customer_id)
                .where(CustomerStanding.scope != "*")
                .group_by(CustomerStanding.customer_id, *CustomerStanding.__table__.c)
            )
        }
    assert len(found) == len(orders)
    wrong = [
        (key, found[key], want)
        for key, want in orders.items()
        if found[key] != (want.ordinal, want.visit, want.rank, spend[key])
    ]
    assert wrong == []
    assert standings == totals


def test_a_whole_history_order_for_order(engine: sa.Engine) -> None:
    lines, ctx = _history(), _context()
    channel = _channels(engine)["own:main"]
    _feed(engine, ctx, channel, [_order(ctx, line, 0) for line in lines])
    _compare(engine, [_bought(ctx, line, "own:main", line.member, 0) for line in lines])


def test_the_troubled_history_over_two_scopes(engine: sa.Engine) -> None:
    """Every twelfth person: late, cancelled, unpaid, refunded, returned and merged orders."""
    ctx = _context()
    lines = [line for line in _history() if int(line.member) % 12 == 0]
    trouble = {line.order_id: max(0, crc32(line.order_id.encode()) % 16 - 11) for line in lines}
    early = {key: 2 if kind == 2 else 0 for key, kind in trouble.items()}
    channel_of = {
        line.order_id: list(CHANNELS)[crc32(line.order_id[::-1].encode()) % 3 == 0]
        for line in lines
    }
    channels = _channels(engine)
    # First half the orders, paid or not yet; then the rest comes late, and the troubles. The
    # source tells no time of change, so a state only ever moves forward.
    for part in (lines[::2], lines):
        for name, channel in channels.items():
            orders = [
                _order(ctx, line, trouble[line.order_id] if part is lines else early[line.order_id])
                for line in part
                if channel_of[line.order_id] == name
            ]
            _feed(engine, ctx, channel, orders)
    merged = _merge_some(engine, ctx)
    bought = [
        _bought(
            ctx,
            line,
            channel_of[line.order_id],
            merged.get(
                (channel_of[line.order_id], line.member),
                f"{channel_of[line.order_id]}/{line.member}",
            ),
            trouble[line.order_id],
        )
        for line in lines
    ]
    _compare(engine, bought)


def _merge_some(engine: sa.Engine, ctx: Context) -> dict[tuple[str, str], str]:
    """Find fifty pairs of neighbours to be one person; gives who they are now."""
    with writing(engine) as session:
        rows = session.execute(
            sa.select(OrderRow.customer_id, Channel.name, OrderContact.member_id)
            .join(Channel, Channel.id == OrderRow.channel_id)
            .join(OrderContact, OrderContact.order_id == OrderRow.id)
            .distinct()
            .order_by(OrderContact.member_id, Channel.name)
        ).all()
        people: dict[tuple[str, str], str] = {}
        for kept, gone in zip(rows[:200:4], rows[1:200:4], strict=True):
            assert kept.customer_id is not None
            assert gone.customer_id is not None
            merge(session, ctx, kept.customer_id, gone.customer_id, "same name", "mori", NOW)
            one = f"{kept.name}/{kept.member_id}"
            people[kept.name, str(kept.member_id)] = people[gone.name, str(gone.member_id)] = one
    rank_all(lambda: writing(engine), ctx, NOW + timedelta(minutes=5))
    return people
