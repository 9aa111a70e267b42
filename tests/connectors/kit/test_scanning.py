"""A scan lists, asks, and goes on where it stopped; a list that moves loses nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from connectors.contract import Page, RawOrder, TryLater, Watermark
from connectors.kit.scanning import Listed, Place, Scan, Told, TooMany, whole_list
from connectors.kit.windows import Window

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ORDERS = {f"n{day:02}": BEGIN + day * DAY + timedelta(hours=1) for day in range(10)}
PLACE = Place(BEGIN, BEGIN + 10 * DAY, "mark", floor="note")


def listing(window: Window) -> Sequence[str]:
    return [name for name, at in ORDERS.items() if window.start <= at <= window.end]


def details(window: Window, names: Sequence[str]) -> Told:
    return Told(tuple(RawOrder(name, {}) for name in names))


def names(pages: Sequence[Page]) -> list[str]:
    return [raw.external_id for page in pages for raw in page.raws]


def test_the_last_page_alone_holds_the_watermark() -> None:
    pages = list(Scan(listing, details, 4 * DAY, 3).pages(PLACE))
    assert [len(page.raws) for page in pages] == [3, 1, 3, 1, 2, 0]
    assert names(pages) == list(ORDERS)
    assert [page.watermark for page in pages] == [None] * 5 + [Watermark("mark")]
    assert [page.cursor is None for page in pages] == [False] * 5 + [True]


@pytest.mark.parametrize("stop", range(1, 6))
def test_a_cursor_goes_on_behind_the_last_order(stop: int) -> None:
    scan = Scan(listing, details, 4 * DAY, 3)
    first = list(scan.pages(PLACE))[:stop]
    place = Place.of(first[-1].cursor)
    assert place is not None
    assert (place.end, place.mark, place.floor) == (PLACE.end, "mark", "note")
    assert names([*first, *scan.pages(place)]) == list(ORDERS)


def test_a_window_whose_last_order_is_gone_is_read_again() -> None:
    place = Place(BEGIN, BEGIN + 10 * DAY, "mark", after="gone")
    assert names(list(Scan(listing, details, 40 * DAY, 3).pages(place))) == list(ORDERS)


def test_a_window_with_too_many_is_halved_and_can_be_resumed() -> None:
    def capped(window: Window) -> Sequence[str]:
        found = listing(window)
        if len(found) > 2:
            raise TooMany(str(len(found)))
        return found

    scan = Scan(capped, details, 40 * DAY, 2)
    pages = list(scan.pages(PLACE))
    assert names(pages) == list(ORDERS)
    for stop, page in enumerate(pages[:-1], 1):
        place = Place.of(page.cursor)
        assert place is not None
        assert set(names([*pages[:stop], *scan.pages(place)])) == set(ORDERS)


def test_what_was_told_before_a_problem_comes_first() -> None:
    def stopping(window: Window, asked: Sequence[str]) -> Told:
        return Told((RawOrder(asked[0], {}),), done=1, problem=TryLater("busy"))

    pages = Scan(listing, stopping, 40 * DAY, 3).pages(PLACE)
    first = next(pages)
    place = Place.of(first.cursor)
    assert names([first]) == ["n00"]
    assert place is not None
    assert place.after == "n00"
    with pytest.raises(TryLater):
        next(pages)


def test_a_problem_before_the_first_order_yields_no_page() -> None:
    def stopping(window: Window, asked: Sequence[str]) -> Told:
        return Told((), done=0, problem=TryLater("busy"))

    with pytest.raises(TryLater):
        next(Scan(listing, stopping, 40 * DAY, 3).pages(PLACE))


@pytest.mark.parametrize("cursor", [None, "", "page=3", "[]", "{}", '{"begin": 1}'])
def test_a_cursor_that_is_none_is_no_place(cursor: str | None) -> None:
    assert Place.of(cursor) is None


def test_a_list_is_read_until_it_stood_still() -> None:
    readings = [["a", "b", "c", "d"], ["b", "c", "d"], ["b", "c", "d"], ["b", "c", "d"]]

    def page_of(read: int) -> Listed:
        now = readings.pop(0)
        return Listed(dict.fromkeys(now[read : read + 2], ""), len(now))

    assert set(whole_list(page_of)) == {"a", "b", "c", "d"}
    assert readings == []


def test_a_list_that_never_tells_what_it_counts_is_not_believed() -> None:
    with pytest.raises(TryLater, match="1 of 5 orders"):
        whole_list(lambda read: Listed({"a": ""}, 5))


def test_an_empty_list_is_one_page() -> None:
    assert whole_list(lambda read: Listed({}, 0)) == {}
