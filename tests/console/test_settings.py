"""設定 on the desk: forms that come back with mistakes, drafts, the count, who may publish."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine, select

from console.app import create_app
from tests.console.conftest import Clock, Enter
from tests.console.sample import KEY, NOW
from worker.pipeline.settings_tabs import TABS
from worker.releases import open_context, push
from worker.rules.states import Role
from worker.runtime import Runtime
from worker.settings import Settings
from worker.store.drafts import DocumentDraft, DraftCount
from worker.store.engine import reading, writing
from worker.store.running import Audit, Release

SPEND = "ranks.rungs.0.any_of.0.spend"
FOLLOW = "senders.families.rakuten.follow_up"


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


def marks(text: str) -> dict[str, str]:
    """Which texts the page's form was made from."""
    return dict(re.findall(r'name="(mark\.\w+)" value="(\w+)"', text))


def key(text: str) -> str:
    found = re.search(r'name="key" value="(\w+)"', text)
    assert found is not None
    return found[1]


def drafts(engine: Engine) -> dict[str, str]:
    with reading(engine) as session:
        rows = session.scalars(select(DocumentDraft)).all()
        return {row.name: row.parts[row.name] for row in rows}


def audited(engine: Engine) -> list[str]:
    with reading(engine) as session:
        return list(session.scalars(select(Audit.action).order_by(Audit.id)))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("path", [*TABS, "history", "text/shop", "ranks?propose=true"])
def test_every_page_opens_in_both_languages_without_inline_script(
    enter: Enter, path: str, language: str
) -> None:
    answer = enter(Role.ADMIN, language).get(f"/settings/{path}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert (
        re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son[a-z]+=", answer.text) == []
    )


def test_before_anything_is_changed_the_panel_is_empty_and_says_so(enter: Enter) -> None:
    page = enter(Role.ADMIN).get("/settings").text
    assert "まだ何も変えていません" in page
    assert "まだ公開した版はありません" in page
    assert 'action="/settings/publish"' not in page


def test_a_change_is_a_draft_is_counted_and_published_by_an_admin(
    enter: Enter, desk_engine: Engine, config_dir: Path
) -> None:
    clerk = enter(Role.EDITOR)
    form = marks(clerk.get("/settings/ranks").text)
    answer = clerk.send("/settings/ranks", **form, **{SPEND: "25,000"})
    assert answer.headers["location"] == "/settings/ranks?done=saved"
    assert "spend = 25000" in drafts(desk_engine)["config/ranks.toml"]
    page = clerk.get("/settings/ranks").text
    assert '<span class="dk-was">30,000</span>' in page
    assert "手直し 1か所" in page
    assert "数えています" in page
    clerk.send("/settings/count", back="/settings/ranks")
    page = clerk.get("/settings/ranks").text
    assert "公開は「管理」の権限でできます" in page
    assert clerk.send("/settings/publish", key="x", note="x").status_code == 403

    boss = enter(Role.ADMIN)
    page = boss.get("/settings/ranks").text
    told = boss.send(
        "/settings/publish", key=key(page), note="年末に広げる", back="/settings/ranks"
    )
    assert told.headers["location"] == "/settings/ranks?done=published"

    with reading(desk_engine) as session:
        files, release = session.scalars(select(Release).order_by(Release.id)).all()
        assert files.note.startswith("公開前の設定ファイル")
        assert (release.by, release.note) == ("管", "年末に広げる")
    page = boss.get("/settings/ranks").text
    assert "公開中 第2版" in page
    assert 'value="25,000"' in page
    assert drafts(desk_engine) == {}
    assert audited(desk_engine) == ["settings_draft", "settings_count", "settings_publish"]


def test_a_mistake_comes_back_at_its_field_with_what_was_typed_and_nothing_is_kept(
    enter: Enter, desk_engine: Engine
) -> None:
    clerk = enter(Role.EDITOR)
    form = marks(clerk.get("/settings/ranks").text)
    answer = clerk.send(
        "/settings/ranks", **form, **{SPEND: "たくさん", "ranks.rungs.0.label": "金"}
    )
    assert answer.status_code == 422
    assert "保存していません。直すところが1か所あります" in answer.text
    assert 'value="たくさん"' in answer.text
    assert 'value="金"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "数字で入れてください" in answer.text
    assert 'href="#f-ranks-rungs-0-any-of-0-spend"' in answer.text
    assert drafts(desk_engine) == {}
    assert audited(desk_engine) == []


def test_what_was_typed_is_escaped_when_it_comes_back(enter: Enter) -> None:
    clerk = enter(Role.EDITOR)
    form = marks(clerk.get("/settings/shop").text)
    bad = {"shop.name": '"><script>alert(1)</script>', "shop.contact.mail": "x"}
    answer = clerk.send("/settings/shop", **form, **bad)
    assert answer.status_code == 422
    assert "<script>alert(1)</script>" not in answer.text


def test_two_people_on_one_page_do_not_overwrite_each_other_blindly(
    enter: Enter, desk_engine: Engine
) -> None:
    clerk, boss = enter(Role.EDITOR), enter(Role.ADMIN)
    form = marks(clerk.get("/settings/review").text)
    boss.get("/settings/review")
    boss.send("/settings/review", **form, **{"review.undo_seconds": "60"})

    answer = clerk.send("/settings/review", **form, **{"review.undo_seconds": "120"})
    assert answer.status_code == 409
    assert "管が" in answer.text
    assert "<del>" in answer.text
    assert "<ins>" in answer.text
    assert 'value="120"' in answer.text
    assert "undo_seconds = 60" in drafts(desk_engine)["config/review.toml"]
    again = marks(answer.text)
    clerk.send("/settings/review", **again, **{"review.undo_seconds": "120"})
    assert "undo_seconds = 120" in drafts(desk_engine)["config/review.toml"]


def test_taking_over_a_mail_asks_for_the_tick_before_it_is_published(
    enter: Enter, desk_engine: Engine
) -> None:
    boss = enter(Role.ADMIN)
    form = marks(boss.get("/settings/ranks").text)
    boss.send("/settings/ranks", **form, **{FOLLOW: "okaeri"})
    boss.send("/settings/count", back="/settings/ranks")
    page = boss.get("/settings/ranks").text
    assert "受注管理の楽天 フォローメールを止めた" in page
    assert "公開より前の受注には送りません" in page
    values = {"key": key(page), "note": "楽天のフォローを始める"}
    refused = boss.send("/settings/publish", **values)
    assert refused.status_code == 409
    assert "確かめる印がそろっていません" in refused.text
    with reading(desk_engine) as session:
        assert session.scalars(select(Release)).all() == []
    tick = "check/off/rakuten/follow_up"
    assert boss.send("/settings/publish", **values, check=tick).status_code == 303


def test_what_was_counted_for_other_drafts_publishes_nothing(
    enter: Enter, desk_engine: Engine
) -> None:
    boss = enter(Role.ADMIN)
    form = marks(boss.get("/settings/review").text)
    boss.send("/settings/review", **form, **{"review.undo_seconds": "60"})
    boss.send("/settings/count")
    old = key(boss.get("/settings/review").text)
    form = marks(boss.get("/settings/review").text)
    boss.send("/settings/review", **form, **{"review.undo_seconds": "90"})
    refused = boss.send("/settings/publish", key=old, note="x")
    assert refused.status_code == 409
    assert "もう一度数えてから" in refused.text
    page = boss.get("/settings/review").text
    assert "dk-old" in page, "the old figures stay, greyed"


@pytest.mark.parametrize(
    "path", ["ranks", "count", "discard", "rebase", "text/shop", "history/1/restore", "publish"]
)
def test_a_viewer_looks_and_changes_nothing(enter: Enter, desk_engine: Engine, path: str) -> None:
    visitor = enter(Role.VIEWER)
    page = visitor.get("/settings/ranks").text
    assert '<fieldset class="dk-stack dk-plainset" disabled>' in page
    values = {"content": "x", "key": "x", SPEND: "1"}
    assert visitor.send(f"/settings/{path}", **values).status_code == 403
    assert drafts(desk_engine) == {}


def test_rows_are_added_without_script_by_the_buttons_of_the_form(
    enter: Enter, desk_engine: Engine
) -> None:
    clerk = enter(Role.EDITOR)
    form = marks(clerk.get("/settings/ranks").text)
    clerk.send("/settings/ranks", **form, do="add_rung")
    assert 'id = "rank2"' in drafts(desk_engine)["config/ranks.toml"]
    form = marks(clerk.get("/settings/calendar").text)
    days = {"new_busy_first": "2026-12-29", "new_busy_last": "2027-01-04"}
    clerk.send("/settings/calendar", **form, **days, do="add_busy")
    assert "12月29日から1月4日まで休業" in clerk.get("/settings/calendar").text
    assert clerk.send("/settings/calendar", **form, do="burn").status_code == 422


def test_versions_are_listed_with_their_difference_and_come_back_as_a_draft(
    enter: Enter, desk_engine: Engine, config_dir: Path
) -> None:
    boss = enter(Role.ADMIN)
    assert "まだ公開した版はありません" in boss.get("/settings/history").text
    with writing(desk_engine) as session:
        push(session, config_dir, "山田", "はじめ", NOW)
    form = marks(boss.get("/settings/review").text)
    boss.send("/settings/review", **form, **{"review.undo_seconds": "60"})
    boss.send("/settings/count")
    page = boss.get("/settings/review").text
    boss.send("/settings/publish", key=key(page), note="短く")
    page = boss.get("/settings/history").text
    assert "短く" in page
    (newest, *_rest) = re.findall(r"/settings/history/(\d+)", page)
    told = boss.get(f"/settings/history/{newest}").text
    assert "undo_seconds" in told
    assert "<ins>" in told
    assert "この版を下書きに入れる" not in told, "it is in force already"
    first = re.search(
        r"確認のしかた</th><td>[^<]*</td><td>山田.*?/settings/history/(\d+)", page, re.DOTALL
    )
    assert first is not None
    done = boss.send(f"/settings/history/{first[1]}/restore")
    assert done.headers["location"] == "/settings/review?done=restored"
    assert "undo_seconds = 300" in drafts(desk_engine)["config/review.toml"]
    assert boss.send("/settings/history/99999/restore").status_code == 422


def test_a_document_can_be_written_as_a_text_and_a_mistake_is_told_with_its_line(
    enter: Enter, desk_engine: Engine
) -> None:
    clerk = enter(Role.EDITOR)
    page = clerk.get("/settings/text/review").text
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark is not None
    wrong = clerk.send("/settings/text/review", content="undo = 60", mark=mark[1])
    assert wrong.status_code == 422
    assert "review.toml:1 undo" in wrong.text
    assert "undo = 60" in wrong.text
    clerk.send("/settings/text/review", content="undo_seconds = 60\r\n", mark=mark[1])
    assert drafts(desk_engine) == {"config/review.toml": "undo_seconds = 60\n"}
    stale = clerk.send("/settings/text/review", content="undo_seconds = 61", mark=mark[1])
    assert stale.status_code == 409
    assert clerk.get("/settings/text/secrets").status_code == 422


def test_drafts_are_thrown_away_and_the_count_with_them(enter: Enter, desk_engine: Engine) -> None:
    clerk = enter(Role.EDITOR)
    form = marks(clerk.get("/settings/review").text)
    clerk.send("/settings/review", **form, **{"review.undo_seconds": "60"})
    clerk.send("/settings/count")
    clerk.send("/settings/discard", back="/settings/review")
    assert drafts(desk_engine) == {}
    with reading(desk_engine) as session:
        assert session.scalars(select(DraftCount)).all() == []


def test_the_count_comes_as_a_part_of_the_page_where_htmx_asks(enter: Enter) -> None:
    clerk = enter(Role.EDITOR)
    form = marks(clerk.get("/settings/ranks").text)
    clerk.send("/settings/ranks", **form, **{SPEND: "25,000"})
    clerk.headers["hx-request"] = "true"
    answer = clerk.send("/settings/count", back="/settings/ranks")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'id="whatif"' in answer.text
    assert 'hx-swap-oob="innerHTML"' in answer.text


def test_a_form_leads_back_to_the_settings_and_nowhere_else(enter: Enter) -> None:
    clerk = enter(Role.EDITOR)
    clerk.get("/settings/review")
    for wanted in ("https://evil.example", "//evil.example", "/queue", "/settings-evil"):
        location = clerk.send("/settings/discard", back=wanted).headers["location"]
        assert location == "/settings?done=discarded"
