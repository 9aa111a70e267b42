"""The steps of the first week: each is what the store says, and nobody ticks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import make_channel, make_order_row
from tests.pipeline.planning import MONDAY, a_person, a_visit, agree, ctx, shipped
from worker.pipeline.context import Context
from worker.pipeline.first_week import (
    TableChanged,
    confirm_senders,
    consent_step,
    first_week,
    live_step,
    past_step,
    rehearsal_step,
    senders_step,
    shop_step,
    states_of,
)
from worker.pipeline.rehearsal_hub import tell_hub_mails
from worker.rules.states import (
    Certainty,
    ConsentAction,
    MailKind,
    QuarantineState,
    RunMode,
    Sender,
)
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Consent, CustomerStanding
from worker.store.orders import Quarantine
from worker.store.running import Audit, Instance

NOW = MONDAY + timedelta(days=8)


@pytest.fixture
def shop(session: Session) -> Channel:
    """An own shop without orders."""
    return make_channel(session, "own:main", last_success_at=NOW)


def stand(session: Session, visits: int, certainty: Certainty = Certainty.PROVED) -> int:
    """A person who reached so many visits in the own shops."""
    person = a_person(session)
    for scope in ("*", "own"):
        session.add(
            CustomerStanding(
                customer_id=person.id, scope=scope, rank="repeat", count=visits, visits=visits,
                net_spend=0, last_order_at=MONDAY, certainty=certainty,
            )
        )  # fmt: skip
    session.flush()
    return person.id


def say(
    session: Session, channel: Channel, customer_id: int, action: ConsentAction, day: int
) -> None:
    at = MONDAY + timedelta(days=day)
    session.add(
        Consent(
            channel_id=channel.id, customer_id=customer_id, address_hash=f"h{customer_id}",
            action=action, method="import", occurred_at=at, recorded_at=at,
        )
    )  # fmt: skip
    session.flush()


def test_an_empty_store_has_nothing_done_but_the_shop(session: Session) -> None:
    states = first_week(session, ctx(), NOW).states
    assert [name for name, done in states.items() if done] == ["shop"]
    assert states_of(session, ctx(), NOW) == states


@pytest.mark.parametrize("field", ["staff_name", "legal_name", "postal_address", "phone"])
def test_a_footer_with_a_gap_is_not_done(session: Session, field: str) -> None:
    contact = replace(shipped().shop.contact, **{field: ""})
    step = shop_step(session, ctx(shop=replace(shipped().shop, contact=contact)))
    assert (step.missing, step.done) == ((field,), False)


def test_a_sample_shop_is_not_ones_own(session: Session) -> None:
    using = Context(replace(shipped(), release="sample:1"), ctx().texts, b"k" * 32)
    assert shop_step(session, using).done is False


def test_a_channel_okaeri_sends_for_needs_a_sender(session: Session, shop: Channel) -> None:
    blank = replace(shipped().shop, contact=replace(shipped().shop.contact, sender=""))
    assert shop_step(session, ctx(shop=blank)).senderless == ("own:main",)


def test_consent_is_told_as_it_is(session: Session, shop: Channel) -> None:
    people = [stand(session, visits) for visits in (1, 5, 6, 9, 10)]
    say(session, shop, people[1], ConsentAction.GRANTED, 0)
    say(session, shop, people[2], ConsentAction.GRANTED, 0)
    say(session, shop, people[2], ConsentAction.WITHDRAWN, 1)
    say(session, shop, people[4], ConsentAction.WITHDRAWN, 0)
    say(session, shop, people[4], ConsentAction.IMPORTED, 1)
    step = consent_step(session, ctx())
    assert (step.everybody.reached, step.everybody.agreed) == (5, 2)
    told = [(one.number, one.reached, one.agreed) for one in step.milestones]
    assert told == [(5, 4, 2), (10, 1, 1)]


def test_consent_on_a_marketplace_is_none_for_the_own_shop(session: Session) -> None:
    mall = make_channel(session, "rakuten:main")
    say(session, mall, stand(session, 5), ConsentAction.GRANTED, 0)
    assert consent_step(session, ctx()).milestones[0].agreed == 0


def test_consent_of_an_address_nobody_ordered_with_counts_for_nobody(
    session: Session, shop: Channel
) -> None:
    stand(session, 5)
    agree(session, shop, "stranger@mail.example")
    assert consent_step(session, ctx()).everybody.agreed == 0


def test_the_past_says_what_stays_uncertain(session: Session, shop: Channel) -> None:
    for certainty in (Certainty.PROVED, Certainty.PROVED, Certainty.UNCERTAIN):
        stand(session, 2, certainty)
    make_order_row(session, shop, None, MONDAY)
    step = past_step(session)
    assert (step.past.customers, step.uncertain, step.done) == (3, 1, True)
    session.add(
        Quarantine(
            channel_id=shop.id, external_id="x", sha256="0", code="bad", reason="bad",
            state=QuarantineState.OPEN, created_at=NOW,
        )
    )  # fmt: skip
    session.flush()
    assert past_step(session).done is False
    assert states_of(session, ctx(), NOW)["past"] is False


def test_a_confirmed_table_lapses_when_it_changes(session: Session, shop: Channel) -> None:
    confirm_senders(session, ctx(), senders_step(session, ctx()).key, by="管", now=NOW)
    step = senders_step(session, ctx())
    assert (step.done, step.by, step.at) == (True, "管", NOW)
    own = {**shipped().senders.families["own"], MailKind.FOLLOW_UP: Sender.HUB}
    families = {**shipped().senders.families, "own": own}
    other = ctx(senders=replace(shipped().senders, families=families))
    assert senders_step(session, other).done is False


def test_another_table_than_the_one_shown_is_not_confirmed(session: Session, shop: Channel) -> None:
    with pytest.raises(TableChanged):
        confirm_senders(session, ctx(), "another", by="管", now=NOW)
    assert session.scalar(select(func.count()).select_from(Audit)) == 0


def test_a_week_of_days_beside_makes_the_rehearsal_done(session: Session) -> None:
    mall = make_channel(session, "rakuten:main", last_success_at=NOW)
    numbers = []
    for day in range(7):
        at = MONDAY + timedelta(days=day)
        numbers.append(a_visit(session, mall, a_person(session), 1, at).number)
    tell_hub_mails(session, mall, MailKind.ORDER_THANKS, [*numbers[:6], "X"], by="x", now=NOW)
    step = rehearsal_step(session, ctx())
    assert (step.needed, step.days, step.done) == (True, 6, False)
    tell_hub_mails(session, mall, MailKind.ORDER_THANKS, numbers[6:], by="x", now=NOW)
    assert rehearsal_step(session, ctx()).done is True


def test_live_is_done_when_mails_leave_and_all_that_is_ours_has_begun(
    session: Session, shop: Channel
) -> None:
    session.add(Instance(instance_id="x", mode=RunMode.LIVE))
    ours = live_step(session, ctx())
    kinds = [one.kind for one in ours.lines]
    assert kinds == [
        MailKind.ORDER_THANKS, MailKind.FOLLOW_UP, MailKind.MILESTONE, MailKind.WIN_BACK,
    ]  # fmt: skip
    for kind in kinds:
        assert live_step(session, ctx()).done is False
        session.add(ChannelKind(channel_id=shop.id, kind=kind, active_from=NOW, by="x"))
        session.flush()
    assert live_step(session, ctx()).done is True
    session.get_one(Instance, 1).locked_reason = "journal_ahead"
    assert live_step(session, ctx()).done is False
    session.get_one(Instance, 1).locked_reason = ""
    session.get_one(Instance, 1).mode = RunMode.CAPTURE
    assert live_step(session, ctx()).done is False
