"""Texts for programs: the desk's own steps, roles and refusals."""

from __future__ import annotations

from typing import Any

from httpx import Response
from sqlalchemy import Engine, select

from tests.console.conftest import Enter, Ledger, Visitor
from tests.console.texts import VIP, app
from worker.rules.states import Role
from worker.store.engine import reading
from worker.store.running import Audit, Release

__all__ = ["app"]
ROOT = "/api/v1/templates"


def call(visitor: Visitor, path: str, body: dict[str, Any]) -> Response:
    token = visitor.client.get("/api/v1/me").json()["csrf"]
    answer: Response = visitor.client.post(
        f"{ROOT}/{path}", json=body, headers={"x-csrf-token": token}
    )
    return answer


def changed(visitor: Visitor, words: str) -> dict[str, Any]:
    text = visitor.client.get(f"{ROOT}/texts/{VIP}").json()
    parts = {**text["parts"], "text": text["parts"]["text"] + words}
    return {"parts": parts, "version": text["version"], "stamp": text["stamp"], "note": "n"}


def test_a_program_drafts_looks_over_and_publishes(
    enter: Enter, desk_engine: Engine, ledger: Ledger
) -> None:
    visitor = enter()
    cells = {c["name"]: c for c in visitor.client.get(ROOT).json()}
    assert cells[VIP] == {"name": VIP, "state": "own", "taken": VIP}
    body = changed(visitor, "\n季節の言葉。\n")
    assert call(visitor, f"look/{VIP}", body["parts"]).json() == []
    saved = call(visitor, f"texts/{VIP}", body).json()
    assert (saved["drafted"], saved["version"]) == (True, 1)
    told = visitor.client.get(f"{ROOT}/drafts").json()
    (draft,) = told["drafts"]
    assert (draft["name"], draft["errors"], told["rewritten"]) == (VIP, 0, 1)
    wanted = {"drafts": {draft["id"]: 1}, "number": 1, "note": "季節"}
    assert call(visitor, "publish", wanted).json() == {"release": 1, "rewritten": 1}
    assert "季節の言葉。" in ledger.body(11).text
    (version,) = visitor.client.get(f"{ROOT}/versions").json()
    assert (version["number"], version["texts"], version["note"]) == (1, [VIP], "季節")
    with reading(desk_engine) as session:
        actions = list(session.scalars(select(Audit.action)))
    assert actions == ["draft_template", "publish_templates"]


def test_stale_saves_wrong_words_and_other_numbers_are_refused(
    enter: Enter, desk_engine: Engine
) -> None:
    visitor = enter()
    body = changed(visitor, "\n{{ nobody }}\n")
    found = call(visitor, f"look/{VIP}", body["parts"]).json()
    assert [(f["code"], f["part"], f["severity"]) for f in found][:1] == [
        ("unknown_placeholder", "text", "error")
    ]
    assert call(visitor, f"texts/{VIP}", body).status_code == 200
    again = call(visitor, f"texts/{VIP}", body)
    assert (again.status_code, again.json()["error"]) == (409, "stale")
    wanted = {"drafts": {1: 1}, "number": 1, "note": "n"}
    assert call(visitor, "publish", wanted).json()["error"] == "draft_unfit"
    with reading(desk_engine) as session:
        assert session.scalar(select(Release.id)) is None
    assert call(visitor, f"drop/{VIP}", {"version": 9}).json()["error"] == "draft_changed"
    assert call(visitor, f"drop/{VIP}", {"version": 1}).json()["drafted"] is False


def test_roles_and_names_are_asked_for(enter: Enter) -> None:
    viewer, editor = enter(Role.VIEWER), enter(Role.EDITOR)
    assert call(viewer, f"texts/{VIP}", changed(viewer, "\nx\n")).status_code == 403
    assert call(editor, "publish", {"drafts": {}, "number": 0, "note": "n"}).status_code == 403
    assert editor.client.get(f"{ROOT}/texts/ja/nothing/own/vip").status_code == 422
    assert enter(None).client.get(ROOT).status_code == 401
