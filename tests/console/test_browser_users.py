"""Login and roles in a real browser: invited, a password, the second step, and no key that acts."""

from __future__ import annotations

import pyotp
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser
from sqlalchemy import Engine

from console import auth
from tests.console.conftest import NAMES, Clock
from worker.rules.states import Role
from worker.store.engine import writing
from worker.store.running import User

pytestmark = pytest.mark.browser
PASSWORD = "three wild geese"


def test_somebody_is_invited_and_comes_in_with_a_second_step(
    browser: Browser, address: str, desk_engine: Engine, clock: Clock
) -> None:
    with writing(desk_engine) as session:
        user = session.scalars(sa.select(User).where(User.name == NAMES[Role.ADMIN])).one()
        token = auth.one_time_link(session, user, clock.now)
    admin, guest = (browser.new_context(base_url=address, locale="ja-JP") for _ in range(2))
    complaints: list[str] = []
    for context in (admin, guest):
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)

    page = admin.new_page()
    page.goto(f"/login/once/{token}")
    page.goto("/users")
    page.fill("#name", "新田")
    page.select_option("#role", "approver")
    page.click("text=招待リンクを作る")
    link = page.inner_text(".dk-secret")

    theirs = guest.new_page()
    theirs.goto(link)
    assert "まずパスワードを決めてください" in theirs.inner_text("main")
    theirs.fill("#new", PASSWORD)
    theirs.fill("#again", PASSWORD)
    theirs.click("text=パスワードを決める")
    theirs.click("form[action='/me/totp'] button")
    assert theirs.locator(".dk-qrbox svg").bounding_box() is not None
    phone = pyotp.TOTP(theirs.inner_text(".dk-key").replace(" ", ""))
    theirs.fill("#code", phone.at(clock.now))
    theirs.click("text=確かめて始める")
    code = theirs.locator(".dk-codelist code").first.inner_text()
    theirs.uncheck("input[name=shortcuts]")
    theirs.click("form[action='/me/screen'] button")

    theirs.click(".dk-menu summary")
    theirs.click("form[action='/logout'] button")
    theirs.fill("#name", "新田")
    theirs.fill("#password", PASSWORD)
    theirs.click("button[type=submit]")
    theirs.fill("#code", code)
    theirs.click("button[type=submit]")
    theirs.goto("/queue")
    before = theirs.url
    theirs.keyboard.press("j")
    theirs.wait_for_timeout(200)
    assert theirs.url == before
    assert theirs.goto("/users").status == 403  # type: ignore[union-attr]

    page.goto("/users/audit")
    told = page.inner_text(".dk-audit")
    assert "予備コードで入った" in told
    assert "2段階の確認を開始" in told
    # The refusal above is an answer that the browser tells as an error; nothing else is.
    assert [each for each in complaints if "403" not in each] == []
    for context in (admin, guest):
        context.close()
