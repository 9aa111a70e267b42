"""A desk whose texts can be published, for tests of the pages of templates."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine

from console.app import create_app
from tests.console.conftest import Clock
from tests.console.sample import KEY
from worker.releases import open_context
from worker.runtime import Runtime
from worker.settings import Settings

VIP = "ja/order_thanks/own/vip"
GREETING = "いつも{{ 店名 }}をお引き立てくださり、厚く御礼申し上げます。"


@pytest.fixture
def app(desk_engine: Engine, clock: Clock, tmp_path: Path, config_dir: Path) -> Iterator[FastAPI]:
    """A desk over the shop's own files, as the service opens it."""
    url = desk_engine.url.render_as_string(hide_password=False)
    key = SecretStr(base64.b64encode(KEY).decode())
    settings = Settings(data=tmp_path, config=config_dir, database_url=url, key=key)
    runtime = Runtime(settings)
    yield create_app(
        desk_engine,
        lambda session: open_context(settings, session),
        data_dir=tmp_path,
        clock=clock,
        recheck=None,
        runtime=runtime,
    )
    runtime.dispose()
