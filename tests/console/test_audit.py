"""Every act of a person at the desk leaves its row: who, when, what, and nothing personal."""

from __future__ import annotations

import inspect
import json
import re

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine

from console.words import words_of
from tests.console.conftest import Enter, Ledger
from tests.console.sample import NOW, PEOPLE, message_id
from tests.folders import ROOT
from worker.rules.states import Role
from worker.store.running import Audit

ELSEWHERE = {
    "enter": "a login is a row of its own, and its failures are counted",
    "enter_code": "the same login's second step",
    "leave": "a login is a row of its own",
    "language": "the user's own taste",
}
"""Routes that write no row, and why."""

BY_THE_STEP = frozenset(
    {
        "console.pages.channels",
        "console.pages.me",
        "console.pages.users",
        "console.api_access",
        "console.api_channels",
        "console.api_guide",
        "console.pages.guide",
    }
)
"""Modules whose steps write the rows themselves: the command line shares them."""

WRITES = ("visit.act(", "_done(visit,", "return _load(visit,", "return _write(visit,")
"""What opens a transaction with its row; ``_done`` is the one of all changes by JSON, the last
two those of the pages of coupons."""


def rows(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        found = connection.execute(
            sa.select(Audit.by, Audit.action, Audit.subject).order_by(Audit.id)
        )
        return [(row[0], row[1], row[2]) for row in found]


def routes(app: FastAPI) -> list[APIRoute]:
    """Everything that a form or a program may send."""
    found: list[APIRoute] = []
    waiting = list(app.router.routes)
    while waiting:
        route = waiting.pop()
        waiting += getattr(getattr(route, "original_router", None), "routes", [])
        if isinstance(route, APIRoute) and "POST" in (route.methods or set()):
            found.append(route)
    return found


def _only_looks(route: APIRoute) -> bool:
    """A preview is sent as a form for its length alone; it opens no writing transaction."""
    source = inspect.getsource(route.endpoint)
    return "visit.read()" in source and "visit.write(" not in source


def test_every_form_of_the_desk_writes_its_row(app: FastAPI) -> None:
    desk = [r for r in routes(app) if r.endpoint.__module__.startswith("console.")]
    assert len(desk) > 20
    silent = sorted(
        f"{route.endpoint.__module__}.{route.endpoint.__name__}"
        for route in desk
        if route.endpoint.__module__ not in {"console.hooks", "console.health"}
        and route.endpoint.__name__ not in ELSEWHERE
        and not any(route.endpoint.__module__.startswith(module) for module in BY_THE_STEP)
        and not _only_looks(route)
        and not any(way in inspect.getsource(route.endpoint) for way in WRITES)
    )
    assert silent == []


def test_an_act_and_its_row_are_one(enter: Enter, ledger: Ledger, desk_engine: Engine) -> None:
    visitor = enter()
    path = f"/messages/{message_id(6)}/approve"
    assert visitor.send(path, version=99).status_code == 409
    assert rows(desk_engine) == []
    assert visitor.send(path, version=ledger.message(6).version).status_code == 303
    assert rows(desk_engine) == [("森本", "approve", f"message:{message_id(6)}")]
    with desk_engine.connect() as connection:
        assert connection.scalar(sa.select(Audit.at)) == NOW


def test_what_programs_do_is_told_alike(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    token = {"x-csrf-token": visitor.client.get("/api/v1/me").json()["csrf"]}
    visitor.client.post("/api/v1/stops", json={"reason": "x"}, headers=token)
    assert rows(desk_engine) == [("中村", "stop", "")]


def test_each_change_by_a_program_has_its_row(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter(Role.EDITOR)
    token = {"x-csrf-token": visitor.client.get("/api/v1/me").json()["csrf"]}
    path = f"/api/v1/messages/{message_id(6)}"
    held = visitor.client.post(f"{path}/hold", json={"version": 1}, headers=token).json()
    visitor.client.post(f"{path}/release", json={"version": held["version"]}, headers=token)
    subject = f"message:{message_id(6)}"
    assert rows(desk_engine) == [("中村", "hold", subject), ("中村", "release", subject)]


def test_an_export_of_personal_data_is_told(enter: Enter, desk_engine: Engine) -> None:
    enter(Role.EDITOR).get("/packing.csv")
    assert rows(desk_engine) == [("中村", "export_packing", "")]


def test_no_row_holds_anything_personal(enter: Enter, desk_engine: Engine) -> None:
    visitor = enter()
    visitor.send("/candidates/1", answer="other")
    visitor.send("/packing/1")
    visitor.send("/stops", kind="order_thanks", reason="文面に誤り")
    with desk_engine.connect() as connection:
        told = json.dumps(
            [row.detail for row in connection.execute(sa.select(Audit.detail))], ensure_ascii=False
        )
    assert not any(person.name in told or person.address in told for person in PEOPLE)


_ACTS = re.compile(r"""(?:\.act\(\s*|\baction=|_note\(session, |\bnote\(session, )"([a-z_]+)\"""")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_act_is_told_in_words(language: str) -> None:
    files = [path for top in ("console", "worker") for path in (ROOT / top).rglob("*.py")]
    acts = {name for path in files for name in _ACTS.findall(path.read_text("utf-8"))}
    assert len(acts) > 60
    words = words_of(language)
    assert sorted(name for name in acts if not words.has(f"audit_action.{name}")) == []
