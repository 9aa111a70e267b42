"""What dispatch makes of every way a hand-over can fail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.factories import NOW
from tests.pipeline.desk import Desk, desk
from worker.mail.journal import Journal, JournalUnwritable
from worker.mail.transport import Paused, Permanent, Scope, Temporary, Unknown
from worker.pipeline.dispatch_outcome import RETRY_AFTER, next_attempt
from worker.rules.states import ConsentAction, MessageState
from worker.store.customers import Consent

S = MessageState

__all__ = ["desk"]


def _consent(desk: Desk, message_id: str, action: ConsentAction, at: datetime) -> Consent:
    return Consent(
        channel_id=desk.channel_id,
        address_hash=desk.read(message_id).recipient_hash,
        action=action,
        method="import",
        occurred_at=at,
        recorded_at=at,
    )


class FullDisk(Journal):
    """A journal on a disk that takes nothing more."""

    def sending(self, *_: Any, **__: Any) -> int:
        """Refuse."""
        raise JournalUnwritable(28, "sent.log cannot be written: No space left on device")


def _between_claim_and_sending(desk: Desk, act: Callable[[str], None]) -> str:
    """Do something after the claim's checks and before ``sending``."""
    message_id = desk.approve()
    desk.dispatch(limit=1, probe=lambda point, m: act(m) if point == "claimed" else None)
    assert desk.wire.mails == []
    assert list(desk.journal.entries()) == []
    return message_id


def test_a_temporary_failure_waits_and_tries_again_with_the_same_bytes(desk: Desk) -> None:
    message_id = desk.approve()
    desk.wire.answers = [Temporary("RCPT: 450 busy", code=450, scope=Scope.MAILBOX)]
    assert desk.dispatch().counts == {"retry_wait": 1}
    first = desk.read(message_id)
    assert (first.state, first.next_attempt_at) == (S.RETRY_WAIT, NOW + timedelta(minutes=5))
    assert desk.dispatch(NOW + timedelta(minutes=4)).counts == {}
    assert desk.dispatch(NOW + timedelta(minutes=5)).counts == {"sent": 1}
    assert desk.read(message_id).mail_id == first.mail_id == desk.wire.mails[0].message_id
    assert desk.moves(message_id) == ["approve", "send", "retry", "send", "sent"]


def test_failures_end_after_two_days(desk: Desk) -> None:
    message_id = desk.approve(expires_at=None)
    now, waits = NOW, []
    while desk.read(message_id).state is not S.FAILED:
        desk.wire.answers = [Temporary("451 later", code=451)]
        desk.dispatch(now)
        message = desk.read(message_id)
        if message.next_attempt_at is not None and message.state is S.RETRY_WAIT:
            waits.append(message.next_attempt_at - now)
            now = message.next_attempt_at
    assert tuple(waits) == RETRY_AFTER
    assert desk.read(message_id).attempts == 8
    assert desk.read(message_id).last_reply == "given up after 8 attempts: 451 later"


def test_a_server_that_asks_for_patience_gets_it() -> None:
    fast = Temporary("450 4.7.28 too fast", code=450, scope=Scope.RATE)
    assert next_attempt(1, NOW, NOW, fast) == NOW + timedelta(minutes=30)
    fast.retry_after = 7200
    assert next_attempt(1, NOW, NOW, fast) == NOW + timedelta(hours=2)
    fast.retry_after = 200_000
    assert next_attempt(1, NOW, NOW, fast) is None


def test_a_permanent_failure_ends_it(desk: Desk) -> None:
    message_id = desk.approve()
    desk.wire.answers = [Permanent("RCPT: 550 5.1.1 no such user", code=550, scope=Scope.ADDRESS)]
    assert desk.dispatch().counts == {"failed": 1}
    assert desk.dispatch(NOW + timedelta(days=1)).counts == {}
    assert (desk.read(message_id).state, desk.wire.mails) == (S.FAILED, [])


def test_a_line_broken_after_the_final_dot_waits_for_a_person(desk: Desk) -> None:
    message_id = desk.approve()
    desk.wire.answers = [Unknown("the line broke after the final dot")]
    assert desk.dispatch().counts == {"unconfirmed": 1}
    assert desk.dispatch(NOW + timedelta(days=1)).counts == {}
    assert (desk.read(message_id).state, desk.wire.mails) == (S.UNCONFIRMED, [])


@pytest.mark.parametrize(
    "error",
    [
        Temporary("smtp.example cannot be reached: TimeoutError"),
        Temporary("535 wrong password", code=535, scope=Scope.SENDER, stop_lane=True),
        Paused("the transport stands still"),
    ],
)
def test_a_dead_way_out_is_tried_once_in_a_run_and_loses_nothing(
    desk: Desk, error: Exception
) -> None:
    ids = [desk.approve() for _ in range(3)]
    desk.wire.answers = [error]
    result = desk.dispatch()
    assert result.counts == {"retry_wait": 1, "postponed": 2}
    assert result.problems == [f"wire: {error}"]
    assert [desk.read(m).state for m in ids] == [S.RETRY_WAIT, S.APPROVED, S.APPROVED]
    assert desk.wire.mails == []


def test_without_a_journal_nothing_is_sent_and_the_reason_is_clear(desk: Desk) -> None:
    ids = [desk.approve(), desk.approve()]
    healthy, desk.journal = desk.journal, FullDisk(desk.folder / "journal" / "sent.log")
    with pytest.raises(JournalUnwritable, match="No space left on device"):
        desk.dispatch()
    assert desk.wire.mails == []
    assert [desk.read(m).state for m in ids] == [S.RETRY_WAIT, S.APPROVED]
    assert desk.read(ids[0]).attempts == 0
    desk.journal = healthy
    for message_id in ids:
        desk.change(message_id, lease_owner="", lease_until=None)
    assert desk.dispatch(NOW + timedelta(minutes=5)).counts == {"sent": 2}
