"""A customer on the telephone, in a real browser: found by number, noted, called back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.browsers import OpenDesk
from tests.console.rich import PERSON, enrich
from worker.rules.states import MessageState, NoteState
from worker.store.customers import ContactNote
from worker.store.engine import reading, writing
from worker.store.messages import Message

pytestmark = pytest.mark.browser
HELD = "01KAZRICH00000000000000001"


@pytest.fixture(autouse=True)
def _rich(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        enrich(session)


def newest_note(engine: Engine) -> ContactNote:
    with reading(engine) as session:
        found = session.scalars(sa.select(ContactNote).order_by(ContactNote.id.desc())).first()
        assert found is not None
        session.expunge(found)
        return found


def state_of(engine: Engine, message_id: str) -> MessageState:
    with reading(engine) as session:
        return session.get_one(Message, message_id).state


def test_a_call_is_found_by_number_noted_and_finished(
    open_desk: OpenDesk,
    desk_engine: Engine,
) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.keyboard.press("/")
    page.keyboard.type("2011")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith(f"/customers/{PERSON}")
    assert page.inner_text("h1") == "藤原 千鶴"
    page.keyboard.press("n")
    page.locator("#nt").fill("包みは紫で、来週お電話を")
    page.check("input[name=open]")
    page.select_option(".dk-noteform select[name=via]", "phone")
    page.locator("#nt").focus()
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    note = newest_note(desk_engine)
    assert (note.said, note.state, note.via) == (
        "包みは紫で、来週お電話を",
        NoteState.OPEN,
        "phone",
    )
    page.click(f"a[href='/notes/{note.id}']")
    page.fill("#ask_next", "お口に合ったか")
    page.fill("#ask_by", "2026-11-24")
    page.click("main button[type=submit]")
    assert "お口に合ったか(期日)" in page.inner_text(".dk-tl")
    page.goto("/tasks")
    assert "お口に合ったか" in page.inner_text("#main")
    assert state_of(desk_engine, HELD) is MessageState.ON_HOLD
    page.goto(f"/customers/{PERSON}")
    for _ in range(2):
        page.click("button:has-text('対応済みにする') >> nth=0")
    assert page.locator("button:has-text('対応済みにする')").count() == 0
    assert state_of(desk_engine, HELD) is MessageState.IN_REVIEW
    assert desk.complaints == []


def test_on_a_phone_without_script_a_caller_is_found_and_noted(
    open_desk: OpenDesk,
    desk_engine: Engine,
) -> None:
    page = open_desk(390, 844, script=False).page
    page.goto("/customers")
    page.click("nav.dk-kana a:has-text('ハ')")
    assert page.inner_text(".dk-peopletable tbody tr >> nth=0").startswith("長谷川 光")
    page.click("text=藤原 千鶴")
    page.fill("#nt", "またお電話くださるとのこと")
    page.click("button:has-text('残す')")
    note = newest_note(desk_engine)
    assert (note.said, note.state) == ("またお電話くださるとのこと", NoteState.DONE)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [360, 768, 1024, 1440])
def test_no_customers_page_is_wider_than_its_window(
    open_desk: OpenDesk,
    width: int,
    script: bool,
) -> None:
    desk = open_desk(width, 844, script=script)
    page = desk.page
    wide = []
    for path in (
        *("/customers", "/customers?q=0900000", f"/customers/{PERSON}", "/tasks"),
        *(f"/customers/{PERSON}/edit", f"/customers/{PERSON}/write", "/notes/1"),
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


def test_every_field_of_the_card_has_a_name_for_screen_readers(
    open_desk: OpenDesk,
) -> None:
    page = open_desk(1440, 900).page
    nameless = """[...document.querySelectorAll('main input, main select, main textarea')]
      .filter(e => e.type !== 'hidden' && !e.labels.length && !e.ariaLabel).map(e => e.name)"""
    for path in ("/customers", f"/customers/{PERSON}", "/tasks", "/notes/1"):
        page.goto(path)
        assert page.evaluate(nameless) == [], path
        ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids)), path
