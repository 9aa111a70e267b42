"""Every call of the JSON desk under odd requests: it answers as its description says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import Engine

from tests.console.conftest import Clock, Enter
from worker.pipeline.users_tokens import make_token
from worker.rules.states import Role
from worker.store.engine import reading, writing
from worker.store.running import Audit

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
"""No fault of ours, no status and no shape that the description does not tell."""
EXAMPLES = 6
"""Requests for each call that fit its description, and as many that do not."""


@pytest.fixture
def operations(app: FastAPI) -> list[Any]:
    """Every call, read off the running application's own description."""
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    found = [each.ok() for each in described.get_all_operations() if isinstance(each, Ok)]
    # Last what may revoke the very token that asks.
    return sorted(found, key=lambda operation: operation.path.endswith("/revoke"))


@pytest.fixture
def bearer(desk_engine: Engine, clock: Clock) -> dict[str, str]:
    """Shows a token that may do everything a program may."""
    with writing(desk_engine) as session:
        secret = make_token(session, "test", Role.ADMIN, 30, by="test", now=clock.now)[1]
    return {"authorization": f"Bearer {secret}"}


def thrown_at(operation: Any, mode: GenerationMode, call: Callable[[Any], None]) -> None:
    """Call an operation with requests that fit its description, or with some that do not."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def calling(case: Any) -> None:
        call(case)

    calling()


def test_every_call_answers_as_it_says(operations: list[Any], bearer: dict[str, str]) -> None:
    assert len(operations) > 50
    statuses: set[int] = set()

    def call(case: Any) -> None:
        answer = case.call(headers=bearer)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for operation in operations[:-1]:
        for mode in GenerationMode:
            thrown_at(operation, mode, call)
    # The odd requests got further than the door, and some did something.
    assert {200, 409, 422} <= statuses
    assert 401 not in statuses
    thrown_at(operations[-1], GenerationMode.POSITIVE, call)


def test_no_call_answers_a_stranger_or_a_made_up_token(app: FastAPI, enter: Enter) -> None:
    stranger = enter(None).client
    paths = app.openapi()["paths"]
    calls = [(verb, path) for path, verbs in paths.items() for verb in verbs]
    assert len(calls) > 50
    for headers in ({}, {"authorization": "Bearer okaeri_guess"}):
        answered = {
            (verb, path): stranger.request(verb, path, headers=headers).status_code
            for verb, path in calls
            if path.startswith("/api/")
        }
        assert {call for call, status in answered.items() if status != 401} == set()


def test_every_refusal_has_the_same_shape(app: FastAPI, enter: Enter) -> None:
    viewer = enter(Role.VIEWER).client
    answers = [
        enter(None).client.get("/api/v1/me"),
        viewer.post("/api/v1/stops", json={}),
        viewer.get("/api/v1/users"),
        viewer.get("/api/v1/messages/none"),
        viewer.get("/api/v1/nothing"),
        viewer.put("/api/v1/me"),
        viewer.get("/api/v1/messages?limit=0"),
    ]
    assert [answer.status_code for answer in answers] == [401, 403, 403, 404, 404, 405, 422]
    for answer in answers:
        assert set(answer.json()) == {"error", "words"}
        assert all(isinstance(value, str) for value in answer.json().values())


def test_a_program_cannot_make_itself_another_way_in(enter: Enter, bearer: dict[str, str]) -> None:
    program = enter(None).client
    calls = (
        ("/api/v1/tokens", {"name": "x", "role": "admin", "days": 30}),
        ("/api/v1/users/1/link", None),
        ("/api/v1/users/1/second_step/drop", None),
    )
    for path, body in calls:
        answer = program.post(path, json=body, headers=bearer)
        assert (answer.status_code, answer.json()["error"]) == (403, "program")


def test_a_list_that_a_program_takes_along_is_told(
    enter: Enter, bearer: dict[str, str], desk_engine: Engine
) -> None:
    program = enter(None).client
    for path in ("customers", "customers?q=山口", "messages", "packing"):
        assert program.get(f"/api/v1/{path}", headers=bearer).status_code == 200
    enter(Role.VIEWER).client.get("/api/v1/customers")
    with reading(desk_engine) as session:
        told = session.scalars(
            sa.select(Audit.action).where(Audit.by == "api:test").order_by(Audit.id)
        ).all()
        assert session.scalar(sa.select(sa.func.count()).select_from(Audit)) == len(told) + 1
    assert told == ["export_customers", "export_customers", "export_messages", "export_packing"]
