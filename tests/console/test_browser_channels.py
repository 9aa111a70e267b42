"""Channels in a real browser: logging in at a marketplace, progress by itself, a file, a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page
from sqlalchemy import Engine

from console import auth
from tests.connectors.thebase.stub import CLIENT, SECRET, BaseShop
from tests.console.browsers import Desk
from tests.console.conftest import NAMES, Clock
from tests.console.sample import KEY, NOW
from worker.pipeline.backfill_wish import note_progress, wish_backfill
from worker.pipeline.channel_vault import Keyring, sealed
from worker.rules.states import Role
from worker.store.channels import Channel
from worker.store.engine import reading, writing
from worker.store.orders import OrderRow
from worker.store.running import User

pytestmark = pytest.mark.browser
NAME = "own:base"
OpenAdmin = Callable[..., Desk]
HEADER = "order_number,ordered_at,status,payment_method,customer_id,email,name,item,quantity,total"


@pytest.fixture
def shop(address: str, desk_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseShop]:
    """A shop of BASE that nobody has logged in to yet."""
    back = f"{address}/channels/login/back"
    monkeypatch.setattr("tests.connectors.thebase.stub.REDIRECT", back)
    made = BaseShop()
    ring = Keyring.of(KEY)
    values = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uri": back}
    secrets = {name: sealed(ring, value, NOW) for name, value in values.items()}
    with writing(desk_engine) as session:
        session.add(
            Channel(
                name=NAME, kind="thebase", family="own", created_at=NOW, secrets=secrets,
                settings={"base_url": made.url},
            )
        )  # fmt: skip
    yield made
    made.loopback.stop()


@pytest.fixture
def open_admin(
    browser: Browser, address: str, desk_engine: Engine, clock: Clock
) -> Iterator[OpenAdmin]:
    """Opens the desk of an admin at a given width."""
    contexts = []

    def opening(width: int, *, script: bool = True) -> Desk:
        with writing(desk_engine) as session:
            user = session.scalars(sa.select(User).where(User.name == NAMES[Role.ADMIN])).one()
            token = auth.one_time_link(session, user, clock.now)
        context = browser.new_context(
            viewport={"width": width, "height": 900}, locale="ja-JP", base_url=address,
            java_script_enabled=script,
        )  # fmt: skip
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


def log_in(page: Page) -> None:
    page.goto(f"/channels/{NAME}")
    page.click("text=ログインする")
    page.click("text=モールのログイン画面を開く")
    page.wait_for_url("**done=login")


@pytest.mark.parametrize("script", [True, False])
def test_the_browser_goes_to_the_marketplace_and_comes_back_logged_in(
    open_admin: OpenAdmin, shop: BaseShop, script: bool
) -> None:
    desk = open_admin(1440, script=script)
    log_in(desk.page)
    assert "ログインできました。" in desk.page.inner_text(".dk-chan-said")
    desk.page.click("text=つながるか確かめる")
    assert "BASEに接続できました" in desk.page.inner_text(".dk-chan-said")
    assert desk.complaints == []


def test_progress_of_the_past_moves_by_itself(
    open_admin: OpenAdmin, shop: BaseShop, desk_engine: Engine
) -> None:
    with writing(desk_engine) as session:
        wish_backfill(session, NAME, None, "管", NOW)
        row = session.scalars(sa.select(Channel).where(Channel.name == NAME)).one()
        span = {"since": (NOW - timedelta(days=90)).isoformat(), "until": NOW.isoformat()}
        row.settings = {**row.settings, "backfill": span}
    desk = open_admin(1440)
    desk.page.goto(f"/channels/{NAME}")
    assert "0%" in desk.page.inner_text("#past-now")
    with writing(desk_engine) as session:
        note_progress(session, NAME, {"pages": 2, "orders": 40, "part": 0.5, "seconds_left": 90.0})
    desk.page.wait_for_selector("text=過去の取込 50%", timeout=15_000)
    assert "残り約2分" in desk.page.inner_text("#past-now")
    desk.page.click("text=ここで止める")
    desk.page.wait_for_selector("text=続きを取り込む")
    assert desk.complaints == []


@pytest.mark.parametrize("script", [True, False])
def test_a_file_is_looked_at_and_taken_in(
    open_admin: OpenAdmin, desk_engine: Engine, tmp_path: Path, script: bool
) -> None:
    path = tmp_path / "orders.csv"
    row = "X-1,2026-11-20T10:00:00+09:00,paid,card,m9,m9@example.jp,見本 太郎,煎茶,1,1200"
    path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    desk = open_admin(390, script=script)
    desk.page.goto("/channels/own:main")
    desk.page.set_input_files("#file", str(path))
    desk.page.click("text=中身を確かめる")
    desk.page.click("text=1件を取り込む")
    desk.page.wait_for_url("**done=imported*")
    for _ in range(100):
        with reading(desk_engine) as session:
            if session.scalar(sa.select(OrderRow.id).where(OrderRow.number == "X-1")):
                break
        desk.page.wait_for_timeout(50)
    desk.page.wait_for_timeout(200)
    desk.page.reload()
    assert "新規 1" in desk.page.inner_text(".dk-chan-imports")


@pytest.mark.parametrize("width", [360, 390, 768, 1024, 1366, 1440])
def test_no_page_of_channels_is_wider_than_its_window(
    open_admin: OpenAdmin, shop: BaseShop, width: int
) -> None:
    desk = open_admin(width)
    wide = []
    for path in (
        "/channels", f"/channels/{NAME}", f"/channels/{NAME}/keys", "/channels/new",
        "/channels/new?kind=yahoo", "/channels/new?kind=csv_file",
    ):  # fmt: skip
        desk.page.goto(path)
        taken = desk.page.evaluate("document.documentElement.scrollWidth")
        if taken > width + 1:
            wide.append((path, taken))
    assert (wide, desk.complaints) == ([], [])
