"""A card knows whether it was printed; what left the list is not said to be."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories import NOW, make_channel, make_customer, make_order_row
from worker.pipeline.context import Context
from worker.pipeline.packing import (
    ItemGone,
    mark_printed,
    mark_unprinted,
    packing_csv,
    packing_list,
)
from worker.store.rewards import PackingItem

TODAY = date(2026, 11, 20)


def an_item(session: Session, **fields: object) -> PackingItem:
    channel = make_channel(session)
    order = make_order_row(session, channel, make_customer(session), contact={"name": "=1+1"})
    item = PackingItem(order_id=order.id, item="letter", **fields)
    session.add(item)
    session.flush()
    return item


def test_a_card_is_printed_once_and_may_be_printed_again(session: Session) -> None:
    item = an_item(session)
    assert mark_printed(session, [item.id], NOW) == 1
    assert mark_printed(session, [item.id], NOW + timedelta(hours=1)) == 0
    assert item.printed_at == NOW
    mark_unprinted(session, item.id)
    assert item.printed_at is None


def test_what_left_the_list_is_not_marked(session: Session) -> None:
    item = an_item(session, withdrawn_at=NOW)
    assert mark_printed(session, [item.id, 999], NOW) == 0
    with pytest.raises(ItemGone):
        mark_unprinted(session, item.id)
    assert session.scalar(sa.select(PackingItem.printed_at)) is None


def test_the_list_tells_when_a_thing_was_printed(session: Session, ctx: Context) -> None:
    item = an_item(session, printed_at=NOW)
    (row,) = packing_list(session, ctx, TODAY)
    assert (row.item_id, row.printed_at) == (item.id, NOW)


def test_a_name_that_is_a_formula_is_defused_in_the_slips_file(
    session: Session, ctx: Context
) -> None:
    an_item(session)
    assert "'=1+1" in packing_csv(packing_list(session, ctx, TODAY)).decode("utf-8-sig")
