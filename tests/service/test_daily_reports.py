"""The reports are counted once a shop-local day, and again on the next."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.factories import NOW, make_channel, make_order_row
from worker.daily import run_daily
from worker.pipeline.reports import NAME
from worker.runtime import Runtime
from worker.store.reports import ReportCount


def counted(runtime: Runtime) -> tuple[datetime, int]:
    """When, and how many groups of sales."""
    with runtime.look() as session:
        kept = session.get_one(ReportCount, NAME)
        return kept.made_at, len(kept.content["sold"])


def test_the_reports_are_counted_once_a_day(runtime: Runtime) -> None:
    run_daily(runtime, NOW)
    assert counted(runtime) == (NOW, 0)
    with runtime.transaction() as session:
        make_order_row(session, make_channel(session))
    run_daily(runtime, NOW + timedelta(hours=2))
    assert counted(runtime) == (NOW, 0)
    run_daily(runtime, NOW + timedelta(days=1))
    assert counted(runtime) == (NOW + timedelta(days=1), 1)
