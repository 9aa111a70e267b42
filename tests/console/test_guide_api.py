"""The first week for programs: steps, a list beside, and no beginning by accident."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Engine

from tests.console.conftest import Enter
from tests.console.sample import NOW
from tests.console.test_guide import begun, unmailed
from worker.rules.states import Role
from worker.store.engine import reading
from worker.store.running import Audit

__all__ = ["unmailed"]
WHERE = {"channel": "own:main", "kind": "order_thanks"}
START = (NOW - timedelta(days=2)).isoformat()


def test_the_steps_are_told(enter: Enter) -> None:
    told = enter(Role.VIEWER).get("/api/v1/first-week").json()
    assert [name for name, done in told["steps"].items() if done] == [
        "shop", "channels", "consent",
    ]  # fmt: skip
    assert told["consent"][1]["number"] == 5


def test_a_kind_begins_only_with_the_true_number(
    enter: Enter, desk_engine: Engine, unmailed: int
) -> None:
    visitor = enter(Role.ADMIN)
    head = {"x-csrf-token": visitor.csrf, "origin": "http://desk.test"}
    asked = visitor.client.get("/api/v1/go-live", params={**WHERE, "start": START}).json()
    assert asked["messages"] > 0
    body = {**WHERE, "start": START, "switched_off": True}
    wrong = visitor.client.post(
        "/api/v1/go-live", json={**body, "messages": asked["messages"] + 1}, headers=head
    )
    assert (wrong.status_code, wrong.json()["error"]) == (409, "number")
    assert begun(desk_engine) == 0
    right = visitor.client.post(
        "/api/v1/go-live", json={**body, "messages": asked["messages"]}, headers=head
    )
    assert (right.status_code, right.json()) == (200, asked)
    with reading(desk_engine) as session:
        rows = session.scalars(sa.select(Audit.by).where(Audit.action == "go_live")).all()
    assert rows == ["管"]


def test_roles_reach_as_far_as_on_the_pages(enter: Enter, desk_engine: Engine) -> None:
    approver = enter(Role.APPROVER)
    head = {"x-csrf-token": approver.csrf, "origin": "http://desk.test"}
    body = {**WHERE, "start": START, "switched_off": True, "messages": 0}
    answer = approver.client.post("/api/v1/go-live", json=body, headers=head)
    assert answer.status_code == 403
    assert begun(desk_engine) == 0
    viewer = enter(Role.VIEWER)
    head = {"x-csrf-token": viewer.csrf, "origin": "http://desk.test"}
    told = viewer.client.post("/api/v1/rehearsal", json={**WHERE, "numbers": ["X"]}, headers=head)
    assert told.status_code == 403


def test_a_list_is_laid_beside(enter: Enter) -> None:
    visitor = enter(Role.EDITOR)
    head = {"x-csrf-token": visitor.csrf, "origin": "http://desk.test"}
    where = {**WHERE, "channel": "rakuten:main"}
    told = visitor.client.post(
        "/api/v1/rehearsal", json={**where, "numbers": ["X", "Y"]}, headers=head
    )
    assert told.json() == {"new": 2, "known": 0}
    days = {"first": "2026-11-20", "last": "2026-11-24"}
    found = visitor.client.get("/api/v1/rehearsal", params={**where, **days}).json()
    assert found["both"] == 0
    assert found["orders"] == found["ours_only"] + found["neither"]
    long = visitor.client.get("/api/v1/rehearsal", params={**where, **days, "last": "2026-12-30"})
    assert long.status_code == 422
