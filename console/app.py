"""The review desk as one application: pages, JSON, health, with headers and errors in one place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from console import (
    api,
    api_access,
    api_channels,
    api_customers,
    api_guide,
    api_mails,
    api_settings,
    api_templates,
    api_work,
    failures,
    health,
    hooks,
)
from console.api_problems import PROBLEMS, WAYS_IN
from console.headers import SecurityHeaders
from console.pages import ROUTERS
from console.rendering import STATIC
from console.visit import House
from worker.pipeline import render
from worker.pipeline.context import Context
from worker.pipeline.review_verdict import Recheck
from worker.runtime import Runtime
from worker.settings import Settings


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _runtime_on(engine: Engine, data_dir: Path) -> Runtime:
    url = engine.url.render_as_string(hide_password=False)
    return Runtime(Settings(data=data_dir, database_url=url))


def create_app(
    engine: Engine,
    ctx_factory: Callable[[Session], Context],
    *,
    data_dir: Path,
    clock: Callable[[], datetime] = _utc_now,
    recheck: Recheck | None = render.recheck,
    runtime: Runtime | None = None,
) -> FastAPI:
    """Make the desk. Where it listens is the caller's; nothing is fetched from elsewhere.

    ``ctx_factory`` gives the documents in force for one transaction; ``clock`` aware instants;
    ``recheck`` looks at a mail's facts once more before it is approved; ``runtime`` is for what
    talks to marketplaces, by default one on the same store and data directory.
    """
    app = FastAPI(
        title="Okaeri",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.house = House(
        engine, ctx_factory, data_dir, clock, recheck, runtime or _runtime_on(engine, data_dir)
    )
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.include_router(health.router)
    app.include_router(hooks.router)
    for part in (
        api,
        api_mails,
        api_customers,
        api_work,
        api_guide,
        api_channels,
        api_access,
        api_settings,
        api_templates,
    ):
        app.include_router(part.router, responses=PROBLEMS, dependencies=WAYS_IN)
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    failures.answer(app)
    return app
