"""The packing bench in a real browser: print, tick, on paper, on a phone, without script."""

from __future__ import annotations

import re
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.browsers import OpenDesk
from tests.console.busy import sell
from tests.console.conftest import make_context
from tests.console.gifts import give
from worker.store.engine import reading, writing
from worker.store.rewards import PackingItem

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _bench(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        give(session, make_context())


def counted(engine: Engine, column: Any) -> int:
    with reading(engine) as session:
        found = session.scalar(sa.select(sa.func.count()).where(column.is_not(None)))
        return found or 0


def test_cards_are_printed_on_whole_sheets_and_marked(
    open_desk: OpenDesk, desk_engine: Engine
) -> None:
    desk = open_desk(1440, 900)
    page = desk.page
    page.goto("/packing")
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.keyboard.press("p")
    assert page.title() == "printed"
    paper = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 2
    with page.expect_navigation():
        page.click("button:has-text('印刷済みにする(5枚)')")
    assert counted(desk_engine, PackingItem.printed_at) == 5
    assert page.locator(".dk-sheet").count() == 0
    assert desk.complaints == []


def test_on_paper_only_the_cards_are_left(open_desk: OpenDesk) -> None:
    page = open_desk(1440, 900).page
    page.goto("/packing")
    page.emulate_media(media="print")
    for hidden in (".dk-head", ".dk-packtable", ".dk-tabs", ".dk-side", ".dk-sheet-head >> nth=0"):
        assert not page.is_visible(hidden), hidden
    box = page.locator(".dk-sheet >> nth=0").bounding_box()
    assert box is not None
    assert (round(box["width"]), round(box["height"])) == (794, 1121)
    cards = page.locator(".dk-a6")
    for place in range(cards.count()):
        over = cards.nth(place).evaluate("e => e.scrollHeight - e.clientHeight")
        assert over <= 0, cards.nth(place).inner_text()


def test_on_a_phone_without_script_a_parcel_is_ticked(
    open_desk: OpenDesk, desk_engine: Engine
) -> None:
    page = open_desk(390, 844, script=False).page
    page.goto("/packing")
    assert not page.is_visible("[data-prints]")
    page.click(".dk-packtable button.dk-tick >> nth=0")
    assert counted(desk_engine, PackingItem.packed_at) == 2


@pytest.mark.parametrize("width", [360, 768, 1024, 1440])
def test_no_page_of_gifts_or_reports_is_wider_than_its_window(
    open_desk: OpenDesk, desk_engine: Engine, width: int
) -> None:
    with writing(desk_engine) as session:
        sell(session, make_context(), people=40)
    desk = open_desk(width, 844)
    wide = []
    for path in ("/packing", "/reports", "/coupons", "/coupons/new/single", "/coupons/new/live"):
        desk.page.goto(path)
        if desk.page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(path)
    assert wide == []
    assert desk.complaints == []
