"""What every registered connector kind must do, whatever it talks to."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from connectors.contract import (
    BadRecord,
    Connector,
    Order,
    Page,
    RawOrder,
    Watermark,
)
from connectors.registry import kinds
from tests.connectors.harness import NOW, Harness, harness_of

pytestmark = pytest.mark.parametrize("kind", kinds())


def pages_of(connector: Connector, harness: Harness, cursor: str | None = None) -> list[Page]:
    return list(connector.pull(harness.stream, Watermark(), cursor, NOW))


def raws_of(pages: Iterable[Page]) -> list[RawOrder]:
    return [raw for page in pages for raw in page.raws]


def mapped(connector: Connector, raws: Iterable[RawOrder]) -> tuple[dict[str, Order], int]:
    orders: dict[str, Order] = {}
    bad = 0
    for raw in raws:
        try:
            order = connector.map(raw)
        except BadRecord as record:
            bad += bool(record.code and record.payload)
        else:
            orders[order.external_id] = order
    return orders, bad


def test_it_keeps_the_protocol(kind: str, tmp_path: Path) -> None:
    harness = harness_of(kind)
    connector = harness.open(tmp_path / "a")
    assert isinstance(connector, Connector)
    assert connector.kind == kind
    assert harness.stream in {stream.name for stream in connector.streams()}
    assert all(stream.interval_seconds > 0 for stream in connector.streams())
    assert connector.check()


def test_every_order_comes_with_its_exact_money_and_bad_records_do_not_stop_it(
    kind: str, tmp_path: Path
) -> None:
    harness = harness_of(kind)
    connector = harness.open(tmp_path / "a")
    pages = pages_of(connector, harness)
    orders, bad = mapped(connector, raws_of(pages))
    assert {key: order.total for key, order in orders.items()} == harness.expected.totals
    assert bad + sum(len(page.rejected) for page in pages) == harness.expected.bad_records


def test_reading_again_gives_the_same(kind: str, tmp_path: Path) -> None:
    harness = harness_of(kind)
    first = raws_of(pages_of(harness.open(tmp_path / "a"), harness))
    second = raws_of(pages_of(harness.open(tmp_path / "b"), harness))
    assert first == second


def test_resuming_after_any_page_loses_nothing(kind: str, tmp_path: Path) -> None:
    harness = harness_of(kind)
    whole = pages_of(harness.open(tmp_path / "whole"), harness)
    wanted = {raw.external_id for raw in raws_of(whole)}
    assert len(whole) >= 2
    for stop in range(1, len(whole)):
        connector = harness.open(tmp_path / f"stop{stop}")
        pull = connector.pull(harness.stream, Watermark(), None, NOW)
        stored = [next(pull) for _ in range(stop)]
        rest = pages_of(connector, harness, stored[-1].cursor)
        assert {raw.external_id for raw in raws_of([*stored, *rest])} == wanted


def test_the_watermark_comes_with_the_last_page_and_never_goes_back(
    kind: str, tmp_path: Path
) -> None:
    harness = harness_of(kind)
    pages = pages_of(harness.open(tmp_path / "a"), harness)
    marks = [page.watermark for page in pages]
    assert pages[-1].cursor is None
    assert marks[-1] is not None
    assert all((page.cursor is None) == (page.watermark is not None) for page in pages)
    again = harness.open(tmp_path / "b").pull(harness.stream, marks[-1], None, NOW)
    values = [page.watermark.value for page in again if page.watermark]
    assert all(value is not None and value >= (marks[-1].value or "") for value in values)


def test_times_are_aware_and_raws_survive_storage(kind: str, tmp_path: Path) -> None:
    harness = harness_of(kind)
    connector = harness.open(tmp_path / "a")
    for raw in raws_of(pages_of(connector, harness))[:50]:
        stored = RawOrder(raw.external_id, json.loads(json.dumps(raw.payload)), raw.position)
        order = connector.map(stored)
        assert order == connector.map(raw)
        assert isinstance(order.present, frozenset)
        assert order.ordered_at.utcoffset() is not None
        assert raw.position


def test_no_person_and_no_secret_reaches_a_log_record(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    harness = harness_of(kind)
    with caplog.at_level(logging.DEBUG):
        connector = harness.open(tmp_path / "a")
        mapped(connector, raws_of(pages_of(connector, harness)))
    told = "\n".join(str(record.__dict__) for record in caplog.records)
    assert [word for word in harness.expected.private if word in told] == []
