"""A greeting changed by somebody new to the desk, in a real browser, with and without script."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Engine, select

from tests.console.browsers import OpenDesk
from tests.console.conftest import Ledger
from tests.console.texts import VIP, app
from worker.rules.states import MessageState
from worker.store.engine import reading
from worker.store.running import Release

__all__ = ["app"]
pytestmark = pytest.mark.browser
SPRING = "朝夕の冷え込む折、温かなお茶でほっとしていただけましたら幸いです。"
LINE = "#editor .cm-line:has-text('厚く御礼')"


def released(engine: Engine) -> int:
    with reading(engine) as session:
        return len(session.scalars(select(Release.id)).all())


def test_a_new_clerk_changes_the_greeting_for_vips_in_under_two_minutes(
    open_desk: OpenDesk, ledger: Ledger, desk_engine: Engine
) -> None:
    began = time.monotonic()
    desk = open_desk(1440, 900)
    page = desk.page
    page.click(".dk-nav >> text=テンプレート")
    page.click(f"a[href='/templates/edit/{VIP}']")
    page.click(LINE)
    page.keyboard.press("End")
    page.keyboard.insert_text(SPRING)
    page.wait_for_selector(f"#paper >> text={SPRING}")
    assert page.inner_text("#paper .dk-mail-body").startswith("高橋 美咲 様")
    page.fill("[name=note]", "時候のひとことを足した")
    with page.expect_navigation():
        page.click("#publish")
    assert SPRING in page.inner_text("ins")
    assert "1通を新しい文面で作り直す" in page.inner_text("#main")
    with page.expect_navigation():
        page.click("button:has-text('1件を公開')")
    assert "公開しました。作り直したメール 1通。" in page.inner_text("#main")
    assert "第1版" in page.inner_text("#main")
    assert SPRING in ledger.body(11).text
    assert SPRING in (ledger.body(11).html or "")
    assert ledger.message(11).state is MessageState.IN_REVIEW
    assert time.monotonic() - began < 120
    assert desk.complaints == []


def test_findings_come_while_one_types_and_their_buttons_mend(
    open_desk: OpenDesk, desk_engine: Engine
) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto("/templates/edit/ja/order_thanks/rakuten/vip")
    assert page.inner_text("#fine") == "直すところはありません"
    page.click("#editor .cm-content")
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n次は、ぜひ公式サイトもご覧ください。")
    page.keyboard.insert_text("\n{{ お客様名_姓 }}様、またどうぞ。")
    page.wait_for_selector("#editor .dk-lint-e >> nth=1")
    assert page.inner_text("#errors") == "直すところ 2"
    assert page.get_attribute("#publish", "aria-disabled") == "true"
    page.click("#publish", force=True)
    assert released(desk_engine) == 0
    assert page.url.endswith("/rakuten/vip")
    page.click("button:has-text('この行を消す')")
    page.click("button:has-text('「様」を消す')")
    page.wait_for_selector("#fine:visible")
    assert page.input_value("#text").endswith("\n{{ お客様名_姓 }}、またどうぞ。")
    assert page.locator("#editor .dk-ph >> text=お客様名(姓)").count() == 1
    page.click(".dk-prev-chips >> text=名前なし")
    page.wait_for_selector("#paper >> text=お客様、またどうぞ。")
    page.keyboard.press("Control+s")
    page.wait_for_selector("text=下書きを保存しました")
    assert desk.complaints == []


def test_a_placeholder_is_put_in_by_its_label_and_the_html_is_framed(open_desk: OpenDesk) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto(f"/templates/edit/{VIP}")
    page.click(LINE)
    page.keyboard.press("End")
    page.click(".dk-edit-bar >> text=今回で○回目")
    assert "申し上げます。{{ 今回で_回目 }}" in page.input_value("#text")
    page.click(".dk-more >> summary:has-text('定型文')")
    page.click(".dk-pick:has-text('配信不要の案内')")
    assert '{% include "quiet" %}' in page.input_value("#text")
    page.wait_for_selector("#paper >> text=12回目")
    page.click("#frame")
    frame = page.frame_locator("#mailframe")
    frame.locator("text=12回目").wait_for()
    page.click(".dk-prev-chips >> text=10回目")
    frame.locator("text=10回目").wait_for()
    assert page.get_attribute("#mailframe", "sandbox") == ""
    assert desk.complaints == []


def test_without_script_the_words_are_changed_mended_and_published(
    open_desk: OpenDesk, desk_engine: Engine, ledger: Ledger
) -> None:
    desk = open_desk(1440, 1200, script=False)
    page = desk.page
    page.goto(f"/templates/edit/{VIP}")
    words = page.input_value("#text").replace("{{ お客様名 }}", f"{{{{ お客様名 }}}}様\n{SPRING}")
    page.fill("#text", words)
    page.click("button:has-text('点検とプレビュー')")
    assert "「様」が2回になります" in page.inner_text("#listed")
    page.click("button:has-text('「様」を消す')")
    assert SPRING in page.inner_text("#paper")
    page.click("#publish")
    page.fill("#note", "時候")
    page.click("button:has-text('1件を公開')")
    assert released(desk_engine) == 1
    assert SPRING in ledger.body(11).text


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_page_of_templates_is_wider_than_its_window(
    open_desk: OpenDesk, width: int, script: bool
) -> None:
    desk = open_desk(width, 844, script=script)
    page = desk.page
    wide = []
    for path in (
        "/templates",
        f"/templates/edit/{VIP}",
        "/templates/edit/ja/_blocks/own/signature",
        "/templates/publish",
        "/templates/versions",
        f"/templates/history/{VIP}",
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
