"""The desk in a real browser: keys, a phone, and nothing that its policy would block."""

from __future__ import annotations

import pytest

from tests.console.browsers import Desk, OpenDesk
from tests.console.conftest import Ledger
from tests.console.sample import message_id
from worker.rules.states import MessageState

pytestmark = pytest.mark.browser


def test_keys_read_approve_and_undo(open_desk: OpenDesk, ledger: Ledger) -> None:
    desk: Desk = open_desk(1440, 900)
    page = desk.page
    page.goto("/queue")
    assert page.inner_text(".dk-read-head h2") == "山口 さくら"
    page.keyboard.press("j")
    page.wait_for_url(f"**m={message_id(1)}*")
    page.keyboard.press("k")
    page.wait_for_url(f"**m={message_id(0)}*")
    with page.expect_navigation():
        page.keyboard.press("a")
    page.wait_for_url(f"**m={message_id(1)}*")
    assert ledger.message(0).state is MessageState.APPROVED
    assert "山口 さくら を承認" in page.inner_text(".dk-undo")
    with page.expect_navigation():
        page.keyboard.press("u")
    assert ledger.message(0).state is MessageState.IN_REVIEW
    page.keyboard.press("Shift+Slash")
    assert page.is_visible("#keys")
    page.keyboard.press("a")
    assert ledger.message(0).state is MessageState.IN_REVIEW
    assert desk.complaints == []


def test_keys_do_nothing_while_somebody_types(open_desk: OpenDesk, ledger: Ledger) -> None:
    desk: Desk = open_desk(1440, 900)
    page = desk.page
    page.goto("/queue")
    page.keyboard.press("/")
    page.keyboard.type("aha")
    assert page.input_value("#q") == "aha"
    # What an input method sends while it composes, whatever has the focus.
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {code: 'KeyA', key: 'Process', isComposing: true, bubbles: true}))"
    )
    page.wait_for_timeout(200)
    assert ledger.message(0).state is MessageState.IN_REVIEW
    assert page.url.endswith("/queue")


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1366, 1440])
def test_no_page_is_wider_than_its_window(open_desk: OpenDesk, width: int, script: bool) -> None:
    desk: Desk = open_desk(width, 844, script=script)
    page = desk.page
    wide = []
    for path in (
        "/",
        "/queue",
        f"/queue?m={message_id(3)}#mail",
        "/queue/batch?kind=order_thanks",
        "/messages",
        f"/messages/{message_id(3)}/edit",
        "/unconfirmed",
        "/candidates",
    ):
        page.goto(path)
        content = page.locator("main").bounding_box()
        assert content is not None
        taken = content["x"] + content["width"]
        if script:
            taken = max(taken, page.evaluate("document.documentElement.scrollWidth"))
        if taken > width + 1:
            wide.append((path, taken))
    assert wide == []
    assert desk.complaints == []


def test_on_a_phone_without_script_a_mail_opens_and_is_approved(
    open_desk: OpenDesk, ledger: Ledger
) -> None:
    desk: Desk = open_desk(390, 844, script=False)
    page = desk.page
    page.goto("/queue")
    assert not page.is_visible("#mail")
    page.click("text=大野 由佳")
    assert page.is_visible("#mail")
    assert not page.is_visible(".dk-list")
    page.click("#mail button:has-text('承認')")
    assert ledger.message(6).state is MessageState.APPROVED
