"""A small ledger for tests of ranks and rewards: channels, customers and orders by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.folders import ROOT
from worker.documents import load_documents
from worker.pipeline.context import Context
from worker.pipeline.deriving import derived
from worker.pipeline.rank import RankResult, rank
from worker.rules.shop import Documents, Shop
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer, CustomerStanding, OrderStanding
from worker.store.orders import OrderRow

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class Texts:
    """No mail texts are needed here."""

    def read(self, path: str) -> str | None:
        return None

    def release(self) -> str:
        return "files:test"


def context(documents: Documents | None = None) -> Context:
    """The shipped documents, or others."""
    return Context(
        documents=documents or load_documents(ROOT / "config"), texts=Texts(), key=b"k" * 32
    )


def with_shop(ctx: Context, **changes: Any) -> Context:
    """The same with other shop settings; ``counting`` may be given as a mapping."""
    counting = changes.pop("counting", {})
    shop: Shop = ctx.documents.shop
    shop = replace(shop, counting=replace(shop.counting, **counting), **changes)
    return replace(ctx, documents=replace(ctx.documents, shop=shop))


@dataclass
class Ledger:
    """Writes orders the way ingest leaves them; ``paid`` and unshipped unless told otherwise."""

    session: Session
    ctx: Context = field(default_factory=context)
    channels: dict[str, int] = field(default_factory=dict)

    def channel(self, name: str, *, since: str | None = "2000-01-01") -> int:
        family = name.split(":")[0]
        row = Channel(
            name=name,
            kind="csv_file",
            family=family,
            created_at=NOW,
            history_complete_since=datetime.fromisoformat(since).date() if since else None,
        )
        self.session.add(row)
        self.session.flush()
        self.channels[name] = row.id
        return row.id

    def active(self, channel: str, kind: str, since: datetime) -> None:
        row = ChannelKind(channel_id=self.channels[channel], kind=kind, active_from=since)
        self.session.add(row)
        self.session.flush()

    def customer(self, **values: Any) -> int:
        row = Customer(created_at=NOW, **values)
        self.session.add(row)
        self.session.flush()
        return row.id

    def order(self, customer: int | None, at: str, total: int = 1000, **values: Any) -> int:
        """One order; ``at`` is shop-local, ``2026-01-31`` or ``2026-01-31T09:00``."""
        channel = values.pop("channel", None) or next(iter(self.channels))
        count = self.session.scalar(sa.select(sa.func.count()).select_from(OrderRow)) or 0
        moment = datetime.fromisoformat(at).replace(tzinfo=self.ctx.zone)
        row: dict[str, Any] = {
            "channel_id": self.channels[channel],
            "external_id": f"x{count:05d}",
            "number": f"n{count:05d}",
            "ordered_at": moment,
            "life": "open",
            "payment": "paid",
            "fulfilment": "unshipped",
            "payment_kind": "card",
            "currency": self.ctx.documents.shop.counting.currency,
            "total": total,
            "content_hash": "",
            "customer_id": customer,
            "warnings": [],
            "created_at": NOW,
            "changed_at": NOW,
            "identify_due": False,
        }
        made = OrderRow(**self._derived(row | values))
        self.session.add(made)
        self.session.flush()
        return made.id

    def change(self, order_id: int, **values: Any) -> None:
        """Change an order's states and derive what follows, as ingest would."""
        row = self.session.get_one(OrderRow, order_id)
        plain = {c.name: getattr(row, c.name) for c in OrderRow.__table__.c}
        for name, value in self._derived(plain | values).items():
            if getattr(row, name) != value:
                setattr(row, name, value)
        self.session.flush()

    def _derived(self, row: Mapping[str, Any]) -> dict[str, Any]:
        blank = {"paid_at": None, "shipping": None, "refunded": None, "delivery_count": None}
        return derived(self.ctx, {**blank, **row})

    def rank(self, *customers: int, now: datetime = NOW) -> RankResult:
        found = rank(self.session, self.ctx, now, list(customers) or None)
        self.session.expire_all()
        return found

    def standing(self, order_id: int) -> OrderStanding:
        return self.session.get_one(OrderStanding, order_id)

    def numbers(self, *orders: int) -> list[tuple[int | None, int | None, int | None]]:
        """(ordinal, visit number, ordinal over all) of these orders."""
        rows = [self.standing(each) for each in orders]
        return [(row.ordinal, row.visit_number, row.ordinal_overall) for row in rows]

    def customer_standing(self, customer: int, scope: str = "own") -> CustomerStanding:
        return self.session.get_one(CustomerStanding, (customer, scope))
