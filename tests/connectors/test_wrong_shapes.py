"""Whatever shape an answer has, a poll waits, asks for a person, or puts a record aside."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.contract import ConnectorError, Page, Watermark
from connectors.registry import is_live, kinds
from tests.connectors.harness import NOW, harness_of
from tests.connectors.wrong_shapes import Tape, bent, opened, playing, recording
from worker.pipeline.pull import map_all

LIVE = [kind for kind in kinds() if is_live(kind)]


@lru_cache
def tape_of(kind: str) -> Tape:
    """A clean reading of the kind's source."""
    tape, harness = Tape(), harness_of(kind)
    with opened(harness, Path(mkdtemp()), stopped=False) as connector, recording(tape):
        list(connector.pull(harness.stream, Watermark(), None, NOW))
    return tape


def read(kind: str, tape: Tape, folder: Path) -> list[Page]:
    """What a poll yields before something stops it; only the contract's errors may."""
    pages: list[Page] = []
    harness = harness_of(kind)
    with opened(harness, folder, stopped=True) as connector, playing(tape):
        try:
            pages.extend(connector.pull(harness.stream, Watermark(), None, NOW))
        except ConnectorError:
            assert pages == [] or pages[-1].watermark is None
        for page in pages:
            map_all(page.raws, connector.map, NOW)
    return pages


@pytest.mark.parametrize("kind", LIVE)
def test_the_tape_tells_the_same_as_the_source(kind: str, tmp_path: Path) -> None:
    pages = read(kind, Tape(tape_of(kind).answers), tmp_path)
    assert pages[-1].watermark is not None
    assert {raw.external_id for page in pages for raw in page.raws} >= set(
        harness_of(kind).expected.totals
    )


@pytest.mark.parametrize("kind", LIVE)
@settings(
    max_examples=20, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow,
                           HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
@given(data=st.data())
def test_a_wrong_shape_anywhere_never_breaks_a_poll(
    kind: str, tmp_path: Path, data: st.DataObject
) -> None:
    read(kind, bent(tape_of(kind), data.draw), tmp_path)
