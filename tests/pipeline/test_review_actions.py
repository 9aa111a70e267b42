"""What staff do with one mail, and what the desk refuses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import NOW, make_channel
from tests.pipeline.approved import changed, unchanged, written
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import MoveRefused, Refused, StaleEdit, Words
from worker.pipeline.review_words import REFUSALS
from worker.rules.states import (
    ADVERTISING_KINDS,
    Actor,
    ConsentAction,
    MailKind,
    MessageState,
    moves_from,
)
from worker.store.channels import Channel
from worker.store.customers import Consent, Suppression
from worker.store.messages import CleanApproval, Handoff, Message, MessageBody, MessageEvent

S = MessageState
BY: dict[str, Any] = {"by": "hana", "now": NOW}


def events(session: Session, message: Message) -> list[tuple[str, str, str]]:
    """Move, state it led to, and who made it."""
    rows = session.scalars(
        select(MessageEvent).where(MessageEvent.message_id == message.id).order_by(MessageEvent.id)
    )
    return [(row.move, row.to_state.value, row.by) for row in rows]


def refused(code: str, act: Callable[[], Any]) -> Refused:
    """The desk refuses with this code."""
    with pytest.raises(Refused) as no:
        act()
    assert no.value.code == code
    return no.value


def test_approving_binds_the_content_and_opens_the_undo_window(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    version = message.version
    review.approve(session, ctx, message.id, **BY, version=version, recheck=unchanged)
    body = session.get_one(MessageBody, message.id)
    assert (message.state, message.approved_by, message.approved_at) == (S.APPROVED, "hana", NOW)
    assert message.approved_hash == review.content_hash(body)
    assert message.undo_until == NOW + timedelta(seconds=300)
    assert body.approved["text"] == body.text
    assert message.version == version + 1
    assert events(session, message) == [("approve", "approved", "hana")]


def test_a_stale_page_cannot_approve_what_was_not_read(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    read = message.version
    review.edit(session, ctx, message.id, Words(text="別の本文"), **BY)
    with pytest.raises(StaleEdit):
        review.approve(session, ctx, message.id, **BY, version=read)
    assert message.state is S.IN_REVIEW


def test_a_pressed_switch_refuses_approval(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    review.stop(session, ctx, **BY, channel_id=channel.id)
    refused("stopped", lambda: review.approve(session, ctx, message.id, **BY))
    assert (message.state, events(session, message)) == (S.IN_REVIEW, [])


@pytest.mark.parametrize("kind", sorted(ADVERTISING_KINDS))
def test_missing_consent_cannot_be_released_by_a_click(
    session: Session, channel: Channel, ctx: Context, kind: MailKind
) -> None:
    message = written(session, channel, kind=kind)
    refused("no_consent", lambda: review.approve(session, ctx, message.id, **BY))
    session.add(
        Consent(
            channel_id=channel.id,
            address_hash=message.recipient_hash,
            action=ConsentAction.IMPORTED,
            method="import",
            occurred_at=NOW,
            recorded_at=NOW,
        )
    )
    assert review.approve(session, ctx, message.id, **BY).state is S.APPROVED


def test_words_that_advertise_need_consent_whatever_the_kind(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel, advertising=True)
    refused("no_consent", lambda: review.approve(session, ctx, message.id, **BY))


def test_a_suppressed_customer_a_forbidding_mall_and_a_missing_relay_refuse(
    session: Session, channel: Channel, ctx: Context
) -> None:
    blocked = written(session, channel)
    session.add(
        Suppression(
            address_hash="other", customer_id=blocked.customer_id, reason="asked", by="x", at=NOW
        )
    )
    session.flush()
    refused("suppressed", lambda: review.approve(session, ctx, blocked.id, **BY))
    mall = make_channel(session, "rakuten:main")
    ad = written(session, mall, advertising=True)
    refused("forbidden", lambda: review.approve(session, ctx, ad.id, **BY))
    plain = written(session, mall)
    refused("relay_missing", lambda: review.approve(session, ctx, plain.id, **BY))
    unknown = written(session, make_channel(session, "qoo10:main"))
    refused("policy_hold", lambda: review.approve(session, ctx, unknown.id, **BY))


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("subject", "not_rendered"),
        ("text", "not_rendered"),
        ("recipient", "no_recipient"),
        ("sender", "no_sender"),
    ],
)
def test_an_incomplete_mail_is_not_approved(
    session: Session, channel: Channel, ctx: Context, part: str, code: str
) -> None:
    message = written(session, channel, body={part: " "})
    refused(code, lambda: review.approve(session, ctx, message.id, **BY))


def test_a_useless_mail_and_changed_facts_are_not_approved(
    session: Session, channel: Channel, ctx: Context
) -> None:
    late = written(session, channel, expires_at=NOW)
    refused("expired", lambda: review.approve(session, ctx, late.id, **BY))
    moved = written(session, channel)
    refused(
        "facts_changed",
        lambda: review.approve(session, ctx, moved.id, **BY, recheck=changed("total")),
    )


@pytest.mark.parametrize("state", sorted(set(S) - {S.IN_REVIEW}))
def test_only_what_is_in_review_can_be_approved(
    session: Session, channel: Channel, ctx: Context, state: MessageState
) -> None:
    message = written(session, channel, state=state)
    with pytest.raises(MoveRefused):
        review.approve(session, ctx, message.id, **BY)
    assert (message.state, message.approved_hash) == (state, "")


def test_an_unknown_message_is_not_found(session: Session, ctx: Context) -> None:
    no = refused("not_found", lambda: review.hold(session, ctx, "nobody", **BY))
    assert no.words("ja") == "このメールは見つかりません。"
    assert no.words("en") == "This mail does not exist."


def test_undo_works_within_its_window_only(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    review.approve(session, ctx, message.id, **BY)
    late: dict[str, Any] = {"by": "hana", "now": NOW + timedelta(seconds=300)}
    refused("undo_over", lambda: review.undo(session, ctx, message.id, **late))
    in_time: dict[str, Any] = {"by": "hana", "now": NOW + timedelta(seconds=299)}
    review.undo(session, ctx, message.id, **in_time)
    assert (message.state, message.approved_hash, message.undo_until) == (S.IN_REVIEW, "", None)


def test_hold_takes_the_approval_with_it_and_release_needs_reading_again(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    review.approve(session, ctx, message.id, **BY)
    review.hold(session, ctx, message.id, **BY, reason="電話で確認")
    assert (message.state, message.hold_reason) == (S.ON_HOLD, "電話で確認")
    assert message.approved_hash == ""
    review.release(session, ctx, message.id, **BY)
    assert (message.state, message.hold_reason) == (S.IN_REVIEW, "")
    assert [move for move, _, _ in events(session, message)] == ["approve", "hold", "release"]


def test_what_is_not_written_yet_cannot_be_released(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel, state=S.ON_HOLD, body={"text": ""})
    refused("not_rendered", lambda: review.release(session, ctx, message.id, **BY))


@pytest.mark.parametrize("act", [review.send_back, review.cancel])
def test_sending_back_and_cancelling_need_a_reason(
    session: Session, channel: Channel, ctx: Context, act: Any
) -> None:
    message = written(session, channel)
    refused("reason_required", lambda: act(session, ctx, message.id, **BY, reason="  "))
    act(session, ctx, message.id, **BY, reason=" 敬称が違う ")
    event = session.scalars(select(MessageEvent)).one()
    assert event.reason == {"words": "敬称が違う"}


def test_an_unconfirmed_mail_is_settled_three_ways(
    session: Session, channel: Channel, ctx: Context
) -> None:
    sent, lost, given_up = (
        written(session, channel, state=S.UNCONFIRMED, attempts=1, sending_since=NOW)
        for _ in range(3)
    )

    def settle(message: Message, how: str, **more: Any) -> Message:
        return review.resolve_unconfirmed(session, ctx, message.id, how=how, **BY, **more)

    refused("reason_required", lambda: settle(sent, "was_sent"))
    settle(sent, "was_sent", evidence="お客様から返信")
    settle(lost, "was_not_sent")
    settle(given_up, "abandon")
    assert [m.state for m in (sent, lost, given_up)] == [S.SENT, S.IN_REVIEW, S.CANCELLED]
    assert (sent.generation, sent.sent_at) == (1, NOW)
    assert (lost.generation, lost.attempts, lost.approved_hash) == (2, 0, "")
    with pytest.raises(MoveRefused):
        settle(sent, "was_not_sent")


def test_a_handoff_is_ticked_with_its_day_and_number(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel, state=S.HANDOFF)
    day = date(2026, 11, 20)
    refused(
        "count_negative",
        lambda: review.hand_off_done(session, ctx, message.id, **BY, done_on=day, count=-1),
    )
    ahead = day + timedelta(days=400)
    refused(
        "day_ahead",
        lambda: review.hand_off_done(session, ctx, message.id, **BY, done_on=ahead, count=1),
    )
    review.hand_off_done(session, ctx, message.id, **BY, done_on=day, count=120)
    tick = session.get_one(Handoff, message.id)
    assert (tick.done_on, tick.done_count, tick.done_by) == (day, 120, "hana")
    assert message.state is S.HANDED_OFF


def test_clean_approvals_count_towards_trust_and_edited_ones_do_not(
    session: Session, channel: Channel, ctx: Context
) -> None:
    clean, undone, edited = (written(session, channel) for _ in range(3))
    review.approve(session, ctx, clean.id, **BY)
    review.approve(session, ctx, undone.id, **BY)
    review.undo(session, ctx, undone.id, **BY)
    review.edit(session, ctx, edited.id, Words(text="x"), **BY)
    review.approve(session, ctx, edited.id, **BY)
    row = session.scalars(select(CleanApproval)).one()
    assert (row.channel_id, row.text_key, row.count) == (channel.id, clean.text_key, 1)
    assert review.trust_offers(session, ctx) == []
    session.refresh(row)
    row.count = 30
    session.flush()
    assert [offer.count for offer in review.trust_offers(session, ctx)] == [30]


def test_a_switch_recalls_what_has_not_reached_smtp_and_lifting_approves_nothing(
    session: Session, channel: Channel, ctx: Context
) -> None:
    other = make_channel(session, "own:second")
    ready = written(session, channel, state=S.APPROVED, approved_hash="x")
    waiting = written(session, channel, state=S.RETRY_WAIT, approved_hash="x", attempts=1)
    sending = written(session, channel, state=S.SENDING)
    elsewhere = written(session, other, state=S.APPROVED)
    held = written(session, channel, state=S.ON_HOLD, hold_reason="電話")
    pressed = review.stop(session, ctx, **BY, channel_id=channel.id, reason="誤送信")
    assert sorted(pressed.message_ids) == sorted([ready.id, waiting.id])
    session.expire_all()
    assert [m.state for m in (ready, waiting, sending, elsewhere)] == [
        S.ON_HOLD,
        S.ON_HOLD,
        S.SENDING,
        S.APPROVED,
    ]
    shop_wide = review.stop(session, ctx, **BY)
    assert shop_wide.message_ids == (elsewhere.id,)
    assert review.lift(session, ctx, pressed.stop_id, **BY).message_ids == ()
    released = review.lift(session, ctx, shop_wide.stop_id, **BY).message_ids
    assert sorted(released) == sorted([ready.id, waiting.id, elsewhere.id])
    session.expire_all()
    assert (ready.state, ready.approved_hash, held.state) == (S.IN_REVIEW, "", S.ON_HOLD)
    refused("stop_unknown", lambda: review.lift(session, ctx, pressed.stop_id, **BY))
    assert review.active_stops(session) == []


def test_pressing_twice_is_one_switch(session: Session, channel: Channel, ctx: Context) -> None:
    first = review.stop(session, ctx, **BY, kind=MailKind.WIN_BACK)
    assert review.stop(session, ctx, **BY, kind=MailKind.WIN_BACK).stop_id == first.stop_id
    assert review.stop(session, ctx, **BY).stop_id != first.stop_id


def test_the_detail_shows_the_buttons_that_work(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    shown = review.detail(session, ctx, message.id, now=NOW)
    assert shown.moves == moves_from(S.IN_REVIEW, Actor.STAFF)
    assert (shown.channel, shown.changed_by_hand, shown.changed_since_approval) == (
        "own:shop",
        {},
        {},
    )
    assert shown.customer is not None
    assert shown.customer.name == "山田 花子"


def test_every_refusal_has_words_in_both_languages() -> None:
    assert all(japanese and english for japanese, english in REFUSALS.values())
