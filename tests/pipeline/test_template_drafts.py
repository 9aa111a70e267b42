"""Texts in writing: saved for everybody, refused where somebody was faster, shown in the field."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories import make_channel
from tests.pipeline.templates import FIRST, NOW, VIP, Press, press
from worker.mail.texts import load_text
from worker.pipeline.review_words import Refused
from worker.pipeline.template_drafts import (
    StaleDraft,
    all_drafted,
    draft_of,
    drafts,
    drop_draft,
    open_writing,
    save_draft,
)
from worker.pipeline.template_matrix import blocks, matrix
from worker.pipeline.template_names import text_name
from worker.rules.states import MailKind, Sender
from worker.store.drafts import DocumentDraft

__all__ = ["press"]


def save(press: Press, text: str, version: int, stamp: str, by: str = "naka") -> DocumentDraft:
    parts = {**open_writing(press.session, press.ctx, VIP).in_force, "text": text}
    return save_draft(
        press.session, press.ctx, VIP, parts, by=by, now=NOW, version=version, stamp=stamp
    )


def test_a_draft_is_read_by_nobody_until_it_is_published(press: Press) -> None:
    press.write(VIP)
    assert "時候" not in (press.ctx.texts.read(VIP.paths["text"]) or "")
    drafted = all_drafted(press.session, press.ctx)
    assert "時候" in load_text(drafted, "ja", VIP.key).body_text
    assert [(d.author, d.version) for d in drafts(press.session)] == [("mori", 1)]


def test_whoever_saves_what_another_changed_is_refused_and_shown_the_others_words(
    press: Press,
) -> None:
    began = open_writing(press.session, press.ctx, VIP)
    press.write(VIP, {"text": "森本の文面\n"})
    with pytest.raises(StaleDraft) as stale:
        save(press, "中村の文面\n", began.version, began.stamp)
    assert (stale.value.by, stale.value.theirs["text"]) == ("mori", "森本の文面\n")
    kept = draft_of(press.session, VIP)
    assert kept is not None
    assert kept.parts[VIP.paths["text"]] == "森本の文面\n"
    now = open_writing(press.session, press.ctx, VIP)
    assert save(press, "中村の文面\n", now.version, now.stamp).version == 2


def test_whoever_saves_over_a_text_published_meanwhile_is_refused(press: Press) -> None:
    began = open_writing(press.session, press.ctx, VIP)
    press.publish(press.write(VIP))
    with pytest.raises(StaleDraft) as stale:
        save(press, "中村の文面\n", began.version, began.stamp)
    assert "時候" in stale.value.theirs["text"]
    assert draft_of(press.session, VIP) is None


def test_line_ends_are_one_and_empty_parts_are_refused(press: Press) -> None:
    draft = press.write(VIP, {"text": "一行\r\n二行\r\n\r\n"})
    assert draft.parts[VIP.paths["text"]] == "一行\n二行\n"
    for changes, code in (
        ({"text": " \n"}, "text_empty"),
        ({"subject": ""}, "text_empty"),
        ({"text": "あ" * 30_000}, "text_too_long"),
    ):
        with pytest.raises(Refused) as no:
            press.write(VIP, changes)
        assert no.value.code == code
    with pytest.raises(Refused) as no:
        press.write(FIRST, {"text": press.ctx.texts.read(FIRST.paths["text"]) or ""})
    assert no.value.code == "text_unchanged"


def test_a_draft_is_dropped_only_as_it_was_read(press: Press) -> None:
    draft = press.write(VIP)
    with pytest.raises(Refused) as no:
        drop_draft(press.session, VIP, version=draft.version + 1)
    assert no.value.code == "draft_changed"
    drop_draft(press.session, VIP, version=draft.version)
    assert drafts(press.session) == []


@pytest.mark.parametrize(
    "written",
    [
        "ja/order_thanks/own",
        "ja/order_thanks/../own/vip",
        "ja/order_thanks/own/vip.sometime",
        "fr/order_thanks/own/vip",
        "ja/_blocks/own/head",
        "ja/nothing/own/vip",
        "ja/card/own/vip",
    ],
)
def test_an_address_that_is_no_text_leads_nowhere(written: str) -> None:
    with pytest.raises(Refused) as no:
        text_name(written)
    assert no.value.code == "text_unknown"


def states(press: Press, locale: str = "ja") -> dict[str, str]:
    found = matrix(press.session, press.ctx, locale)
    return {str(cell.name): cell.state for row in found.rows for cell in row.cells}


def test_the_field_tells_which_text_each_mail_is_written_from(press: Press) -> None:
    make_channel(press.session, "amazon:main", family="amazon")
    press.write(VIP)
    press.publish(press.write(FIRST))
    press.publish(
        press.write(
            text_name("ja/order_thanks/own/vip.gift"), {"text": "贈り物\n", "subject": "贈り物\n"}
        )
    )
    found = states(press)
    assert found["ja/order_thanks/own/vip"] == "draft"
    assert found["ja/order_thanks/own/first"] == "edited"
    assert found["ja/order_thanks/own/repeat"] == "own"
    assert found["ja/order_thanks/own/vip.gift"] == "edited"
    assert found["ja/order_thanks/rakuten/vip.gift"] == "inherited"
    assert found["ja/order_thanks/own/first.second"] == "none"
    assert found["ja/order_thanks/amazon/any"] == "forbidden"
    assert found["ja/birthday/own/any"] == "unused"
    taken = {
        str(c.name): str(c.taken)
        for row in matrix(press.session, press.ctx, "ja").rows
        for c in row.cells
    }
    assert taken["ja/order_thanks/rakuten/vip.gift"] == "ja/order_thanks/rakuten/any.gift"


def test_a_mail_that_we_send_and_have_no_text_for_is_missing(press: Press) -> None:
    assert "missing" not in states(press).values()
    make_channel(press.session, "qoo10:main", family="qoo10")
    assert states(press)["ja/order_thanks/qoo10/any"] == "unused"
    senders = press.ctx.documents.senders
    ours = {"qoo10:main": {MailKind.ORDER_THANKS: Sender.OKAERI}}
    documents = replace(press.ctx.documents, senders=replace(senders, channels=ours))
    found = matrix(press.session, replace(press.ctx, documents=documents), "ja")
    missing = [str(c.name) for row in found.rows for c in row.cells if c.state == "missing"]
    assert "ja/order_thanks/qoo10/any" in missing


def test_passages_are_listed_by_family_and_their_change_is_seen(press: Press) -> None:
    press.write(text_name("ja/_blocks/own/signature"), {"text": "みどり茶舗\n"})
    found = {str(c.name): c.state for c in blocks(press.session, press.ctx, "ja")}
    assert found["ja/_blocks/own/signature"] == "draft"
    assert found["ja/_blocks/rakuten/follow_close"] == "own"
    assert "ja/_blocks/own/head" not in found
