"""A rule is changed in a real browser: counted by itself, ticked, published; and without script."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from console import auth
from tests.console.browsers import OpenDesk
from tests.console.conftest import NAMES, Clock
from tests.console.test_settings import app
from worker.pipeline.settings_toml import Sheet
from worker.rules.states import Role
from worker.store.engine import reading, writing
from worker.store.running import DocumentVersion, Release, User

__all__ = ["app"]
pytestmark = pytest.mark.browser
SPEND = '[name="ranks.rungs.0.any_of.0.spend"]'
FOLLOW = '[name="senders.families.yahoo.follow_up"]'
SAVE = "#whatif button[form=settings]"


def as_admin(engine: Engine, clock: Clock) -> str:
    with writing(engine) as session:
        user = session.scalars(sa.select(User).where(User.name == NAMES[Role.ADMIN])).one()
        return f"/login/once/{auth.one_time_link(session, user, clock.now)}"


def newest(engine: Engine, path: str) -> Sheet:
    with reading(engine) as session:
        found = session.scalars(
            sa.select(DocumentVersion.content)
            .where(DocumentVersion.path == path)
            .order_by(DocumentVersion.id.desc())
        ).first()
        assert found is not None
        return Sheet(found)


def test_a_rule_change_is_counted_by_itself_and_published_when_ticked(
    open_desk: OpenDesk, desk_engine: Engine, clock: Clock
) -> None:
    desk = open_desk(1440, 1000)
    page = desk.page
    page.goto(as_admin(desk_engine, clock))
    page.goto("/settings")
    assert "まだ何も変えていません" in page.inner_text("#whatif")
    page.fill(SPEND, "25,000")
    page.select_option(FOLLOW, "okaeri")
    page.click(SAVE)
    page.wait_for_selector("#publish")
    panel = page.inner_text("#whatif")
    assert "手直し 2か所" in panel
    assert "受注管理のYahoo! フォローメールを止めた" in panel
    assert page.inner_text(".dk-rung .dk-was") == "30,000"
    page.fill("#why", "年末に向けて")
    page.click(".dk-publish")
    assert page.is_visible("#publish"), "the browser asks for the tick first"
    page.check(".dk-check")
    assert not page.is_visible(".dk-untick")
    with page.expect_navigation():
        page.click(".dk-publish")
    assert "公開しました" in page.inner_text(".dk-setsaid")
    spend = ("rungs", 0, "any_of", 0, "spend")
    assert newest(desk_engine, "config/ranks.toml").get(spend) == 25_000
    assert desk.complaints == []


def test_what_is_typed_and_not_saved_is_not_left_behind_by_publishing(
    open_desk: OpenDesk, desk_engine: Engine, clock: Clock
) -> None:
    desk = open_desk(1440, 1000)
    page = desk.page
    page.goto(as_admin(desk_engine, clock))
    page.goto("/settings/review")
    page.fill('[name="review.undo_seconds"]', "60")
    page.click(SAVE)
    page.wait_for_selector("#publish")
    page.fill('[name="review.canary"]', "9")
    page.fill("#why", "短く")
    page.click(".dk-publish")
    assert page.is_visible(".dk-unsaved")
    with reading(desk_engine) as session:
        assert session.scalars(sa.select(Release)).all() == []
    assert page.input_value('[name="review.canary"]') == "9"


@pytest.mark.parametrize("width", [390, 768])
def test_a_rule_is_changed_and_published_without_script(
    open_desk: OpenDesk, desk_engine: Engine, clock: Clock, width: int
) -> None:
    desk = open_desk(width, 844, script=False)
    page = desk.page
    page.goto(as_admin(desk_engine, clock))
    page.goto("/settings/review")
    page.fill('[name="review.undo_seconds"]', "60")
    page.click(SAVE)
    page.click('form[action="/settings/count"] button')
    page.fill("#why", "短く")
    page.click(".dk-publish")
    assert "公開しました" in page.inner_text(".dk-setsaid")
    assert newest(desk_engine, "config/review.toml").get(("undo_seconds",)) == 60


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1366, 1440])
def test_no_page_of_settings_is_wider_than_its_window(
    open_desk: OpenDesk, desk_engine: Engine, clock: Clock, width: int
) -> None:
    desk = open_desk(width, 844)
    page = desk.page
    page.goto(as_admin(desk_engine, clock))
    wide = []
    for name in ("ranks", "milestones", "mails", "review", "policy", "calendar", "shop",
                 "history", "text/mails"):  # fmt: skip
        page.goto(f"/settings/{name}")
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(name)
    assert wide == []
    assert desk.complaints == []
