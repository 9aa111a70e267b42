"""Fulfils wishes for a channel's past in short runs: mails and polls want the worker too."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from connectors.contract import NeedsPerson, TryLater
from worker import log
from worker.backfill import Backfilled, Progress, backfill
from worker.pipeline.backfill_wish import (
    Wish,
    due_wishes,
    note_progress,
    wish_fulfilled,
    wish_of,
    wish_waits,
)
from worker.pipeline.pull import channel_named
from worker.runtime import Runtime

_log = log.get("backfill")
BUDGET_SECONDS = 120.0
"""One run; the next sweep goes on."""
_LEASE_SECONDS = 900.0


def fulfil_wishes(
    runtime: Runtime, now: datetime, *, seconds: Callable[[], float] = time.monotonic
) -> int:
    """Read on for each wish that can go on; gives how many were looked at.

    One at a time over all workers, so that the others stay free for polls and mails.
    """
    with runtime.hold("backfill_wishes", _LEASE_SECONDS) as token:
        if token is None:
            return 0
        with runtime.look() as session:
            wishes = due_wishes(session, now)
        for wish in wishes:
            _fulfil(runtime, wish, now, seconds)
        return len(wishes)


def _fulfil(runtime: Runtime, wish: Wish, now: datetime, seconds: Callable[[], float]) -> None:
    until = seconds() + BUDGET_SECONDS

    def tell(progress: Progress) -> None:
        with runtime.transaction() as session:
            note_progress(session, wish.channel, {**asdict(progress), "at": now.isoformat()})

    def enough() -> bool:
        with runtime.look() as session:
            withdrawn = wish_of(channel_named(session, wish.channel)) is None
        return withdrawn or seconds() > until

    try:
        done = backfill(runtime, wish.channel, now, since=wish.since, tell=tell, enough=enough)
    except NeedsPerson as problem:
        done = Backfilled(problem=f"{problem.problem} {problem.remedy}")
    except TryLater as problem:
        done = Backfilled(problem=str(problem), retry_at=now)
    _note(runtime, wish, done)


def _note(runtime: Runtime, wish: Wish, done: Backfilled) -> None:
    with runtime.transaction() as session:
        if done.finished:
            wish_fulfilled(session, wish.channel)
        elif not done.busy:
            wish_waits(session, wish.channel, done.problem, done.retry_at)
    _log.info("backfill_run", channel=wish.channel, count=done.progress.pages)
