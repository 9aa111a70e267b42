"""Two clerks at once: who has a mail open keeps it, and nobody approves over their shoulder."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import NOW
from tests.pipeline.approved import written
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.pipeline.review import Refused, StaleEdit, Words
from worker.pipeline.review_reading import ALIVE, is_told
from worker.rules.states import MessageState
from worker.store.channels import Channel
from worker.store.messages import Message
from worker.store.readings import Reading


def opened(session: Session, message: Message, by: str, after: timedelta = timedelta()) -> str:
    return review.read_mail(session, message.id, by=by, now=NOW + after)


def in_hands(session: Session) -> dict[str, str]:
    rows = session.execute(select(Reading.message_id, Reading.by))
    return {row.message_id: row.by for row in rows}


def test_the_first_keeps_a_mail_and_the_second_is_told_who(
    session: Session, channel: Channel
) -> None:
    message = written(session, channel)
    assert opened(session, message, "中村") == ""
    assert opened(session, message, "森本") == "中村"
    assert opened(session, message, "中村", timedelta(seconds=60)) == ""
    assert opened(session, message, "森本", timedelta(seconds=150)) == "中村"
    assert in_hands(session) == {message.id: "中村"}


def test_going_on_to_the_next_lays_the_last_one_down(session: Session, channel: Channel) -> None:
    one, two = written(session, channel), written(session, channel)
    opened(session, one, "中村")
    opened(session, two, "中村")
    assert in_hands(session) == {two.id: "中村"}
    assert opened(session, one, "森本") == ""


def test_a_page_that_is_not_heard_of_any_more_gives_its_mail_up(
    session: Session, channel: Channel
) -> None:
    message = written(session, channel)
    opened(session, message, "中村")
    assert opened(session, message, "森本", ALIVE - timedelta(seconds=1)) == "中村"
    assert opened(session, message, "森本", ALIVE) == ""
    assert in_hands(session) == {message.id: "森本"}


def test_a_page_asks_before_it_writes(session: Session, channel: Channel) -> None:
    message = written(session, channel)
    assert not is_told(session, message.id, by="中村", now=NOW)
    opened(session, message, "中村")
    soon, later = NOW + timedelta(seconds=10), NOW + timedelta(seconds=20)
    assert is_told(session, message.id, by="中村", now=soon)
    assert not is_told(session, message.id, by="中村", now=later)
    assert is_told(session, message.id, by="森本", now=later)


def test_nobody_approves_what_another_has_open(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    opened(session, message, "中村")
    with pytest.raises(Refused) as no:
        review.approve(session, ctx, message.id, by="森本", now=NOW)
    assert (no.value.code, no.value.facts) == ("being_read", {"who": "中村"})
    review.approve(session, ctx, message.id, by="中村", now=NOW)
    assert message.state is MessageState.APPROVED


def test_a_batch_leaves_what_another_reads_and_says_whose_it_is(
    session: Session, channel: Channel, ctx: Context
) -> None:
    one, two = written(session, channel), written(session, channel)
    opened(session, one, "中村")
    done = review.approve_many(session, ctx, expected=2, by="森本", now=NOW, ids=[one.id, two.id])
    assert done.approved == (two.id,)
    assert [(left.message_id, left.code) for left in done.refused] == [(one.id, "being_read")]
    assert "中村" in done.refused[0].words


def test_taking_over_is_knowing_and_the_first_one_learns_of_it(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    opened(session, message, "中村")
    assert review.take_over(session, message.id, by="森本", now=NOW) == "中村"
    assert opened(session, message, "中村", timedelta(seconds=30)) == "森本"
    with pytest.raises(Refused):
        review.approve(session, ctx, message.id, by="中村", now=NOW)
    review.approve(session, ctx, message.id, by="森本", now=NOW)
    with pytest.raises(Refused) as no:
        review.take_over(session, message.id, by="中村", now=NOW)
    assert no.value.code == "not_in_review"


def test_a_stale_approval_is_refused_with_what_became_of_the_words(
    session: Session, channel: Channel, ctx: Context
) -> None:
    message = written(session, channel)
    body = review.detail(session, ctx, message.id, now=NOW).body
    assert body is not None
    seen, read = Words(body.subject, body.text.replace("\n", "\r\n")), message.version
    changed = body.text + "追伸\n"
    review.edit(session, ctx, message.id, Words(text=changed), by="中村", now=NOW)
    with pytest.raises(StaleEdit) as stale:
        review.approve(session, ctx, message.id, by="森本", now=NOW, version=read, seen=seen)
    assert stale.value.version == message.version
    pieces = [(p.op, p.text) for p in stale.value.theirs["text"] if p.op != "same"]
    assert (list(stale.value.theirs), pieces) == (["text"], [("ins", "追伸\n")])
    assert message.state is MessageState.IN_REVIEW
