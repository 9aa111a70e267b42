"""Debian's chromium and a desk to open in it: fixtures of the browser tests."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from console import auth
from tests.needs import absent
from worker.rules.states import Role
from worker.store.engine import writing
from worker.store.running import User

if TYPE_CHECKING:
    from tests.console.conftest import Clock

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
    """Debian's chromium; skips where there is none. One for all modules: two cannot run at once."""
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
    # Here and not at the top: that file names these fixtures.
    from tests.console.conftest import NAMES

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
