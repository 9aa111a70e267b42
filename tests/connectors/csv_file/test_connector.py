"""The drop folder: files are taken in by themselves, once, and none is lost."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from shutil import copy
from typing import Any

import pytest

from connectors.contract import ChannelConfig, Family, NeedsPerson, Page, Watermark
from connectors.csv_file.connector import PAGE, TAKEN, CsvFile
from connectors.registry import open_connector
from tests.connectors.csv_file.tables import HEADER, SAMPLES, write

NOW = datetime(2026, 2, 10, 3, tzinfo=UTC)
START = Watermark()


def rows(first: int, last: int) -> str:
    """Write numbered orders."""
    body = "".join(f"{n},2026-02-01 10:00:00,u{n}@b.jp,100,paid\n" for n in range(first, last))
    return f"{HEADER}\n{body}"


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop" / "own_shop"
    folder.mkdir(parents=True)
    return folder


def connector(drop: Path, **settings: Any) -> CsvFile:
    config = ChannelConfig("own:shop", "csv_file", Family.OWN, settings)
    one = open_connector(config, drop=drop.parent)
    assert isinstance(one, CsvFile)
    return one


def old(path: Path, seconds: int = 3600) -> Path:
    stamp = NOW.timestamp() - seconds
    os.utime(path, (stamp, stamp))
    return path


def numbers(pages: Iterator[Page]) -> list[str]:
    return [raw.external_id for page in pages for raw in page.raws]


def test_files_are_taken_oldest_first_and_put_away(drop: Path) -> None:
    old(write(drop, rows(10, 12), "b.csv"), 7200)
    old(write(drop, rows(1, 3), "a.csv"), 3600)
    pages = list(connector(drop).pull("files", START, None, NOW))
    assert numbers(iter(pages)) == ["10", "11", "1", "2"]
    assert [page.cursor for page in pages] == [None, None]
    assert {page.watermark for page in pages} == {Watermark("2026-02-10T03:00:00+00:00")}
    assert [path.name for path in drop.iterdir()] == [TAKEN]
    assert sorted(path.name[-5:] for path in (drop / TAKEN).iterdir()) == ["a.csv", "b.csv"]


def test_a_file_is_put_away_only_after_its_last_page_was_stored(drop: Path) -> None:
    path = old(write(drop, rows(0, PAGE + 1)))
    pages = connector(drop).pull("files", START, None, NOW)
    first = next(pages)
    assert (len(first.raws), first.watermark) == (PAGE, None)
    last = next(pages)
    assert (len(last.raws), last.cursor) == (1, None)
    assert path.exists()
    assert list(pages) == []
    assert not path.exists()


def test_a_stopped_pull_goes_on_with_the_file_it_had_begun(drop: Path) -> None:
    old(write(drop, rows(0, 2), "first.csv"), 7200)
    old(write(drop, rows(100, 100 + PAGE + 3), "second.csv"), 3600)
    pages = connector(drop).pull("files", START, None, NOW)
    assert numbers(iter([next(pages)])) == ["0", "1"]
    cursor = next(pages).cursor
    rest = list(connector(drop).pull("files", START, cursor, NOW))
    assert numbers(iter(rest)) == [str(100 + PAGE + n) for n in range(3)]


def test_a_cursor_of_a_file_that_is_gone_begins_anew(drop: Path) -> None:
    old(write(drop, rows(0, 2)))
    assert numbers(connector(drop).pull("files", START, f"{'0' * 64}:500", NOW)) == ["0", "1"]


def test_the_watermark_never_goes_back(drop: Path) -> None:
    old(write(drop, rows(0, 1)))
    later = Watermark("2027-01-01T00:00:00+00:00")
    (page,) = connector(drop).pull("files", later, None, NOW)
    assert page.watermark == later


def test_a_bad_file_waits_for_a_person_and_stops_no_other(drop: Path) -> None:
    bad = old(write(drop, "nothing,known\n1,2\n", "a.csv"), 7200)
    old(write(drop, rows(0, 2), "b.csv"))
    pages = connector(drop).pull("files", START, None, NOW)
    assert numbers(iter([next(pages)])) == ["0", "1"]
    with pytest.raises(NeedsPerson, match=r"a\.csv"):
        next(pages)
    assert bad.exists()
    assert not (drop / "b.csv").exists()


def test_a_file_that_breaks_while_reading_stays(drop: Path) -> None:
    bad = old(write(drop, f"{rows(0, 2)}9,{'x' * 1_100_000},a@b.jp,1,paid\n"))
    with pytest.raises(NeedsPerson, match=r"orders\.csv:4"):
        list(connector(drop).pull("files", START, None, NOW))
    assert bad.exists()


def test_a_file_that_may_still_be_written_is_left_alone(drop: Path) -> None:
    old(write(drop, rows(0, 2)), 2)
    assert list(connector(drop).pull("files", START, None, NOW)) == []
    assert numbers(connector(drop, settle_seconds=1).pull("files", START, None, NOW)) == ["0", "1"]


def test_other_files_are_not_touched(drop: Path) -> None:
    for name in (".hidden.csv", "~$orders.xlsx", "readme.md", "orders.csv.part"):
        old(write(drop, rows(0, 1), name))
    assert list(connector(drop).pull("files", START, None, NOW)) == []
    assert len(list(drop.iterdir())) == 4


def test_rejected_rows_travel_with_their_page(drop: Path) -> None:
    old(write(drop, f"{HEADER}\n1,2\n3,2026-02-01,a@b.jp,1,paid\n"))
    (page,) = connector(drop).pull("files", START, None, NOW)
    assert [bad.code for bad in page.rejected] == ["wrong_cell_count"]
    assert [raw.external_id for raw in page.raws] == ["3"]


def test_a_pair_of_files_is_joined_by_itself(drop: Path) -> None:
    old(Path(copy(SAMPLES / "yahoo_items.csv", drop)))
    old(Path(copy(SAMPLES / "yahoo_orders.csv", drop)))
    one = connector(drop)
    (page,) = one.pull("files", START, None, NOW)
    assert [one.map(raw).lines[0].name for raw in page.raws] == ["緑茶", "湯呑"]
    assert [path.name for path in drop.iterdir()] == [TAKEN]
    assert len(list((drop / TAKEN).iterdir())) == 2


def test_an_item_file_alone_waits(drop: Path) -> None:
    path = old(Path(copy(SAMPLES / "yahoo_items.csv", drop)))
    with pytest.raises(NeedsPerson, match="Give both"):
        list(connector(drop).pull("files", START, None, NOW))
    assert path.exists()


def test_a_missing_folder_needs_a_person(tmp_path: Path) -> None:
    config = ChannelConfig("own:x", "csv_file", Family.OWN, {"folder": str(tmp_path / "gone")})
    with pytest.raises(NeedsPerson, match="folder"):
        open_connector(config).check()
    with pytest.raises(NeedsPerson, match="drop folder"):
        open_connector(ChannelConfig("own:x", "csv_file", Family.OWN, {}))


def test_check_counts_what_waits(drop: Path) -> None:
    write(drop, rows(0, 1))
    assert connector(drop).check().endswith("1 file(s) waiting")
