"""Streams read page by page: stored first, watermark last, nobody's order lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import (
    BadRecord,
    NeedsPerson,
    Order,
    Page,
    RawOrder,
    Stream,
    TryLater,
    Watermark,
)
from connectors.kit.live import StillPreparing
from tests.documents import context
from tests.factories import NOW, an_order, make_channel
from worker.pipeline.pull import PullReport, run_stream
from worker.store.channels import Channel, StreamState
from worker.store.engine import reading, writing
from worker.store.orders import OrderRow, Quarantine, RawRecord

CTX = context()


@dataclass
class Scripted:
    """A connector that gives these pages or errors in turn, and remembers what it was asked."""

    script: list[Page | Exception]
    asked: list[tuple[str | None, str | None]] = field(default_factory=list)
    kind: str = "scripted"

    def streams(self) -> tuple[Stream, ...]:
        return (Stream("orders", 60),)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        self.asked.append((watermark.value, cursor))
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            yield step

    def map(self, raw: RawOrder) -> Order:
        if raw.payload.get("bad"):
            raise BadRecord("bad_date", "The date is no date.", reason_ja="日付が読めません。")
        ahead = timedelta(hours=raw.payload.get("ahead", -1))
        return an_order(raw.external_id, total=raw.payload["total"], ordered_at=NOW + ahead)

    def check(self) -> str:
        return "fine"


def raw(number: str, **payload: object) -> RawOrder:
    return RawOrder(number, {"total": 100} | payload, f"item {number}")


def run(engine: sa.Engine, connector: Scripted) -> PullReport:
    def transaction() -> AbstractContextManager[Session]:
        return writing(engine)

    with writing(engine) as session:
        if session.scalars(sa.select(Channel)).one_or_none() is None:
            make_channel(session)
    return run_stream(transaction, CTX, "own:shop", connector, "orders", NOW)


def state(engine: sa.Engine) -> tuple[str | None, str | None, int]:
    with reading(engine) as session:
        row = session.scalars(sa.select(StreamState)).one()
        return row.watermark, row.cursor, row.failures


def test_the_watermark_moves_only_with_the_page_that_ends_the_window(engine: sa.Engine) -> None:
    first = Page((raw("1"),), cursor="page 2")
    report = run(engine, Scripted([first, TryLater("busy", retry_after=90)]))
    assert (report.finished, report.new, report.problem) == (False, 1, "busy")
    assert report.retry_at == NOW + timedelta(seconds=90)
    assert state(engine) == (None, "page 2", 1)
    last = Scripted([Page((raw("2"),), watermark=Watermark("W1"))])
    report = run(engine, last)
    assert (report.finished, report.new) == (True, 1)
    assert last.asked == [(None, "page 2")]
    assert state(engine) == ("W1", None, 0)


def test_a_page_read_again_doubles_nothing(engine: sa.Engine) -> None:
    page = Page((raw("1"), raw("2")), watermark=Watermark("W1"))
    assert run(engine, Scripted([page])).new == 2
    report = run(engine, Scripted([page]))
    assert (report.new, report.unchanged) == (0, 2)
    with reading(engine) as session:
        assert session.scalars(sa.select(sa.func.count(RawRecord.id))).one() == 2


def test_every_record_is_an_order_or_stands_in_quarantine(engine: sa.Engine) -> None:
    cut = BadRecord("truncated", "The record ends early.", position="item 4", payload={"x": 1})
    page = Page((raw("1"), raw("2", bad=True), raw("3")), None, Watermark("W"), (cut,))
    for expected in (2, 0):  # read again, the same cases are the same cases
        assert run(engine, Scripted([page])).quarantined == expected
    with reading(engine) as session:
        raws = session.scalars(sa.select(RawRecord.external_id).order_by(RawRecord.id)).all()
        assert raws == ["1", "2", "3"]
        assert session.scalars(sa.select(OrderRow.external_id)).all() == ["1", "3"]
        cases = session.scalars(sa.select(Quarantine).order_by(Quarantine.code)).all()
        assert [(case.code, case.position, case.reason_ja) for case in cases] == [
            ("bad_date", "item 2", "日付が読めません。"),
            ("truncated", "item 4", ""),
        ]
        assert cases[0].raw_id is not None
        assert cases[1].payload == {"x": 1}


def test_orders_no_shop_can_have_taken_wait_in_quarantine(engine: sa.Engine) -> None:
    found = (raw("1", ahead=23), raw("2", ahead=25), raw("3", total=-1), raw("4", total=0))
    assert run(engine, Scripted([Page(found)])).quarantined == 2
    with reading(engine) as session:
        assert session.scalars(sa.select(OrderRow.external_id)).all() == ["1", "4"]
        cases = session.execute(
            sa.select(Quarantine.external_id, Quarantine.code).order_by(Quarantine.external_id)
        ).all()
        assert [tuple(case) for case in cases] == [
            ("2", "future_date"),
            ("3", "negative_total"),
        ]


def test_a_connector_that_needs_a_person_pauses_its_channel_and_says_what_to_do(
    engine: sa.Engine,
) -> None:
    error = NeedsPerson("The key has expired.", "Make a new one in RMS.")
    report = run(engine, Scripted([Page((raw("1"),), cursor="2"), error]))
    assert (report.new, report.problem, report.remedy) == (1, error.problem, error.remedy)
    with reading(engine) as session:
        channel = session.scalars(sa.select(Channel)).one()
        assert (channel.paused, channel.pause_reason) == (
            True,
            "The key has expired. Make a new one in RMS.",
        )
    assert state(engine)[:2] == (None, "2")


def test_waiting_grows_with_failures_where_the_source_names_no_time(engine: sa.Engine) -> None:
    waits = []
    for _ in range(3):
        retry_at = run(engine, Scripted([TryLater("down")])).retry_at
        assert retry_at is not None
        waits.append((retry_at - NOW).total_seconds())
    assert waits == [60, 120, 240]


def test_records_that_no_database_can_keep_are_kept_without_the_odd_letter(
    engine: sa.Engine,
) -> None:
    page = Page((raw("1", note="a\x00b"), raw("2", note="\ud83d")), watermark=Watermark("W"))
    assert run(engine, Scripted([page])).new == 2
    with reading(engine) as session:
        rows = session.scalars(sa.select(RawRecord).order_by(RawRecord.id)).all()
        assert [row.payload and row.payload["note"] for row in rows] == ["ab", "?"]


def test_a_source_that_is_still_preparing_is_a_quiet_wait(engine: sa.Engine) -> None:
    run(engine, Scripted([TryLater("busy")]))
    begun = Page((), cursor="file 1")
    for _ in range(3):
        report = run(engine, Scripted([begun, StillPreparing("writing", retry_after=30)]))
        assert (report.problem, report.waiting, report.interrupted) == ("", "writing", True)
        assert report.retry_at == NOW + timedelta(seconds=30)
    assert state(engine) == (None, "file 1", 0)
    with reading(engine) as session:
        channel = session.scalars(sa.select(Channel)).one()
        assert (channel.last_error, channel.last_success_at) == ("", NOW)
        assert (channel.paused, channel.next_poll_at) == (False, NOW + timedelta(seconds=30))
