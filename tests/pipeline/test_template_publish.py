"""Publishing says what it does to waiting mails, does just that, and never touches an approval."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.pipeline import planning as p
from tests.pipeline.templates import FIRST, NOW, VIP, Press, changed, press
from worker.pipeline.render import render_due, render_message
from worker.pipeline.review import Words, approve, edit
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import draft_of
from worker.pipeline.template_names import text_name
from worker.pipeline.template_publish import (
    effect_of,
    publish_drafts,
    pull_back_mails,
    rewrite_mails,
    try_all,
)
from worker.pipeline.template_versions import history, releases, restore
from worker.rules.states import MessageState
from worker.store.messages import Message, MessageBody, MessageEvent
from worker.store.running import Release, ReleaseDocument
from worker.store.template_queries import ids_of

__all__ = ["press"]
REPEAT = text_name("ja/order_thanks/own/repeat")


def waiting(press: Press, number: int = 1) -> Message:
    """A thank-you that is written and waits to be read."""
    session = press.session
    channel = session.info.setdefault("shop", None) or p.a_shop(session)
    session.info["shop"] = channel
    order = p.a_visit(session, channel, p.a_person(session), number)
    p.planned(session, press.ctx)
    render_due(session, press.ctx, NOW)
    return p.message_of(session, order)


def body(press: Press, message: Message) -> MessageBody:
    return press.session.get_one(MessageBody, message.id)


def rewritten(press: Press, ids: tuple[str, ...]) -> int:
    return rewrite_mails(press.session, press.ctx, ids, by="mori", now=NOW)


def moves(session: Session, message: Message) -> list[str]:
    rows = select(MessageEvent.move).where(MessageEvent.message_id == message.id)
    return list(session.scalars(rows.order_by(MessageEvent.id)))


def test_waiting_mails_are_rewritten_hand_edited_and_approved_ones_stay(press: Press) -> None:
    plain, by_hand, done = waiting(press), waiting(press), waiting(press)
    other = waiting(press, 3)
    session, ctx = press.session, press.ctx
    edit(session, ctx, by_hand.id, Words(text="手で書いた文面です。\n"), by="naka", now=NOW)
    approve(session, ctx, done.id, by="naka", now=NOW)
    before, hash_before = body(press, done).text, done.approved_hash
    draft = press.write(FIRST)
    effect = effect_of(session, ctx, [draft])
    assert effect.numbers == (1, 1, 1)
    assert ids_of(session, effect.rewritten) == [plain.id]
    assert ids_of(session, effect.by_hand) == [by_hand.id]
    assert ids_of(session, effect.approved) == [done.id]

    made = press.publish(draft)
    assert (made.rewrite, made.pull_back) == ((plain.id,), ())
    assert rewritten(press, (plain.id, by_hand.id, done.id, other.id)) == 1

    assert "時候" in body(press, plain).text
    assert (plain.state, plain.release) == (MessageState.IN_REVIEW, f"release:{made.release_id}")
    assert moves(session, plain)[-1] == "rewrite"
    assert body(press, by_hand).text == "手で書いた文面です。\n"
    assert (body(press, done).text, done.approved_hash) == (before, hash_before)
    assert done.state is MessageState.APPROVED
    assert "時候" not in body(press, other).text
    assert draft_of(session, FIRST) is None


def test_approved_mails_come_back_only_where_somebody_asks(press: Press) -> None:
    done = waiting(press)
    approve(press.session, press.ctx, done.id, by="naka", now=NOW)
    made = press.publish(press.write(FIRST), pull_back=True)
    assert made.pull_back == (done.id,)
    assert pull_back_mails(press.session, press.ctx, made.pull_back, by="mori", now=NOW) == 1
    assert (done.state, done.approved_hash) == (MessageState.IN_REVIEW, "")
    assert "時候" in body(press, done).text


def test_mails_left_alone_keep_their_words_and_later_ones_say_the_new(press: Press) -> None:
    old = waiting(press)
    assert press.publish(press.write(FIRST), rewrite=False).rewrite == ()
    assert "時候" not in body(press, old).text
    assert "時候" in body(press, waiting(press)).text
    # What was left alone then is no business of another text now.
    assert effect_of(press.session, press.ctx, [press.write(REPEAT)]).rewritten == ()


def test_a_text_of_its_own_and_a_passage_touch_the_mails_that_would_take_them(
    press: Press,
) -> None:
    first, third = waiting(press), waiting(press, 3)
    signature = press.write(text_name("ja/_blocks/own/signature"), {"text": "{{ 店名 }}\n"})
    touched = effect_of(press.session, press.ctx, [signature]).rewritten
    assert ids_of(press.session, touched) == sorted([first.id, third.id])
    rakuten = press.write(text_name("ja/order_thanks/rakuten/first"))
    assert effect_of(press.session, press.ctx, [rakuten]).rewritten == ()
    gift = text_name("ja/order_thanks/own/first.gift")
    own = press.write(gift, {"text": "贈り物を。\n", "subject": "贈り物\n"})
    assert effect_of(press.session, press.ctx, [own]).rewritten == ()


def test_nothing_is_published_where_the_number_is_another_one_now(press: Press) -> None:
    draft = press.write(FIRST)
    waiting(press)
    with pytest.raises(Refused) as no:
        publish_drafts(
            press.session, press.ctx, press.folder, {draft.id: draft.version},
            note="n", by="mori", now=NOW, expected=0,
        )  # fmt: skip
    assert (no.value.code, no.value.facts) == ("count_differs", {"expected": 0, "found": 1})
    assert press.session.scalar(select(Release.id)) is None
    assert draft_of(press.session, FIRST) is not None


@pytest.mark.parametrize("code", ["note_required", "nothing_drafted", "draft_changed"])
def test_an_incomplete_question_publishes_nothing(press: Press, code: str) -> None:
    draft = press.write(FIRST)
    wanted = {draft.id: draft.version + (code == "draft_changed")}
    with pytest.raises(Refused) as no:
        publish_drafts(
            press.session, press.ctx, press.folder, {} if code == "nothing_drafted" else wanted,
            note=" " if code == "note_required" else "n", by="mori", now=NOW, expected=0,
        )  # fmt: skip
    assert no.value.code == code
    assert press.session.scalar(select(Release.id)) is None


def test_a_text_with_an_error_and_one_begun_before_another_release_stay_drafts(
    press: Press,
) -> None:
    wrong = press.write(FIRST, {"text": "{{ 知らない名 }}\n"})
    with pytest.raises(Refused) as no:
        press.publish(wrong)
    assert no.value.code == "draft_unfit"
    late = press.write(VIP)
    late.based_on = {}
    press.session.flush()
    with pytest.raises(Refused) as no:
        press.publish(late)
    assert no.value.code == "draft_outdated"
    assert press.session.scalar(select(Release.id)) is None


def test_a_text_that_runs_too_long_is_stopped_in_its_child(press: Press) -> None:
    good = press.write(VIP)
    try_all(press.session, press.ctx, [good])
    good.parts = {**good.parts, VIP.paths["text"]: "{{ 'a' * 900000000 }}\n"}
    with pytest.raises(Refused) as no:
        try_all(press.session, press.ctx, [good])
    assert no.value.code == "draft_unfit"
    good.parts = {**good.parts, VIP.paths["text"]: '{% include "nothing" %}\n'}
    with pytest.raises(Refused) as no:
        try_all(press.session, press.ctx, [good])
    assert no.value.code == "draft_unfit"


def test_a_release_holds_the_shop_and_keeps_what_did_not_change(press: Press) -> None:
    first = press.publish(press.write(FIRST), note="一つ目").release_id
    second = press.publish(press.write(VIP), note="二つ目").release_id
    rows = press.session.execute(
        select(ReleaseDocument.release_id, ReleaseDocument.path, ReleaseDocument.version_id)
    )
    held = {(release, path): version for release, path, version in rows}
    path = FIRST.paths["text"]
    assert held[second, path] == held[first, path]
    assert (second, "config/shop.toml") in held
    assert (first, VIP.paths["text"]) not in held
    told = [
        (b.release.number, [str(t) for t in b.texts], b.others) for b in releases(press.session)
    ]
    assert told == [(2, [str(VIP)], 0), (1, [str(FIRST)], 0)]


def test_an_earlier_wording_comes_back_as_a_new_version(press: Press) -> None:
    session = press.session
    shipped = press.ctx.texts.read(FIRST.paths["text"])
    one = press.publish(press.write(FIRST), note="足した").release_id
    added = press.ctx.texts.read(FIRST.paths["text"])
    more = changed(press.ctx, FIRST, "もう一行。")
    press.publish(press.write(FIRST, {"text": more}), note="また")
    draft = restore(session, press.ctx, FIRST, one, note="戻す", by="mori", now=NOW)
    press.publish(draft, note="戻す")
    assert press.ctx.texts.read(FIRST.paths["text"]) == added
    assert [step.release.number for step in history(session, FIRST)] == [3, 2, 1]
    draft = restore(session, press.ctx, FIRST, None, note="はじめ", by="mori", now=NOW)
    with pytest.raises(Refused) as no:
        restore(session, press.ctx, FIRST, one, note="戻す", by="mori", now=NOW)
    assert no.value.code == "draft_exists"
    press.publish(draft)
    assert press.ctx.texts.read(FIRST.paths["text"]) == shipped
    with pytest.raises(Refused) as no:
        restore(session, press.ctx, FIRST, None, note="はじめ", by="mori", now=NOW)
    assert no.value.code == "text_unchanged"


def test_a_mail_that_held_for_a_missing_text_is_written_once_there_is_one(press: Press) -> None:
    session = press.session
    message = waiting(press)
    message.state, message.hold_reason = MessageState.ON_HOLD, "text_missing"
    made = press.publish(press.write(FIRST))
    assert rewritten(press, made.rewrite) == 1
    assert (message.state, message.hold_reason) == (MessageState.IN_REVIEW, "")
    later = NOW + timedelta(minutes=1)
    render_message(session, press.ctx, message.id, later)
    assert "時候" in body(press, message).text
