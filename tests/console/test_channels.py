"""Channels on the desk: webhooks from outside, and what is in trouble on today's page."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from tests.console.conftest import Enter
from tests.console.sample import KEY, NOW
from tests.toy_shop import SECRET, ToyServer, signed, toy
from worker.pipeline.channel_vault import Keyring, sealed
from worker.rules.states import Role
from worker.store.channels import Channel
from worker.store.engine import reading, writing
from worker.store.rewards import StaffTask

__all__ = ["toy"]
NAME = "own:toy"
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def channel(desk_engine: Engine, toy: ToyServer) -> None:
    ring = Keyring.of(KEY)
    secrets = {
        "hook": sealed(ring, SECRET, NOW),
        "key": sealed(ring, "v", NOW, NOW + timedelta(days=2, hours=1)),
    }
    with writing(desk_engine) as session:
        session.add(
            Channel(
                name=NAME, kind="toy", family="own", secrets=secrets, created_at=NOW,
                next_poll_at=LATER, last_success_at=NOW - timedelta(seconds=90),
            )
        )  # fmt: skip


def change(engine: Engine, **values: object) -> None:
    with writing(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == NAME)).one()
        for name, value in values.items():
            setattr(row, name, value)


def due(engine: Engine) -> datetime | None:
    with reading(engine) as session:
        return session.scalars(select(Channel.next_poll_at).where(Channel.name == NAME)).one()


def test_a_signed_webhook_needs_no_login_and_makes_the_poll_sooner(
    enter: Enter, desk_engine: Engine
) -> None:
    client = enter(None).client
    body = '{"id":1,"name":"見本"}'.encode()
    headers = {"X-Toy-Signature": signed(body), "X-Toy-Delivery": "d-1"}

    first = client.post(f"/hooks/{NAME}", content=body, headers=headers)
    assert (first.status_code, first.text) == (200, "taken")
    assert due(desk_engine) == NOW
    again = client.post(f"/hooks/{NAME}", content=body, headers=headers)
    assert (again.status_code, again.text) == (200, "repeated")


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [(NAME, b"{}", 401), ("own:absent", b"{}", 404), (NAME, b"x" * (2 * 1024 * 1024 + 1), 413)],
)
def test_anything_else_is_turned_away(
    enter: Enter, desk_engine: Engine, name: str, body: bytes, status: int
) -> None:
    assert enter(None).client.post(f"/hooks/{name}", content=body).status_code == status
    assert due(desk_engine) == LATER


def test_today_tells_what_is_wrong_with_a_channel_and_what_to_do(
    enter: Enter, desk_engine: Engine
) -> None:
    page = enter().get("/").text
    assert "鍵の期限" in page
    assert f"{NAME}　APIキー: あと3日" in page
    assert "取込が止まっています" not in page

    change(desk_engine, paused=True, pause_reason="キーを入れ直してください")
    page = enter(Role.APPROVER, "en").get("/").text
    assert "Orders are not coming in" in page
    assert "キーを入れ直してください" in page
    assert "API key: 3 days left" in page


def test_a_channel_that_lags_and_says_why_is_listed_after_an_hour(
    enter: Enter, desk_engine: Engine
) -> None:
    change(desk_engine, last_error="HTTP 503")
    assert "取込が遅れています" not in enter().get("/").text
    change(desk_engine, last_success_at=NOW - timedelta(hours=2))
    assert f"{NAME}　HTTP 503" in enter().get("/").text


def test_orders_that_differ_are_named_and_no_errand(enter: Enter, desk_engine: Engine) -> None:
    detail = {
        "channel": NAME, "missing": ["T-9"], "missing_count": 1, "extra": [], "extra_count": 0,
        "totals": [["T-1", 100, 200]], "totals_count": 1,
    }  # fmt: skip
    with writing(desk_engine) as session:
        session.add(StaffTask(kind="orders_differ", subject="x", detail=detail, created_at=NOW))
    page = enter().get("/").text
    assert f"{NAME}　2件: T-9、T-1" in page
    assert "担当者の用事" not in page


def test_figures_tell_lag_pause_and_the_end_of_credentials(enter: Enter) -> None:
    text = enter(None).get("/metrics").text
    assert f'okaeri_channel_paused{{channel="{NAME}"}} 0.0' in text
    assert f'okaeri_channel_lag_seconds{{channel="{NAME}"}} 90.0' in text
    left = timedelta(days=2, hours=1).total_seconds()
    assert f'okaeri_credential_seconds_left{{channel="{NAME}",credential="key"}} {left}' in text
