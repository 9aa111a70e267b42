"""One mail with its surroundings, and differences as pieces."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from tests.factories import NOW, make_channel, make_customer, make_message, make_order_row
from tests.pipeline.approved import shop_context
from worker.pipeline.review import Piece, Refused, detail, diff_mail, diff_text
from worker.rules.states import Certainty, MessageState, NoteState
from worker.store.customers import ContactNote, CustomerStanding, OrderStanding
from worker.store.orders import OrderLine


def test_a_difference_is_told_letter_by_letter_within_changed_lines() -> None:
    assert diff_text("山田様\n二回目のご注文\nまた\n", "山田様\n三回目のご注文\nまた\n") == [
        Piece("same", "山田様\n"),
        Piece("del", "二"),
        Piece("ins", "三"),
        Piece("same", "回目のご注文\nまた\n"),
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("a", ""), ("", "a\nb"), ("a\nb\n", "b\na\n"), ("x" * 3000, "y" * 3000 + "\nz")],
)
def test_both_texts_can_be_read_out_of_a_difference(before: str, after: str) -> None:
    pieces = diff_text(before, after)
    assert "".join(p.text for p in pieces if p.op != "ins") == before
    assert "".join(p.text for p in pieces if p.op != "del") == after


def test_only_fields_that_differ_are_told() -> None:
    before = {"subject": "a", "text": "same", "html": None}
    assert list(diff_mail(before, {"subject": "b", "text": "same", "html": ""})) == ["subject"]
    assert diff_mail({}, before) == {}


def test_the_detail_holds_customer_orders_lines_notes_and_earlier_mails(session: Session) -> None:
    channel, ctx = make_channel(session), shop_context()
    customer = make_customer(session, name="髙橋 一郎", postal_code="106-0032")
    last = NOW - timedelta(days=3)
    order = make_order_row(
        session, channel, customer, last, number="#7", contact={"buyer_comment": "急ぎです"}
    )
    line = OrderLine(order_id=order.id, position=1, name="煎茶", quantity=2, amount=1600)
    facts = {"orders": 3}
    standing = {"certainty": Certainty.PROVED, "rank": "repeat", "facts": facts}
    session.add_all(
        [
            line,
            OrderStanding(
                order_id=order.id, customer_id=customer.id, scope="own", visit_number=3, **standing
            ),
            CustomerStanding(
                customer_id=customer.id,
                scope="*",
                count=4,
                visits=4,
                net_spend=10_001,
                last_order_at=last,
                **standing,
            ),
            ContactNote(
                customer_id=customer.id, said="贈答の相談", state=NoteState.OPEN, by="x", at=NOW
            ),
            ContactNote(customer_id=customer.id, said="済", state=NoteState.DONE, by="x", at=NOW),
        ]
    )
    earlier = make_message(
        session, channel, customer, state=MessageState.SENT, body={"subject": "先日のお礼"}
    )
    message = make_message(
        session, channel, customer, state=MessageState.IN_REVIEW, orders=(order,), body={}
    )
    shown = detail(session, ctx, message.id, now=NOW)
    card = shown.customer
    assert card is not None
    assert (card.name, card.postal_code, card.order_count) == ("髙橋 一郎", "106-0032", 4)
    assert (card.lifetime_spend, card.average_order, card.days_since_last_order) == (
        10_001,
        2500,
        3,
    )
    (seen,) = shown.orders
    assert (seen.number, seen.visit_number, seen.rank_facts) == ("#7", 3, facts)
    assert (seen.buyer_comment, [item.name for item in seen.lines]) == ("急ぎです", ["煎茶"])
    assert [note.said for note in shown.notes] == ["贈答の相談"]
    assert [(mail.id, mail.subject) for mail in shown.earlier] == [(earlier.id, "先日のお礼")]


def test_a_handoff_for_many_has_no_customer(session: Session) -> None:
    channel = make_channel(session)
    message = make_message(session, channel, state=MessageState.HANDOFF)
    shown = detail(session, shop_context(), message.id, now=NOW)
    assert (shown.customer, shown.earlier, shown.notes, shown.body) == (None, (), (), None)
    assert shown.moves == ("cancel", "handed_off")


def test_a_mail_that_is_not_there_is_refused(session: Session) -> None:
    with pytest.raises(Refused):
        detail(session, shop_context(), "nobody", now=NOW)
