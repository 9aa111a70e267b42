"""A mail sent again: a message and an occasion of its own, read and judged like the first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from tests.pipeline import planning as p
from worker.pipeline import review
from worker.pipeline.render import recheck, render_message
from worker.pipeline.review import Refused
from worker.rules.states import (
    MailKind,
    MessageState,
    Outcome,
    ReviewMode,
)
from worker.store.channels import Channel
from worker.store.customers import Suppression
from worker.store.messages import Message, Occasion
from worker.store.orders import OrderRow

LATER = p.MONDAY + timedelta(days=1)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as opened:
        yield opened


@pytest.fixture
def sent(session: Session) -> Message:
    """A thank-you that left on Monday, trusted to go by itself."""
    shop, person = p.a_shop(session), p.a_person(session)
    order = p.a_visit(session, shop, person)
    p.planned(session)
    message = p.message_of(session, order)
    render_message(session, p.ctx(), message.id, p.MONDAY)
    message.mode = ReviewMode.AUTO
    p.send(session, message)
    session.flush()
    return message


def again(session: Session, message: Message) -> Message:
    return review.send_again(session, p.ctx(), message.id, by="森本", now=LATER, reason="不着")


def occasions_of(session: Session, message: Message) -> list[Occasion]:
    return list(session.scalars(select(Occasion).where(Occasion.message_id == message.id)))


def refused(session: Session, message: Message) -> str:
    with pytest.raises(Refused) as no:
        again(session, message)
    return no.value.code


def test_a_repetition_is_a_new_message_with_an_occasion_that_is_its_own(
    session: Session, sent: Message
) -> None:
    new = again(session, sent)
    (old_reason,), (reason,) = occasions_of(session, sent), occasions_of(session, new)
    assert (new.again_of, new.state, new.mode) == (
        sent.id, MessageState.IN_REVIEW, ReviewMode.REVIEW,
    )  # fmt: skip
    assert (reason.kind, reason.subject, reason.order_id) == (
        old_reason.kind, old_reason.subject, old_reason.order_id,
    )  # fmt: skip
    assert (old_reason.step, reason.step) == ("", "~again1")
    assert (reason.outcome, reason.reason["code"]) == (Outcome.MESSAGE, "sent_again")
    assert sent.state is MessageState.SENT


def test_a_second_repetition_counts_on(session: Session, sent: Message) -> None:
    first = again(session, sent)
    assert refused(session, sent) == "again_waiting"
    p.send(session, first, LATER)
    second = again(session, first)
    assert [one.step for one in occasions_of(session, second)] == ["~again2"]


def test_what_it_rests_on_is_compared_and_not_lost(session: Session, sent: Message) -> None:
    new = again(session, sent)
    assert recheck(session, p.ctx(), new.id, LATER).changed == []
    new.flags = []
    review.approve(session, p.ctx(), new.id, by="森本", now=LATER, recheck=recheck)
    assert new.state is MessageState.APPROVED


def test_planning_again_leaves_it_alone(session: Session, sent: Message) -> None:
    new = again(session, sent)
    order = session.scalars(select(OrderRow)).one()
    p.due_again(session, order)
    p.planned(session, now=LATER)
    assert new.state is MessageState.IN_REVIEW
    assert len(list(session.scalars(select(Message)))) == 2


def test_a_cancelled_order_is_not_thanked_again(session: Session, sent: Message) -> None:
    order = session.scalars(select(OrderRow)).one()
    new = again(session, sent)
    order.life = "cancelled"
    session.flush()
    assert "occasion" in recheck(session, p.ctx(), new.id, LATER).changed
    with pytest.raises(Refused) as no:
        review.approve(session, p.ctx(), new.id, by="森本", now=LATER, recheck=recheck)
    assert no.value.code == "order_gone"
    review.cancel(session, p.ctx(), new.id, reason="受注取消", by="森本", now=LATER)
    assert refused(session, sent) == "order_gone"


def test_who_must_not_be_mailed_is_not_mailed_again(session: Session, sent: Message) -> None:
    session.add(
        Suppression(
            customer_id=sent.customer_id, address_hash="", reason="manual", by="森本", at=LATER
        )
    )
    session.flush()
    assert refused(session, sent) == "suppressed"


def test_consent_is_asked_anew(session: Session, sent: Message) -> None:
    sent.kind, sent.advertising = MailKind.BIRTHDAY, True
    assert refused(session, sent) == "no_consent"
    channel = session.get_one(Channel, sent.channel_id)
    p.agree(session, channel, p.body_of(session, sent).recipient)
    assert again(session, sent).again_of == sent.id


def test_a_mailing_of_the_marketplace_is_not_sent_from_here(
    session: Session, sent: Message
) -> None:
    sent.customer_id = None
    assert refused(session, sent) == "not_for_one"
