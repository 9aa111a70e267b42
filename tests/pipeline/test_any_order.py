"""Whatever comes first, twice or late: the ledger ends the same (promise P2)."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from connectors.contract import Fulfilment, Life, Line, Order, Payment
from tests.documents import context
from tests.factories import NOW, an_order, make_channel
from worker.pipeline.identify import identify
from worker.pipeline.ingest import ingest
from worker.store.engine import writing
from worker.store.order_queries import whole
from worker.store.orders import OrderRow

CTX = context()
_numbers = itertools.count(1)
_LEDGER = frozenset({"id", "channel_id", "content_hash", "revision", "customer_id"})

Delivery = tuple[int, int, str]
"""Which order, which version of it, and by which way it arrives."""

version = st.fixed_dictionaries(
    {
        "life": st.sampled_from(Life),
        "payment": st.sampled_from(Payment),
        "fulfilment": st.sampled_from(Fulfilment),
        "total": st.integers(0, 3),
        "tracking_number": st.sampled_from([None, "1", "2"]),
        "note": st.sampled_from([None, "玄関前", "宅配箱"]),
        "item": st.sampled_from(["珈琲", "紅茶"]),
    }
)
histories = st.lists(st.lists(version, min_size=1, max_size=4), min_size=1, max_size=2)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[list[dict[str, Any]]], list[list[Delivery]]]:
    """Histories of some orders, and pages that deliver them in any order, some again."""
    known = draw(histories)
    one = st.tuples(st.integers(0, len(known) - 1), st.integers(0, 3), st.sampled_from("AC"))
    pages = draw(st.lists(st.lists(one, min_size=1, max_size=5), min_size=1, max_size=5))
    return known, pages


def order_of(known: list[list[dict[str, Any]]], delivery: Delivery) -> Order:
    """The API (A) tells everything; the file (C) knows neither the note nor the lines."""
    number, at, way = delivery
    history = known[number]
    at = min(at, len(history) - 1)
    fields = {name: value for name, value in history[at].items() if name != "item"}
    fields["updated_at"] = NOW + timedelta(hours=at)
    fields["buyer"] = {"email": f"buyer{number}@mail.example"}
    if way == "A":
        fields["lines"] = (Line(name=history[at]["item"]),)
    else:
        del fields["note"]
    return an_order(f"N{number}", **fields)


def ledger(session: Session, channel_id: int) -> list[Any]:
    ids = session.scalars(
        sa.select(OrderRow.id)
        .where(OrderRow.channel_id == channel_id)
        .order_by(OrderRow.external_id)
    ).all()
    stored = whole(session, ids)
    return [
        (
            {k: v for k, v in stored[number].order.items() if k not in _LEDGER},
            {k: v for k, v in stored[number].contact.items() if k != "order_id"},
            stored[number].lines,
        )
        for number in ids
    ]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(arrivals())
def test_any_interleaving_of_pages_ends_as_a_clean_read(
    engine: sa.Engine, arriving: tuple[list[list[dict[str, Any]]], list[list[Delivery]]]
) -> None:
    known, pages = arriving
    delivered = sorted({delivery for page in pages for delivery in page})
    name = next(_numbers)
    with writing(engine) as session:
        mixed = make_channel(session, f"own:mixed{name}")
        clean = make_channel(session, f"own:clean{name}")
        for page in pages:
            pairs = [(1, order_of(known, delivery)) for delivery in page]
            ingest(session, CTX, mixed, pairs, NOW)
        for delivery in sorted(delivered, key=lambda d: (d[0], d[1], d[2])):
            ingest(session, CTX, clean, [(1, order_of(known, delivery))], NOW)
        identify(session, CTX, NOW)
        assert ledger(session, mixed.id) == ledger(session, clean.id)
        owners = sa.select(OrderRow.external_id, OrderRow.customer_id).order_by(
            OrderRow.external_id
        )
        mine = session.execute(owners.where(OrderRow.channel_id == mixed.id)).all()
        theirs = session.execute(owners.where(OrderRow.channel_id == clean.id)).all()
        assert mine == theirs  # one scope, one mail address: one customer
