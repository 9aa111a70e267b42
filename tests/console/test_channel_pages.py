"""連携 on the desk: how a channel is, what a clerk does with it, and who may."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from console.views.channel_words import ago, in_language, lasting
from console.words import words_of
from tests.console.conftest import Enter
from tests.console.sample import KEY, NOW
from tests.toy_shop import KEY as TOY_KEY
from tests.toy_shop import ToyServer, toy
from worker.pipeline.backfill_wish import wish_of
from worker.pipeline.channel_vault import Keyring, sealed
from worker.rules.states import Role
from worker.store.channels import Channel, StreamState
from worker.store.engine import reading, writing
from worker.store.running import Audit

__all__ = ["toy"]
NAME = "own:toy"
PAGE = f"/channels/{NAME}"


@pytest.fixture(autouse=True)
def channel(desk_engine: Engine, toy: ToyServer) -> None:
    ring = Keyring.of(KEY)
    secrets = {"key": sealed(ring, TOY_KEY, NOW, NOW + timedelta(days=2, hours=1))}
    with writing(desk_engine) as session:
        session.add(
            Channel(
                name=NAME, kind="toy", family="own", title="見本の店", secrets=secrets,
                settings={"base_url": toy.loopback.url}, created_at=NOW,
                next_poll_at=NOW + timedelta(minutes=5), last_success_at=NOW - timedelta(hours=2),
            )
        )  # fmt: skip


def change(engine: Engine, **values: object) -> None:
    with writing(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == NAME)).one()
        for name, value in values.items():
            setattr(row, name, value)


def stored(engine: Engine, name: str = NAME) -> Channel:
    with reading(engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == name)).one()
        session.expunge(row)
    return row


def audited(engine: Engine) -> list[tuple[str, str]]:
    with reading(engine) as session:
        rows = session.execute(select(Audit.by, Audit.action).order_by(Audit.id)).all()
    return [(row.by, row.action) for row in rows]


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/channels", PAGE, f"{PAGE}?done=pull", f"{PAGE}/keys", "/channels/new",
        "/channels/new?kind=toy", "/channels/new?kind=csv_file", "/channels/new?kind=yahoo",
    ],
)  # fmt: skip
def test_every_page_opens_in_both_languages_without_inline_script(
    enter: Enter, path: str, language: str
) -> None:
    answer = enter(Role.ADMIN, language).get(path)
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert (
        re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", answer.text) == []
    )


def test_the_list_begins_with_what_needs_somebody(enter: Enter, desk_engine: Engine) -> None:
    page = enter().get("/channels").text
    assert "良好" in page
    assert "あと3日" in page
    change(desk_engine, paused=True, last_error="x", pause_reason="鍵が違います。The key is wrong.")
    page = enter().get("/channels").text
    assert "止まっています" in page
    assert page.index("/channels/own:toy") < page.index("/channels/own:main")
    assert "The key is wrong" not in page
    assert "The key is wrong" in enter(Role.APPROVER, "en").get("/channels").text


def test_a_channel_tells_its_error_with_the_remedy_its_keys_and_how_far_it_is_read(
    enter: Enter, desk_engine: Engine
) -> None:
    change(desk_engine, last_error=f"{NAME}: HTTP 503")
    with writing(desk_engine) as session:
        row = session.scalars(select(Channel).where(Channel.name == NAME)).one()
        mark = (NOW - timedelta(hours=2)).isoformat()
        session.add(StreamState(channel_id=row.id, stream="orders", watermark=mark, failures=3))
    page = enter().get(PAGE).text
    assert "自動でやり直します" in page
    assert "HTTP 503" in page
    assert "2時間前" in page
    assert "続けて3回 失敗" in page
    assert "7:40" in page, "the watermark in the shop's zone"
    assert "あと3日" in page
    assert TOY_KEY not in page


def test_pull_pause_and_resume_do_so_and_are_noted(enter: Enter, desk_engine: Engine) -> None:
    clerk = enter(Role.EDITOR)
    assert clerk.send(f"{PAGE}/pull").headers["location"] == f"{PAGE}?done=pull"
    assert stored(desk_engine).next_poll_at == NOW
    clerk.send(f"{PAGE}/pause", reason="棚卸し")
    assert (stored(desk_engine).paused, stored(desk_engine).pause_reason) == (True, "棚卸し")
    assert "取込を再開" in clerk.get(PAGE).text
    clerk.send(f"{PAGE}/resume")
    assert not stored(desk_engine).paused
    assert audited(desk_engine) == [
        ("中村", "channel_pull"),
        ("中村", "channel_pause"),
        ("中村", "channel_resume"),
    ]


def test_the_connection_is_tried_and_told_in_words(
    enter: Enter, desk_engine: Engine, toy: ToyServer
) -> None:
    clerk = enter(Role.EDITOR)
    assert "つながりました。" in clerk.send(f"{PAGE}/check").text
    toy.key = "another"
    assert "401" in clerk.send(f"{PAGE}/check").text
    toy.loopback.stop()
    assert "いまは確かめられません" in clerk.send(f"{PAGE}/check").text
    assert audited(desk_engine)[0] == ("中村", "channel_check")


def test_the_past_is_wished_for_shown_and_stopped(enter: Enter, desk_engine: Engine) -> None:
    clerk = enter(Role.EDITOR)
    clerk.send(f"{PAGE}/backfill", since="2026-01-01")
    wish = wish_of(stored(desk_engine))
    assert wish is not None
    assert wish.since is not None
    assert wish.since.isoformat() == "2026-01-01T00:00:00+09:00"
    assert "順番を待っています" in clerk.get(PAGE).text
    span = {"since": wish.since.isoformat(), "until": NOW.isoformat()}
    gone = {"pages": 3, "orders": 40, "part": 0.25, "seconds_left": 600.0, "at": NOW.isoformat()}
    settings = {**stored(desk_engine).settings, "backfill": {**span, "progress": gone}}
    change(desk_engine, settings=settings)
    part = clerk.get(f"{PAGE}/past").text
    assert "過去の取込 25%" in part
    assert "残り約10分" in part
    assert "every 5s" in part
    clerk.send(f"{PAGE}/backfill/stop")
    assert wish_of(stored(desk_engine)) is None
    assert "続きを取り込む" in clerk.get(PAGE).text
    assert clerk.send(f"{PAGE}/backfill", since="いつか").status_code == 422
    refused = clerk.send("/channels/own:main/backfill")
    assert refused.status_code == 409
    assert "受注ファイルのチャネル" in refused.text


@pytest.mark.parametrize("act", ["pull", "pause", "resume", "check", "backfill", "backfill/stop"])
def test_a_viewer_changes_nothing_and_a_foreign_form_neither(
    enter: Enter, desk_engine: Engine, act: str
) -> None:
    before = stored(desk_engine).settings
    assert enter(Role.VIEWER).send(f"{PAGE}/{act}").status_code == 403
    clerk = enter(Role.EDITOR)
    clerk.csrf = "foreign"
    assert clerk.send(f"{PAGE}/{act}").status_code == 403
    assert clerk.client.get(f"{PAGE}/{act}").status_code in (404, 405, 422)
    row = stored(desk_engine)
    assert (row.paused, row.settings) == (False, before)
    assert audited(desk_engine) == []


@pytest.mark.parametrize("act", ["pull", "pause", "resume", "check", "backfill", "keys", "login"])
def test_a_channel_that_is_not_there_is_told(enter: Enter, act: str) -> None:
    assert enter(Role.ADMIN).send(f"/channels/own:absent/{act}").status_code == 422
    assert enter(Role.ADMIN).get("/channels/own:absent").status_code == 422


def test_only_an_admin_sees_the_forms_for_keys(enter: Enter) -> None:
    for role in (Role.VIEWER, Role.EDITOR, Role.APPROVER):
        visitor = enter(role)
        for path in ("/channels/new", "/channels/new?kind=toy", f"{PAGE}/keys"):
            assert visitor.get(path).status_code == 403
        assert "鍵の入れ直しは、管理の権限" in visitor.get(PAGE).text
        for path in ("/channels/new", f"{PAGE}/keys", f"{PAGE}/login"):
            assert visitor.send(path).status_code == 403


def test_words_of_time_and_language() -> None:
    ja, en = words_of("ja"), words_of("en")
    assert ago(None, NOW, ja) == ""
    assert ago(NOW - timedelta(seconds=59), NOW, ja) == "たったいま"
    assert ago(NOW - timedelta(minutes=1), NOW, en) == "1 minute ago"
    assert ago(NOW - timedelta(hours=47), NOW, ja) == "1日前"
    assert (lasting(1, ja), lasting(3600, ja), lasting(3661, en)) == (
        "1分",
        "1時間",
        "1 hour 2 minutes",
    )
    both = "鍵が違います (401)。The key 設定 is wrong (401). 直してください。Correct it."
    assert in_language(both, "ja") == "鍵が違います (401)。直してください。"
    assert in_language(both, "en") == "The key 設定 is wrong (401). Correct it."
    assert in_language("HTTP 503", "ja") == "HTTP 503"
