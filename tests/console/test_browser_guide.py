"""The first page and the first week in a real browser: widths, a list beside, a start by number."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.rich import enrich
from tests.console.sample import NOW
from tests.console.test_browser_channels import OpenAdmin, open_admin
from worker.rules.states import MailKind
from worker.store.channels import Channel, ChannelKind
from worker.store.engine import reading, writing
from worker.store.messages import Occasion
from worker.store.orders import OrderRow

__all__ = ["open_admin"]
pytestmark = pytest.mark.browser
PAGES = ("/", "/guide", "/guide/rehearsal", "/guide/live?channel=own:main&kind=order_thanks")


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1366, 1440])
def test_no_page_is_wider_than_its_window(
    open_admin: OpenAdmin, desk_engine: Engine, width: int
) -> None:
    with writing(desk_engine) as session:
        enrich(session)
    desk = open_admin(width)
    wide = []
    for path in PAGES:
        desk.page.goto(path)
        if desk.page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(path)
    assert wide == []
    assert desk.complaints == []


@pytest.mark.parametrize("script", [True, False])
def test_a_kind_begins_only_with_its_number(
    open_admin: OpenAdmin, desk_engine: Engine, script: bool
) -> None:
    with writing(desk_engine) as session:
        session.execute(sa.delete(Occasion))
        session.execute(sa.update(OrderRow).values(ordered_at=NOW - timedelta(hours=1)))
        session.execute(sa.update(Channel).values(last_success_at=NOW + timedelta(days=9)))
    page = open_admin(1440, script=script).page
    page.goto("/guide#live")
    page.click("#live tr:first-child >> text=開始…")
    page.fill("#start", "2026-11-23")
    page.click("text=数え直す")
    number = int(page.inner_text(".dk-bignum").removesuffix("通"))
    assert number > 0
    page.check("[name=switched_off]")
    page.fill("#typed", str(number + 1))
    page.click(f"text={number}通で開始")
    assert "入れた数が、いまの通数と違います" in page.inner_text("[role=alert]")
    page.check("[name=switched_off]")
    page.fill("#typed", str(number))
    page.click(f"text={number}通で開始")
    assert "開始しました" in page.inner_text("[role=status]")
    with reading(desk_engine) as session:
        row = session.execute(sa.select(ChannelKind.kind, ChannelKind.active_from)).one()
    assert row.kind is MailKind.ORDER_THANKS
    assert row.active_from == NOW.replace(day=22, hour=15, minute=0)


def test_a_list_is_typed_in_and_laid_beside(open_admin: OpenAdmin, desk_engine: Engine) -> None:
    with reading(desk_engine) as session:
        number = session.scalars(sa.select(OrderRow.number).where(OrderRow.channel_id == 2)).first()
    page = open_admin(390).page
    page.goto("/guide/rehearsal?channel=rakuten:main&kind=order_thanks&last=2026-11-24")
    page.fill("#numbers", f"{number}\nX-404")
    page.click("text=入れて見比べる")
    page.wait_for_selector("text=2件を聞いています")
    assert "X-404" in page.inner_text("main")
    page.click("text=2件の一覧を消す")
    page.wait_for_selector("text=一覧を消しました")
