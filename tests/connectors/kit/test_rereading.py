"""Three streams over one list: what each lists, what is due, and where the watermark ends."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import BadRecord, NeedsPerson, RawOrder, TryLater, Watermark
from connectors.kit.rereading import marked_pages, one_by_one, place_of, since_of, three_streams
from connectors.kit.scanning import Place, Scan, Told
from connectors.kit.windows import Window

NOW = datetime(2026, 11, 20, 3, 0, 30, 500, tzinfo=UTC)
END = datetime(2026, 11, 20, 2, 59, 30, tzinfo=UTC)
FIRST = datetime(2025, 11, 20, 12, tzinfo=UTC)
SEEN = Watermark("2026-11-20T01:00:00+00:00")
DAY = timedelta(days=1)


def place(stream: str, watermark: Watermark, cursor: str | None = None) -> Place:
    return place_of(stream, watermark, cursor, first=FIRST, now=NOW)


def test_new_orders_often_changes_each_hour_and_old_ones_each_week() -> None:
    streams = three_streams(900)
    assert [(one.name, one.interval_seconds, one.overlap_seconds) for one in streams] == [
        ("orders", 900, 600), ("changes", 3600, 600), ("far_changes", 604_800, 600),
    ]  # fmt: skip


def test_the_first_read_takes_every_order_from_the_first_instant_on() -> None:
    found = place("orders", Watermark())
    assert (found.begin, found.end, found.mark) == (FIRST, END, END.isoformat())
    assert since_of(found) is None


def test_later_the_newest_three_days_are_listed_and_what_changed_is_due() -> None:
    found = place("orders", SEEN)
    seen = datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert (found.begin, found.end) == (seen - 3 * DAY, END)
    assert since_of(found) == seen - timedelta(minutes=10)
    early = place_of("orders", SEEN, None, first=seen - DAY, now=NOW)
    assert early.begin == seen - DAY


def test_changes_list_ninety_days_up_to_where_new_orders_begin() -> None:
    found = place("changes", SEEN)
    assert (found.begin, found.end, found.mark) == (END - 90 * DAY, END - 2 * DAY, END.isoformat())
    assert since_of(place("changes", Watermark())) == END - 7 * DAY - timedelta(minutes=10)


def test_old_changes_end_where_changes_begin() -> None:
    found = place("far_changes", SEEN)
    assert (found.begin, found.end, found.mark) == (FIRST, END - 90 * DAY, END.isoformat())


def test_a_cursor_is_gone_on_with_and_one_of_another_version_is_not() -> None:
    stands = Place(
        FIRST, END - DAY, "2026-11-19T00:00:00+00:00", "A-1", "2026-11-01T00:00:00+00:00"
    )
    assert place("orders", SEEN, stands.cursor()) == stands
    assert place("orders", SEEN, "page 2") == place("orders", SEEN)


def test_an_unknown_stream_is_named() -> None:
    with pytest.raises(NeedsPerson, match="'sales'"):
        place("sales", SEEN)


# --- pages -----------------------------------------------------------------------------------


def scan(names: Sequence[str]) -> Scan:
    def details(window: Window, found: Sequence[str]) -> Told:
        return Told(tuple(RawOrder(name, {}) for name in found))

    return Scan(lambda window: names, details, 400 * DAY, 20)


@pytest.mark.parametrize(
    ("behind", "before", "mark"),
    [
        (0, None, "2026-11-20T02:59:30+00:00"),
        (3600.7, None, "2026-11-20T01:59:29+00:00"),
        (7200, "2026-11-20T01:00:00+00:00", "2026-11-20T01:00:00+00:00"),
    ],
)
def test_the_mark_follows_the_slower_clock_and_never_goes_back(
    behind: float, before: str | None, mark: str
) -> None:
    told = [timedelta(days=30)]  # what is known before anything was asked
    pages = marked_pages(
        scan(["A-1"]), place("orders", Watermark()), Watermark(before), lambda: told[0]
    )
    first = next(pages)
    told[0] = timedelta(seconds=behind)
    last = list(pages)[-1]
    assert (first.watermark, last.watermark) == (None, Watermark(mark))


# --- one by one ------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [TryLater("busy"), NeedsPerson("no key", "enter one")])
def test_what_stops_stops_behind_what_was_told(problem: TryLater | NeedsPerson) -> None:
    def tell(name: str) -> RawOrder:
        if name == "A-2":
            raise BadRecord("not_told", "listed only", external_id=name)
        if name == "A-3":
            raise problem
        return RawOrder(name, {})

    told = one_by_one(["A-1", "A-2", "A-3", "A-4"], tell)
    assert [raw.external_id for raw in told.raws] == ["A-1"]
    assert [bad.external_id for bad in told.rejected] == ["A-2"]
    assert (told.done, told.problem) == (2, problem)


def test_when_all_are_told_nothing_is_left() -> None:
    told = one_by_one(["A-1", "A-2"], lambda name: RawOrder(name, {}))
    assert (len(told.raws), told.done, told.problem) == (2, None, None)
