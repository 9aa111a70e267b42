"""The morning round of two clerks in a real browser: keys, lines, notes, and a list that lives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from tests.console.browsers import OpenDesk
from tests.console.conftest import Clock, Ledger
from tests.console.sample import NOW, message_id
from worker.pipeline import review
from worker.rules.states import MailKind, MessageState, NoteState
from worker.store.customers import ContactNote, CustomerProfile
from worker.store.engine import reading, writing
from worker.store.messages import Message, MessageBody, MessageEvent

pytestmark = pytest.mark.browser


def refreshed(page: Page) -> None:
    """Let the list ask again now, as it does every half minute."""
    with page.expect_response("**/queue/rows?**"):
        page.evaluate(
            "htmx.ajax('GET', document.querySelector('.dk-rows').getAttribute('hx-get'),"
            " {target: '.dk-rows', swap: 'innerHTML'})"
        )
    page.wait_for_timeout(100)


def test_a_line_and_a_note_by_their_keys(
    open_desk: OpenDesk,
    desk_engine: Engine,
) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto(f"/queue?m={message_id(3)}")
    page.keyboard.press("n")
    page.keyboard.type("のしは内祝と電話で確認")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    with page.expect_navigation():
        page.keyboard.press("l")
    assert "/lines?back=" in page.url
    page.keyboard.type("のしの件、承りました。")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=この文面には入っていません")
    with reading(desk_engine) as session:
        profile = session.get_one(CustomerProfile, 4)
        note = session.query(ContactNote).filter_by(customer_id=4).one()
        assert profile.personal_line == "のしの件、承りました。"
        assert (note.said, note.state) == ("のしは内祝と電話で確認", NoteState.DONE)
    assert desk.complaints == []


def test_saving_goes_on_and_keys_rest_while_writing(
    open_desk: OpenDesk,
    ledger: Ledger,
) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto(f"/queue?m={message_id(6)}")
    with page.expect_navigation():
        page.keyboard.press("e")
    page.fill("#text", "aaa jjj\n")
    with page.expect_navigation():
        page.keyboard.press("Control+s")
    assert "saved=1" in page.url
    assert ledger.body(6).text.strip() == "aaa jjj"
    assert ledger.message(6).state is MessageState.IN_REVIEW
    page.focus("#text")
    page.keyboard.type("もう一行")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    assert "/queue" in page.url
    assert ledger.body(6).text == "もう一行aaa jjj\n"
    assert desk.complaints == []


def test_a_mail_in_other_hands_is_taken_over_before_it_is_approved(
    open_desk: OpenDesk,
    desk_engine: Engine,
    ledger: Ledger,
) -> None:
    with writing(desk_engine) as session:
        review.read_mail(session, message_id(0), by="中村", now=NOW)
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto("/queue")
    assert page.inner_text(".dk-read-head h2") == "井上 誠"
    page.keyboard.press("k")
    page.wait_for_url(f"**m={message_id(0)}*")
    assert "中村が見ています" in page.inner_text("#pane-news")
    page.keyboard.press("a")
    page.wait_for_timeout(200)
    assert ledger.message(0).state is MessageState.IN_REVIEW
    with page.expect_navigation():
        page.click("button:has-text('代わる')")
    with page.expect_navigation():
        page.keyboard.press("a")
    assert ledger.message(0).state is MessageState.APPROVED
    assert desk.complaints == []


def test_the_list_lives_and_what_is_being_written_stays(
    open_desk: OpenDesk,
    desk_engine: Engine,
) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto(f"/queue?m={message_id(6)}")
    page.fill("#quicknote", "書きかけ")
    with writing(desk_engine) as session:
        arrive(session.add, session.flush)
        review.hold(session, None, message_id(7), by="中村", now=NOW)  # type: ignore[arg-type]
        session.add(edited(message_id(6)))
        session.get_one(Message, message_id(6)).edited = True
    refreshed(page)
    assert page.locator(".dk-fresh").inner_text() == "新しく1通"
    assert page.locator(f"#q-{message_id(7)}").count() == 0
    assert page.inner_text("#q-waiting") == "14"
    assert page.input_value("#quicknote") == "書きかけ"
    assert "中村が9:40に「編集」" in page.inner_text("#pane-news")
    with page.expect_navigation():
        page.click(".dk-fresh")
    assert f"m={message_id(6)}" in page.url
    assert page.locator(".dk-item", has_text="新着のお礼").count() == 1
    assert desk.complaints == []


def arrive(add: Callable[[object], None], flush: Callable[[], None]) -> None:
    """One more mail comes to be read."""
    new = "01KBNEWMAIL000000000000000"
    add(
        Message(
            id=new,
            kind=MailKind.ORDER_THANKS,
            channel_id=1,
            family="own",
            state=MessageState.IN_REVIEW,
            rank="first",
            due_at=NOW + timedelta(hours=1),
            created_at=NOW,
        )
    )
    flush()
    add(MessageBody(message_id=new, subject="新着のお礼", text="ありがとうございます。"))
    add(event(new, "submit", "system"))


def edited(message: str) -> MessageEvent:
    return event(message, "edit", "中村")


def event(message: str, move: str, by: str) -> MessageEvent:
    return MessageEvent(
        message_id=message,
        at=NOW,
        move=move,
        to_state=MessageState.IN_REVIEW,
        actor="staff",
        by=by,
    )


def test_a_history_page_leads_to_a_letter_with_a_placeholder(
    open_desk: OpenDesk,
    clock: Clock,
) -> None:
    del clock
    desk = open_desk(390, 844)
    page = desk.page
    page.goto("/messages")
    page.click(f'a[href="/messages/{message_id(6)}?view=mail#mail"]')
    with page.expect_navigation():
        page.click("text=この方に書く")
    page.fill("#subject", "お尋ねの件")
    page.fill("#text", "ご注文 ")
    page.click('button:has-text("注文番号")')
    assert page.input_value("#text") == "ご注文 {{ 注文番号 }}"
    with page.expect_navigation():
        page.click("text=確認待ちに入れる")
    assert "N-20261124-006" in page.inner_text(".dk-mail-body")
    assert not page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    assert desk.complaints == []
