"""Dispatch: what is approved leaves once and exactly so, and nothing else leaves."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from tests.documents import shop
from tests.factories import NOW, make_channel
from tests.pipeline.approved import Facts, Wire, changed, shop_context, unchanged
from tests.pipeline.desk import Desk, desk
from worker.mail.journal import Journal, JournalUnwritable
from worker.pipeline.dispatch import DispatchResult, NotDurable, Transports
from worker.pipeline.instance import set_mode
from worker.pipeline.review import hold_words
from worker.pipeline.stops import stop
from worker.rules.states import ConsentAction, MailKind, MessageState, RunMode
from worker.store.customers import Consent, Suppression
from worker.store.engine import open_engine, reading, writing
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.running import Stop

S = MessageState

__all__ = ["desk"]


def test_an_approved_mail_leaves_once_and_exactly_as_approved(desk: Desk) -> None:
    message_id = desk.approve(
        recipient="hanako@mail.example", body={"subject": "お礼 ①", "text": "髙橋様\n本文\n"}
    )
    assert desk.dispatch().counts == {"sent": 1}
    assert desk.dispatch().counts == {}
    (mail,) = desk.wire.mails
    parsed = message_from_bytes(mail.data, policy=policy.default)
    assert (parsed["Subject"], parsed["To"]) == ("お礼 ①", "hanako@mail.example")
    assert parsed.get_content() == "髙橋様\r\n本文\r\n"
    assert (mail.envelope_from, mail.envelope_to) == ("shop@hinata.example", "hanako@mail.example")
    message = desk.read(message_id)
    assert (message.state, message.captured, message.attempts) == (S.SENT, False, 1)
    assert (message.sent_at, message.lease_owner, message.last_reply) == (NOW, "", "250 taken")
    assert message.mail_id == mail.message_id == parsed["Message-ID"]
    assert desk.moves(message_id) == ["approve", "send", "sent"]
    assert [(e.event, e.message_ref) for e in desk.journal.entries()] == [
        ("sending", message_id),
        ("sent", message_id),
    ]


def test_html_leaves_byte_for_byte(desk: Desk) -> None:
    desk.approve(body={"html": "<p>本文 &amp; 続き</p>\n"})
    desk.dispatch()
    html = base64.b64encode("<p>本文 &amp; 続き</p>\r\n".encode())
    assert html in desk.wire.mails[0].data.replace(b"\r\n", b"")


def test_nothing_leaves_before_it_is_due_or_can_be_undone(desk: Desk) -> None:
    later = desk.approve(due_at=NOW + timedelta(seconds=1))
    undoable = desk.approve()
    desk.change(undoable, undo_until=NOW + timedelta(seconds=1))
    waiting = desk.approve(state=S.IN_REVIEW)
    desk.change(waiting, state=S.IN_REVIEW)
    late = desk.approve(expires_at=NOW)
    assert desk.dispatch().counts == {}
    assert [desk.read(m).state for m in (later, undoable, waiting, late)] == [
        S.APPROVED,
        S.APPROVED,
        S.IN_REVIEW,
        S.APPROVED,
    ]
    assert desk.dispatch(NOW + timedelta(seconds=1)).counts == {"sent": 2}


def test_words_changed_after_approval_do_not_leave(desk: Desk) -> None:
    message_id = desk.approve()
    with writing(desk.engine) as session:
        session.get_one(MessageBody, message_id).text = "別の本文"
    assert desk.dispatch().counts == {"moved": 1}
    assert desk.wire.mails == []
    message = desk.read(message_id)
    assert (message.state, message.approved_hash) == (S.IN_REVIEW, "")
    assert message.flags == [{"flag": "facts_changed", "fact": "content_changed"}]
    with reading(desk.engine) as session:
        assert session.get_one(MessageBody, message_id).approved["text"].startswith("山田様")


@pytest.mark.parametrize("part", ["sender", "recipient", "subject", "text", "html"])
def test_an_approval_binds_every_part(desk: Desk, part: str) -> None:
    message_id = desk.approve()
    with writing(desk.engine) as session:
        setattr(session.get_one(MessageBody, message_id), part, "other@hinata.example")
    desk.dispatch()
    assert (desk.wire.mails, desk.read(message_id).state) == ([], S.IN_REVIEW)


def test_changed_facts_take_the_approval_back(desk: Desk) -> None:
    message_id = desk.approve()
    assert desk.dispatch(recheck=changed("order_total")).counts == {"moved": 1}
    assert (desk.wire.mails, desk.read(message_id).state) == ([], S.IN_REVIEW)
    with reading(desk.engine) as session:
        event = session.scalars(select(MessageEvent).order_by(MessageEvent.id.desc())).first()
        assert event is not None
        assert event.reason == {"code": "facts_changed", "changed": ["order_total"]}


def test_a_mail_that_nothing_carries_any_more_is_cancelled(desk: Desk) -> None:
    message_id = desk.approve()
    assert desk.dispatch(recheck=changed("occasion", "order_total")).counts == {"moved": 1}
    assert (desk.wire.mails, desk.read(message_id).state) == ([], S.CANCELLED)
    assert desk.moves(message_id) == ["approve", "cancel"]


@pytest.mark.parametrize(
    ("code", "state"), [("no_consent", S.SUPPRESSED), ("no_address", S.ON_HOLD)]
)
def test_what_must_not_go_by_a_fresh_look_does_not_go(
    desk: Desk, code: str, state: MessageState
) -> None:
    message_id = desk.approve()
    desk.dispatch(recheck=lambda *_: Facts(code=code))
    assert (desk.wire.mails, desk.read(message_id).state) == ([], state)


def test_a_pressed_switch_stops_what_is_approved_afterwards_too(desk: Desk) -> None:
    with writing(desk.engine) as session:
        stop(session, desk.ctx, by="owner", now=NOW, kind=MailKind.ORDER_THANKS)
    message_id = desk.approve()
    desk.dispatch()
    message = desk.read(message_id)
    assert (desk.wire.mails, message.state, message.hold_reason) == ([], S.ON_HOLD, "stopped")


def test_a_suppressed_address_gets_nothing(desk: Desk) -> None:
    message_id = desk.approve()
    address = desk.read(message_id).recipient_hash
    desk.add(Suppression(address_hash=address, reason="complaint", by="owner", at=NOW))
    desk.dispatch()
    assert (desk.wire.mails, desk.read(message_id).state) == ([], S.SUPPRESSED)


def test_what_policy_forbids_is_suppressed_and_what_is_unverified_holds(desk: Desk) -> None:
    with writing(desk.engine) as session:
        amazon = make_channel(session, "amazon:main").id
        rakuten = make_channel(session, "rakuten:main").id
    unknown = desk.approve(channel_id=amazon)
    relay = desk.approve(channel_id=rakuten)
    ad = desk.approve(channel_id=rakuten, advertising=True)
    desk.dispatch()
    assert desk.wire.mails == []
    assert [desk.read(m).state for m in (unknown, relay, ad)] == [
        S.ON_HOLD,
        S.ON_HOLD,
        S.SUPPRESSED,
    ]
    assert [desk.read(m).hold_reason for m in (unknown, relay)] == ["policy_hold", "relay_missing"]


def test_a_relay_channel_never_leaves_by_the_shops_own_server(desk: Desk) -> None:
    with writing(desk.engine) as session:
        rakuten = make_channel(session, "rakuten:main").id
    desk.ctx = shop_context(shop=shop(relays=("rakuten:main",)))
    lost = desk.approve(channel_id=rakuten)
    desk.dispatch()
    assert (desk.wire.mails, desk.read(lost).hold_reason) == ([], "no_transport")
    relay = Wire("relay")
    desk.transports = Transports(desk.outbox, desk.wire, {"rakuten:main": relay})
    sent = desk.approve(channel_id=rakuten)
    desk.dispatch()
    assert desk.read(sent).state is S.SENT
    assert (desk.wire.mails, [mail.message_ref for mail in relay.mails]) == ([], [sent])


def _consent(desk: Desk, message_id: str, action: ConsentAction, at: datetime) -> Consent:
    return Consent(
        channel_id=desk.channel_id,
        address_hash=desk.read(message_id).recipient_hash,
        action=action,
        method="import",
        occurred_at=at,
        recorded_at=at,
    )


def test_consent_withdrawn_between_approval_and_claim_stops_the_mail(desk: Desk) -> None:
    message_id = desk.approve(kind=MailKind.WIN_BACK)
    desk.add(_consent(desk, message_id, ConsentAction.GRANTED, NOW - timedelta(days=9)))
    desk.add(_consent(desk, message_id, ConsentAction.WITHDRAWN, NOW - timedelta(minutes=9)))
    desk.dispatch()
    assert (desk.wire.mails, desk.read(message_id).state) == ([], S.SUPPRESSED)


def test_advertising_with_consent_is_captured_but_never_given_to_smtp(desk: Desk) -> None:
    first = desk.approve(kind=MailKind.WIN_BACK)
    desk.add(_consent(desk, first, ConsentAction.GRANTED, NOW - timedelta(days=9)))
    desk.dispatch()
    message = desk.read(first)
    assert (desk.wire.mails, message.hold_reason) == ([], "advertising_only_captured")
    with writing(desk.engine) as session:
        set_mode(session, RunMode.CAPTURE, by="owner", now=NOW)
    second = desk.approve(kind=MailKind.WIN_BACK)
    desk.add(_consent(desk, second, ConsentAction.GRANTED, NOW - timedelta(days=9)))
    assert desk.dispatch().counts == {"captured": 1}
    assert desk.read(second).captured is True
    assert b"List-Unsubscribe: <mailto:shop@hinata.example" in desk.outbox.mails[0].data


def test_every_hold_has_words() -> None:
    assert hold_words("no_transport", "en") == "No way of sending is configured for this channel."
    assert hold_words("電話で確認", "en") == "電話で確認"
    assert hold_words("stopped", "ja") == "送信停止により保留しました。"


def test_capture_mode_sends_nothing_into_the_world(desk: Desk) -> None:
    with writing(desk.engine) as session:
        set_mode(session, RunMode.CAPTURE, by="owner", now=NOW)
    message_id = desk.approve()
    assert desk.dispatch().counts == {"captured": 1}
    assert (desk.wire.mails, len(desk.outbox.mails)) == ([], 1)
    assert (desk.read(message_id).state, desk.read(message_id).captured) == (S.SENT, True)


def test_a_text_that_no_header_may_carry_holds_and_stops_nobody_else(desk: Desk) -> None:
    bad = desk.approve(body={"subject": "お礼\r\nBcc: all@mail.example"})
    good = desk.approve()
    assert desk.dispatch().counts == {"moved": 1, "sent": 1}
    assert (desk.read(bad).hold_reason, desk.read(good).state) == ("not_composable", S.SENT)


def test_a_mail_that_cannot_be_judged_holds_and_stops_nobody_else(desk: Desk) -> None:
    bad, good = desk.approve(), desk.approve()

    def look(session: Any, ctx: Any, message_id: str, now: datetime) -> Any:
        if message_id == bad:
            raise KeyError("gone")
        return unchanged(session, ctx, message_id, now)

    assert desk.dispatch(recheck=look).counts == {"moved": 1, "sent": 1}
    assert (desk.read(bad).hold_reason, desk.read(good).state) == ("check_failed", S.SENT)


def test_the_outcome_is_committed_before_the_server_hears_another_word(desk: Desk) -> None:
    message_id = desk.approve()
    seen = []

    class Asking(Wire):
        def send(self, mail: Any, on_accepted: Any = None) -> Any:
            seen.append(desk.read(message_id).state)
            taken = super().send(mail, on_accepted)
            seen.append(desk.read(message_id).state)
            return taken

    desk.transports = Transports(capture=desk.outbox, default=Asking())
    desk.dispatch()
    assert seen == [S.SENDING, S.SENT]


def test_sending_is_committed_and_journalled_before_the_first_byte(desk: Desk) -> None:
    message_id = desk.approve()
    points: list[tuple[str, MessageState, list[str], int]] = []

    def probe(point: str, _message: str) -> None:
        events = [entry.event for entry in desk.journal.entries()]
        points.append((point, desk.read(message_id).state, events, len(desk.wire.mails)))

    desk.dispatch(probe=probe)
    assert points == [
        ("claimed", S.APPROVED, [], 0),
        ("sending_committed", S.SENDING, [], 0),
        ("sending_journalled", S.SENDING, ["sending"], 0),
        ("accepted", S.SENDING, ["sending"], 1),
        ("outcome_journalled", S.SENDING, ["sending", "sent"], 1),
        ("done", S.SENT, ["sending", "sent"], 1),
    ]


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


def test_a_switch_pressed_after_the_claim_still_recalls(desk: Desk) -> None:
    def press(_: str) -> None:
        with writing(desk.engine) as session:
            stop(session, desk.ctx, by="owner", now=NOW)

    message_id = _between_claim_and_sending(desk, press)
    assert desk.read(message_id).state is S.ON_HOLD


def test_a_switch_alone_keeps_from_sending_even_what_it_did_not_recall(desk: Desk) -> None:
    switch = Stop(by="owner", at=NOW)
    message_id = _between_claim_and_sending(desk, lambda _: desk.add(switch))
    assert desk.read(message_id).state is S.APPROVED


def test_a_suppression_after_the_claim_is_seen(desk: Desk) -> None:
    def suppress(message_id: str) -> None:
        address = desk.read(message_id).recipient_hash
        desk.add(Suppression(address_hash=address, reason="complaint", by="owner", at=NOW))

    assert desk.read(_between_claim_and_sending(desk, suppress)).state is S.APPROVED


def test_any_change_after_the_claim_is_seen(desk: Desk) -> None:
    _between_claim_and_sending(desk, lambda m: desk.change(m, hold_reason="touched"))


def test_a_worker_that_slept_over_its_lease_sends_nothing(desk: Desk) -> None:
    def sleep_long(message_id: str) -> None:
        with writing(desk.engine) as session:
            session.execute(
                sa.update(Message)
                .where(Message.id == message_id)
                .values(lease_until=datetime(2020, 1, 1, tzinfo=NOW.tzinfo))
            )

    assert desk.read(_between_claim_and_sending(desk, sleep_long)).state is S.APPROVED


def test_the_same_task_twice_at_once_sends_once(desk: Desk) -> None:
    desk.approve()
    inner: list[DispatchResult] = []

    def again(point: str, _message: str) -> None:
        if not inner:
            inner.append(desk.dispatch())

    assert desk.dispatch(probe=again).counts == {"sent": 1}
    assert inner[0].counts == {}
    assert len(desk.wire.mails) == 1


def test_an_engine_that_could_forget_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    desk = Desk(engine, tmp_path / "data")
    with pytest.raises(NotDurable):
        desk.dispatch()
    engine.dispose()


def test_a_limited_lane_leaves_its_mails_for_later(desk: Desk) -> None:
    class Slow:
        asked: list[str]

        def __init__(self) -> None:
            self.asked = []

        def wait(self, lane: str) -> float:
            self.asked.append(lane)
            return 0.0 if len(self.asked) == 1 else 60.0

        def throttled(self, lane: str) -> None:
            """Not asked here."""

        def accepted(self, lane: str) -> None:
            """Fine."""

    for _ in range(3):
        desk.approve(recipient="x@docomo.ne.jp")
    slow = Slow()
    assert desk.dispatch(limiter=slow).counts == {"sent": 1, "postponed": 2}
    assert slow.asked == ["hinata.example>docomo"] * 3


def test_the_limit_is_kept_and_the_oldest_goes_first(desk: Desk) -> None:
    newer = [desk.approve() for _ in range(3)]
    older = desk.approve(due_at=NOW - timedelta(hours=5))
    assert desk.dispatch(limit=2).counts == {"sent": 2}
    assert desk.read(older).state is S.SENT
    assert [desk.read(m).state for m in newer].count(S.SENT) == 1
