"""`okaeri verify`: an empty ledger keeps every promise, and each planted violation is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from tests.documents import context
from tests.factories import NOW, make_channel, make_customer, make_message, make_order_row
from worker.mail.journal import Journal
from worker.pipeline.verify import Finding, verify
from worker.rules.states import Actor, Certainty, GrantState, MailKind, MessageState, Outcome
from worker.store.channels import Channel
from worker.store.customers import OrderStanding, Suppression
from worker.store.engine import reading, writing
from worker.store.messages import Message, MessageEvent, Occasion
from worker.store.orders import OrderRow, RawRecord
from worker.store.rewards import Grant

S = MessageState
BODY = {"sender": "shop@hinata.example", "recipient": "a@b.example", "subject": "s", "text": "t"}


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "dispatch.jsonl")


def found(engine: Engine, journal: Journal) -> list[Finding]:
    with reading(engine) as session:
        return verify(session, context(), journal, NOW)


def moved(session: Session, message: Message, *states: MessageState) -> None:
    """Events that lead through these states."""
    before = S.SCHEDULED
    for state in states:
        session.add(
            MessageEvent(
                message_id=message.id, at=NOW, move="test", from_state=before, to_state=state,
                actor=Actor.SYSTEM,
            )
        )  # fmt: skip
        before = state
    session.flush()


def test_an_empty_ledger_keeps_every_promise(engine: Engine, journal: Journal) -> None:
    assert found(engine, journal) == []


def test_a_sound_ledger_keeps_every_promise(engine: Engine, journal: Journal) -> None:
    with writing(engine) as session:
        channel = make_channel(session, active_from=NOW - timedelta(days=30))
        customer = make_customer(session)
        order = make_order_row(session, channel, customer)
        standing(session, order.id, customer.id, 1)
        message = make_message(session, channel, customer, state=S.SENT, orders=(order,))
        moved(session, message, S.IN_REVIEW, S.APPROVED, S.SENDING, S.SENT)
        session.add(grant(customer.id, GrantState.EARNED))
        session.add(raw(channel, order.external_id))

    assert found(engine, journal) == []


def test_an_unpaid_order_may_share_its_number_with_the_next_that_counts(
    engine: Engine, journal: Journal
) -> None:
    with writing(engine) as session:
        channel = make_channel(session)
        customer = make_customer(session)
        for counting in (False, True):
            order = make_order_row(session, channel, customer, counting=counting)
            standing(session, order.id, customer.id, 1, Certainty.UNCERTAIN)

    assert found(engine, journal) == []


def raw(channel: Channel, external_id: str) -> RawRecord:
    return RawRecord(
        channel_id=channel.id, external_id=external_id, sha256="0", payload={},
        received_at=NOW - timedelta(hours=2),
    )  # fmt: skip


def standing(
    session: Session,
    order_id: int,
    customer_id: int,
    ordinal: int | None,
    certainty: Certainty = Certainty.PROVED,
) -> None:
    session.add(
        OrderStanding(
            order_id=order_id, customer_id=customer_id, scope="own", ordinal=ordinal,
            visit_number=ordinal, ordinal_overall=ordinal, certainty=certainty,
        )
    )  # fmt: skip
    session.flush()


def grant(customer_id: int, state: GrantState) -> Grant:
    return Grant(customer_id=customer_id, scope="own", milestone=5, state=state, changed_at=NOW)


def a_lost_raw(session: Session, channel: Channel) -> None:
    session.add(raw(channel, "LOST-1"))


def a_mail_sent_twice(session: Session, channel: Channel) -> None:
    message = make_message(session, channel, state=S.SENT)
    moved(session, message, S.SENDING, S.SENT, S.SENDING, S.SENT)


def a_mail_stuck_in_sending(session: Session, channel: Channel) -> None:
    since = NOW - timedelta(hours=1)
    moved(session, make_message(session, channel, state=S.SENDING, sending_since=since), S.SENDING)


def an_occasion_whose_mail_is_missing(session: Session, channel: Channel) -> None:
    order = make_order_row(session, channel)
    session.add(
        Occasion(
            kind=MailKind.ORDER_THANKS, step="", subject="order:x", channel_id=channel.id,
            order_id=order.id, outcome=Outcome.MESSAGE, created_at=NOW, changed_at=NOW,
        )
    )  # fmt: skip


def an_expired_mail_left_waiting(session: Session, channel: Channel) -> None:
    expired = NOW - timedelta(days=3)
    moved(
        session, make_message(session, channel, state=S.IN_REVIEW, expires_at=expired), S.IN_REVIEW
    )


def an_approved_mail_that_was_changed(session: Session, channel: Channel) -> None:
    message = make_message(session, channel, state=S.APPROVED, body=BODY, approved_hash="other")
    moved(session, message, S.IN_REVIEW, S.APPROVED)


def a_mail_of_a_cancelled_order(session: Session, channel: Channel) -> None:
    order = make_order_row(session, channel, life="cancelled", counting=False)
    moved(session, make_message(session, channel, state=S.IN_REVIEW, orders=(order,)), S.IN_REVIEW)


def two_rewards_within_a_merged_person(session: Session, channel: Channel) -> None:
    kept, merged = make_customer(session), make_customer(session)
    merged.merged_into = kept.id
    session.add_all([grant(kept.id, GrantState.USED), grant(merged.id, GrantState.RESERVED)])


def a_mail_about_history(session: Session, channel: Channel) -> None:
    order = make_order_row(session, channel, ordered_at=NOW - timedelta(days=90))
    make_message(session, channel, orders=(order,))


def a_mail_to_somebody_suppressed(session: Session, channel: Channel) -> None:
    message = make_message(
        session, channel, state=S.SENT, sent_at=NOW, captured=False, recipient_hash="h1"
    )
    moved(session, message, S.SENDING, S.SENT)
    earlier = NOW - timedelta(days=1)
    session.add(Suppression(address_hash="h1", reason="staff", by="t", at=earlier))


def a_counting_order_without_a_number(session: Session, channel: Channel) -> None:
    customer = make_customer(session)
    order = make_order_row(session, channel, customer)
    standing(session, order.id, customer.id, None)


def two_orders_with_one_number(session: Session, channel: Channel) -> None:
    customer = make_customer(session)
    for _ in range(2):
        order = make_order_row(session, channel, customer)
        standing(session, order.id, customer.id, 1)


def a_move_without_an_event(session: Session, channel: Channel) -> None:
    make_message(session, channel, state=S.IN_REVIEW)


def an_amazon_customer(session: Session, _channel: Channel) -> None:
    amazon = make_channel(session, "amazon:jp")
    make_order_row(session, amazon, make_customer(session))


PLANTED: list[tuple[str, Callable[[Session, Channel], None]]] = [
    ("P1", a_lost_raw),
    ("P3", a_mail_sent_twice),
    ("P3", a_mail_stuck_in_sending),
    ("P4", an_occasion_whose_mail_is_missing),
    ("P4", an_expired_mail_left_waiting),
    ("P5", an_approved_mail_that_was_changed),
    ("P6", a_mail_of_a_cancelled_order),
    ("P7", two_rewards_within_a_merged_person),
    ("P8", a_mail_about_history),
    ("P9", a_mail_to_somebody_suppressed),
    ("P11", a_counting_order_without_a_number),
    ("P11", two_orders_with_one_number),
    ("P12", a_move_without_an_event),
    ("P14", an_amazon_customer),
]


@pytest.mark.parametrize(("promise", "plant"), PLANTED, ids=lambda v: getattr(v, "__name__", v))
def test_a_planted_violation_is_found_and_nothing_else(
    engine: Engine, journal: Journal, promise: str, plant: Callable[[Session, Channel], None]
) -> None:
    with writing(engine) as session:
        plant(session, make_channel(session, active_from=NOW - timedelta(days=30)))

    (finding,) = found(engine, journal)

    assert finding.promise == promise
    assert finding.count == 1
    assert len(finding.examples) == 1


def test_a_mail_that_only_the_journal_saw_leave_is_found(engine: Engine, journal: Journal) -> None:
    with writing(engine) as session:
        message = make_message(session, make_channel(session))
        journal.sending(message.id, 1, "<m@x>", "here", NOW)
        journal.outcome(message.id, 1, "sent", NOW)

    (finding,) = found(engine, journal)

    assert (finding.promise, finding.examples) == ("P13", (message.id,))


def test_a_cancelled_order_that_is_about_to_be_planned_is_no_finding(
    engine: Engine, journal: Journal
) -> None:
    with writing(engine) as session:
        a_mail_of_a_cancelled_order(session, make_channel(session))
        session.execute(update(OrderRow).values(plan_due=True))

    assert found(engine, journal) == []
