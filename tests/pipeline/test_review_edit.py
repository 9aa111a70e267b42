"""Changing the words of one mail: versions, lint, and what is read-only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import NOW, make_channel
from tests.pipeline.approved import written
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import Refused, StaleEdit, Words
from worker.rules.states import (
    FINAL,
    MessageState,
)
from worker.store.channels import Channel
from worker.store.messages import Message, MessageBody, MessageEvent

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


def test_an_edit_sends_back_mails_to_be_read_and_is_told(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    review.send_back(session, ctx, message.id, **BY, reason="直して")
    review.edit(session, ctx, message.id, Words(text="直した\r\n本文"), **BY)
    body = session.get_one(MessageBody, message.id)
    assert (message.state, message.edited, body.text) == (S.IN_REVIEW, True, "直した\n本文")
    assert [move for move, _, _ in events(session, message)] == ["send_back", "resubmit", "edit"]


def test_editing_takes_an_approval_back_and_shows_the_difference(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    review.approve(session, ctx, message.id, **BY)
    review.edit(session, ctx, message.id, Words(subject="お礼"), **BY)
    assert (message.state, message.approved_hash) == (S.IN_REVIEW, "")
    shown = review.detail(session, ctx, message.id, now=NOW)
    pieces = shown.changed_since_approval["subject"]
    assert [(p.op, p.text) for p in pieces if p.op != "same"] == [
        ("del", "ご注文ありがとうございます"),
        ("ins", "お礼"),
    ]
    assert list(shown.changed_by_hand) == ["subject"]


def test_every_edit_counts_the_version_up_and_an_empty_one_does_nothing(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    versions = [message.version]
    for text in ("一", "二", "二"):
        review.edit(session, ctx, message.id, Words(text=text), **BY)
        versions.append(message.version)
    assert versions == [1, 2, 3, 3]


def test_a_stale_edit_shows_both_texts(session: Session, channel: Channel, ctx: Context) -> None:
    message = written(session, channel)
    read = message.version
    review.edit(session, ctx, message.id, Words(text="先に変えた本文\n"), **BY)
    with pytest.raises(StaleEdit) as stale:
        review.edit(session, ctx, message.id, Words(text="後の本文\n"), **BY, version=read)
    assert stale.value.version == read + 1
    assert [(p.op, p.text) for p in stale.value.theirs["text"] if p.op != "same"] == [
        ("del", "先に変えた"),
        ("ins", "後の"),
    ]
    assert session.get_one(MessageBody, message.id).text == "先に変えた本文\n"


@pytest.mark.parametrize(
    "words",
    [
        Words(subject="お礼\nBcc: all@mail.example"),
        Words(subject=" "),
        Words(text=""),
        Words(text="本文\x00"),
        Words(html="<p>\x1b</p>"),
    ],
)
def test_words_that_no_mail_may_carry_are_refused(
    session: Session, channel: Channel, ctx: Context, words: Words
) -> None:
    message = written(session, channel)
    refused("text_refused", lambda: review.edit(session, ctx, message.id, words, **BY))
    assert (message.edited, events(session, message)) == (False, [])


def test_words_that_a_clerk_makes_an_advertisement_need_consent(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel, why={"basis": {"verdict": "allow", "refused": ""}})
    text = "山田様\n次回使えるクーポンコード: ABCD-EFGH-JKM2 をお送りします。\n"
    footer = "株式会社ひなた\n東京都千代田区1-1\nmailto:shop@hinata.example?subject=unsubscribe\n"
    review.edit(session, ctx, message.id, Words(text=text + footer), **BY)
    assert message.advertising is True
    assert message.why["basis"] == {"verdict": "consent", "refused": "no_consent"}
    refused("no_consent", lambda: review.approve(session, ctx, message.id, **BY))
    review.edit(session, ctx, message.id, Words(text="山田様\nありがとうございます。\n"), **BY)
    assert message.advertising is False
    assert review.approve(session, ctx, message.id, **BY).state is S.APPROVED


def test_a_marketplace_mail_cannot_be_edited_to_lead_away(session: Session, ctx: Context) -> None:
    message = written(session, make_channel(session, "rakuten:main"))
    words = Words(text="公式サイト https://hinata.example/shop もご覧ください。")
    refused("text_refused", lambda: review.edit(session, ctx, message.id, words, **BY))


@pytest.mark.parametrize("state", [S.SCHEDULED, S.SENDING, S.SENT, S.UNCONFIRMED, *sorted(FINAL)])
def test_what_is_out_or_closed_is_read_only(
    session: Session, channel: Channel, ctx: Context, state: MessageState
) -> None:
    message = written(session, channel, state=state)
    refused("not_editable", lambda: review.edit(session, ctx, message.id, Words(text="x"), **BY))


def test_an_edit_after_an_attempt_goes_under_another_message_id(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel, state=S.RETRY_WAIT, attempts=2)
    review.edit(session, ctx, message.id, Words(text="新しい本文"), **BY)
    assert (message.state, message.generation, message.attempts) == (S.IN_REVIEW, 2, 0)


def test_sending_again_is_a_new_mail_that_names_the_old(
    session: Session, channel: Channel, ctx: Context
) -> None:
    old = written(session, channel, state=S.SENT, approved_hash="x", sent_at=NOW)
    new = review.send_again(session, ctx, old.id, **BY, reason="届いていない")
    assert (new.state, new.again_of, new.approved_hash, len(new.id)) == (
        S.IN_REVIEW,
        old.id,
        "",
        26,
    )
    assert (old.state, old.version) == (S.SENT, 1)
    body = session.get_one(MessageBody, new.id)
    assert body.recipient == session.get_one(MessageBody, old.id).recipient
    assert events(session, new) == [("send_again", "in_review", "hana")]
    refused("again_waiting", lambda: review.send_again(session, ctx, old.id, **BY))
    review.approve(session, ctx, new.id, **BY)
    assert new.state is S.APPROVED


@pytest.mark.parametrize("state", [S.IN_REVIEW, S.APPROVED, S.UNCONFIRMED, S.CANCELLED])
def test_only_what_is_out_or_failed_is_sent_again(
    session: Session, channel: Channel, ctx: Context, state: MessageState
) -> None:
    message = written(session, channel, state=state)
    refused("not_out", lambda: review.send_again(session, ctx, message.id, **BY))
    assert session.scalar(select(func.count()).select_from(Message)) == 1
