"""The desk in a real browser: keys, a phone, and nothing that its policy would block."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from console import auth
from tests.console.conftest import NAMES, Clock, Ledger
from tests.console.sample import message_id
from tests.needs import absent
from worker.rules.states import MessageState, Role
from worker.store.engine import writing
from worker.store.running import User

pytestmark = pytest.mark.browser

_SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium; skips where there is none."""
    found = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(found).exists():
        absent("chromium is absent: apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=_SWITCHES)
        yield opened
        opened.close()


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The desk on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(timeout=10)


@dataclass
class Desk:
    """A page that is logged in, and what the browser complained of."""

    page: Page
    complaints: list[str]


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(
    browser: Browser, address: str, desk_engine: Engine, clock: Clock
) -> Iterator[OpenDesk]:
    """Opens a desk of a given size."""
    contexts = []

    def opening(width: int, height: int, *, script: bool = True) -> Desk:
        with writing(desk_engine) as session:
            user = session.scalars(sa.select(User).where(User.name == NAMES[Role.APPROVER])).one()
            token = auth.one_time_link(session, user, clock.now)
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="ja-JP",
            base_url=address,
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type == "error" else None,
        )
        page.goto(f"/login/once/{token}")
        return Desk(page, complaints)

    yield opening
    for context in contexts:
        context.close()


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
