"""The sweep: what a dead worker left is settled by the journal or by a person, never sent again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.factories import NOW
from tests.pipeline.desk import Desk, desk
from worker.pipeline.dispatch import reconcile_journal, sweep
from worker.rules.states import MessageState
from worker.store.engine import writing
from worker.store.messages import MessageBody

S = MessageState

__all__ = ["desk"]


class Killed(BaseException):
    """The worker ends here, as by kill -9: nothing after this line runs."""


def killed_at(desk: Desk, point: str) -> str:
    """One approved mail whose worker died at ``point``."""
    message_id = desk.approve()

    def die(reached: str, _message: str) -> None:
        if reached == point:
            raise Killed

    with pytest.raises(Killed):
        desk.dispatch(probe=die)
    return message_id


def test_a_worker_dead_before_sending_gives_its_mail_back(desk: Desk) -> None:
    message_id = killed_at(desk, "claimed")
    assert desk.dispatch().counts == {}
    desk.age(message_id, lease=1)
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).returned == [message_id]
    assert desk.dispatch().counts == {"sent": 1}


@pytest.mark.parametrize("point", ["sending_committed", "sending_journalled", "accepted"])
def test_a_worker_dead_around_the_hand_over_leaves_it_to_a_person(desk: Desk, point: str) -> None:
    message_id = killed_at(desk, point)
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).unconfirmed == []
    desk.age(message_id, sending=899, lease=1)
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).unconfirmed == []
    desk.age(message_id, sending=901, lease=1)
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).unconfirmed == [message_id]
    assert desk.read(message_id).state is S.UNCONFIRMED
    assert desk.dispatch(NOW + timedelta(days=1)).counts == {}
    assert len(desk.wire.mails) == (1 if point == "accepted" else 0)


def test_a_living_lease_protects_a_slow_hand_over(desk: Desk) -> None:
    message_id = killed_at(desk, "sending_journalled")
    desk.age(message_id, sending=5000)
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).unconfirmed == []
    assert desk.read(message_id).state is S.SENDING


def test_the_journal_settles_what_the_database_did_not_hear_of(desk: Desk) -> None:
    message_id = killed_at(desk, "outcome_journalled")
    assert desk.read(message_id).state is S.SENDING
    assert reconcile_journal(desk.engine, desk.journal, NOW).sent == [message_id]
    message = desk.read(message_id)
    assert (message.state, message.captured, message.lease_owner) == (S.SENT, False, "")
    assert message.sent_at is not None
    assert desk.moves(message_id) == ["approve", "send", "sent"]
    assert desk.dispatch(NOW + timedelta(days=1)).counts == {}
    assert len(desk.wire.mails) == 1


def test_an_unconfirmed_mail_is_settled_when_the_journal_knows(desk: Desk) -> None:
    message_id = killed_at(desk, "outcome_journalled")
    desk.change(message_id, state=S.UNCONFIRMED)
    assert reconcile_journal(desk.engine, desk.journal, NOW).sent == [message_id]
    assert desk.read(message_id).state is S.SENT


def test_the_sweep_asks_the_journal_only_about_hand_overs_that_take_long(desk: Desk) -> None:
    message_id = killed_at(desk, "outcome_journalled")
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).sent == []
    desk.age(message_id, sending=61)
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).sent == [message_id]


def test_an_older_attempts_outcome_does_not_settle_a_later_attempt(desk: Desk) -> None:
    message_id = killed_at(desk, "sending_committed")
    desk.journal.sending(message_id, 1, "<x@hinata.example>", "test", NOW)
    desk.journal.outcome(message_id, 1, "retry_wait", NOW)
    desk.change(message_id, attempts=2)
    desk.age(message_id, sending=901, lease=1)
    swept = sweep(desk.engine, desk.ctx, desk.journal, NOW)
    assert (swept.retry, swept.unconfirmed) == ([], [message_id])


def test_a_refusal_in_the_journal_is_no_doubt(desk: Desk) -> None:
    retried, failed = (killed_at(desk, "sending_journalled") for _ in range(2))
    desk.journal.outcome(retried, 1, "retry_wait", NOW)
    desk.journal.outcome(failed, 1, "failed", NOW)
    for message_id in (retried, failed):
        desk.age(message_id, sending=61)
    swept = sweep(desk.engine, desk.ctx, desk.journal, NOW)
    assert (swept.retry, swept.failed, swept.unconfirmed) == ([retried], [failed], [])
    assert desk.read(retried).next_attempt_at == NOW + timedelta(minutes=5)


def test_an_answer_that_comes_after_the_sweep_wins(desk: Desk) -> None:
    message_id = desk.approve()

    def slow(point: str, _message: str) -> None:
        if point == "accepted":
            desk.age(message_id, sending=901, lease=1)
            assert sweep(desk.engine, desk.ctx, desk.journal, NOW).unconfirmed == [message_id]

    desk.dispatch(probe=slow)
    assert desk.read(message_id).state is S.SENT
    assert desk.moves(message_id) == ["approve", "send", "unsure", "was_sent"]


@pytest.mark.parametrize(
    "state", [S.SCHEDULED, S.IN_REVIEW, S.ON_HOLD, S.SENT_BACK, S.APPROVED, S.HANDOFF]
)
def test_what_became_useless_expires_wherever_it_waits(desk: Desk, state: Any) -> None:
    message_id = desk.approve(expires_at=NOW)
    desk.change(message_id, state=state)
    kept = desk.approve(expires_at=NOW + timedelta(seconds=1))
    assert sweep(desk.engine, desk.ctx, desk.journal, NOW).expired == [message_id]
    assert desk.read(message_id).state is S.EXPIRED
    assert desk.read(kept).state is S.APPROVED


def test_sweeping_twice_changes_nothing_more(desk: Desk) -> None:
    message_id = killed_at(desk, "sending_journalled")
    desk.age(message_id, sending=901, lease=1)
    sweep(desk.engine, desk.ctx, desk.journal, NOW)
    again = sweep(desk.engine, desk.ctx, desk.journal, NOW)
    assert (again.unconfirmed, again.sent, again.expired, again.returned) == ([], [], [], [])
    assert desk.moves(message_id) == ["approve", "send", "unsure"]


def test_a_body_purged_meanwhile_is_not_sent(desk: Desk) -> None:
    message_id = desk.approve()
    with writing(desk.engine) as session:
        session.delete(session.get_one(MessageBody, message_id))
    assert desk.dispatch().counts == {"moved": 1}
    assert (desk.wire.mails, desk.read(message_id).state) == ([], S.IN_REVIEW)
