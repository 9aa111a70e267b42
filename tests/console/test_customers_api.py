"""Customers for programs: found, read and written by the same rules as on the pages."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter, Visitor
from tests.console.rich import PERSON, enrich
from worker.rules.states import Role
from worker.store.customers import Suppression
from worker.store.engine import writing
from worker.store.running import Audit

CARD = f"/api/v1/customers/{PERSON}"


@pytest.fixture(autouse=True)
def _rich(desk_engine: Engine) -> None:
    with writing(desk_engine) as session:
        enrich(session)


def send(visitor: Visitor, path: str, body: dict[str, Any]) -> Any:
    token = {"x-csrf-token": visitor.client.get("/api/v1/me").json()["csrf"]}
    return visitor.client.post(path, json=body, headers=token)


def test_customers_are_found_and_paged(enter: Enter) -> None:
    client = enter(Role.VIEWER).client
    found = client.get("/api/v1/customers?q=2011").json()
    assert [row["name"] for row in found["rows"]] == ["藤原 千鶴"]
    first = client.get("/api/v1/customers?sort=kana&limit=10").json()
    rest = client.get(f"/api/v1/customers?sort=kana&limit=10&after={first['after']}").json()
    names = [row["name"] for row in (*first["rows"], *rest["rows"])]
    assert (len(names), len(set(names)), rest["after"]) == (18, 18, "")
    assert names[0] == "青木 瑞希"
    assert client.get("/api/v1/customers?after=x").status_code == 422


def test_a_card_holds_standings_and_notes(enter: Enter) -> None:
    card = enter(Role.VIEWER).client.get(CARD).json()
    assert card["customer"]["spend"] == 128640
    assert {one["scope"]: one["orders"] for one in card["standings"]} == {
        "*": 15,
        "own": 12,
        "rakuten:main": 3,
    }
    assert [note["open"] for note in card["notes"]] == [True, False]
    missing = enter(Role.VIEWER).client.get("/api/v1/customers/999")
    assert (missing.status_code, missing.json()["error"]) == (409, "customer_unknown")


def test_a_note_is_written_changed_and_finished(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    made = send(visitor, f"{CARD}/notes", {"said": "包みは紫で", "open": True}).json()
    assert (made["open"], made["by"]) == (True, "中村")
    changed = {"said": "紫の風呂敷で", "ask_by": "2026-12-01", "version": made["version"]}
    after = send(visitor, f"/api/v1/notes/{made['id']}", changed).json()
    assert after["ask_by"] == "2026-12-01"
    stale = send(visitor, f"/api/v1/notes/{made['id']}/done", {"version": made["version"]})
    assert (stale.status_code, stale.json()["error"]) == (409, "stale")
    done = send(visitor, f"/api/v1/notes/{made['id']}/done", {"version": after["version"]}).json()
    assert done["open"] is False
    opened = send(visitor, f"/api/v1/notes/{made['id']}/reopen", {"version": done["version"]})
    assert opened.json()["open"] is True
    with desk_engine.connect() as connection:
        acts = list(connection.scalars(sa.select(Audit.action).order_by(Audit.id)))
    assert acts == ["write_note", "edit_note", "finish_note", "reopen_note"]


def test_fields_left_out_stay(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    changed = send(visitor, f"{CARD}/fields", {"birthday": "1960-02-03"}).json()
    assert changed == {"fields": ["birthday"]}
    row = visitor.client.get(CARD).json()["customer"]
    assert (row["birthday"], row["phone"]) == ("1960-02-03", "090-0000-2011")


def test_roles_reach_as_far_as_on_the_pages(enter: Enter, desk_engine: Engine) -> None:
    viewer, editor, approver = enter(Role.VIEWER), enter(Role.EDITOR), enter(Role.APPROVER)
    stop = {"what": "ads", "note": "電話"}
    assert send(viewer, f"{CARD}/stop", stop).status_code == 403
    block = send(editor, f"{CARD}/stop", stop).json()["id"]
    path = f"/api/v1/suppressions/{block}/lift"
    assert send(editor, path, {"word": "希望"}).status_code == 403
    assert send(approver, path, {"word": "希望"}).status_code == 200
    with desk_engine.connect() as connection:
        assert connection.scalar(sa.select(Suppression.lifted_at)) is not None


def test_errands_and_bounces(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    path = "/api/v1/messages/01KAZRICH00000000000000000/bounced"
    assert send(visitor, path, {"word": "5.1.1"}).json()["state"] == "bounced"
    errands = visitor.client.get("/api/v1/tasks").json()
    assert [row["kind"] for row in errands] == ["ask_address", "void_coupon", "ask_address"]
    close = f"/api/v1/tasks/{errands[0]['id']}/close"
    assert send(visitor, close, {"word": ""}).json()["error"] == "word_required"
    assert send(visitor, close, {"word": "伺った"}).status_code == 200
    assert len(visitor.client.get("/api/v1/tasks").json()) == 2


def test_words_for_the_next_mail_are_written(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    answer = send(visitor, f"{CARD}/lines", {"personal_line": "お写真をありがとうございました。"})
    assert answer.status_code == 200
    card = visitor.client.get(CARD).json()
    assert (card["personal_line"], card["question_line"]) == (
        "お写真をありがとうございました。",
        "",
    )


def test_ranks_consents_and_rewards_ask_for_an_approver(enter: Enter) -> None:
    editor, approver = enter(Role.EDITOR), enter(Role.APPROVER)
    pin = {"scope": "own", "rank": "repeat", "until": "2027-01-31"}
    heard = {"channel_id": 1, "agreed": False, "evidence": "11/24 電話"}
    for path, body in ((f"{CARD}/pin", pin), (f"{CARD}/consent", heard)):
        assert send(editor, path, body).status_code == 403
        assert send(approver, path, body).status_code == 200
    assert send(approver, f"{CARD}/pin", pin | {"rank": "none"}).status_code == 422
    assert send(approver, "/api/v1/customers/999/pin", pin).status_code == 409
    assert send(approver, f"{CARD}/unpin", {"scope": "own"}).status_code == 200
    assert send(approver, "/api/v1/rewards/2", {"give": False}).status_code == 200
    assert send(approver, "/api/v1/rewards/2", {"give": False}).json()["error"] == "grant"
