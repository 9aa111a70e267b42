"""Pages are walked once each, from where the last walk stopped."""

import pytest

from connectors.contract import NeedsPerson
from connectors.kit.paging import Slice, numbered, walk

BOOK = {None: Slice([1, 2], "b"), "b": Slice([3], "c"), "c": Slice([4], None)}


def test_every_page_comes_once() -> None:
    assert [list(part.records) for part in walk(BOOK.__getitem__)] == [[1, 2], [3], [4]]


def test_a_walk_goes_on_from_a_cursor() -> None:
    assert [list(part.records) for part in walk(BOOK.__getitem__, "b")] == [[3], [4]]


def test_a_cursor_that_comes_twice_is_a_loop() -> None:
    with pytest.raises(NeedsPerson, match="repeats"):
        list(walk(lambda _: Slice([1], "same")))


def test_more_pages_than_allowed_need_a_person() -> None:
    pages = iter(range(100))
    with pytest.raises(NeedsPerson, match="more than 3"):
        list(walk(lambda _: Slice([1], str(next(pages))), most=3))


def test_numbered_pages_end_at_the_first_short_one() -> None:
    data = {1: ["a", "b"], 2: ["c"]}
    assert [list(p.records) for p in walk(numbered(data.__getitem__, size=2))] == [
        ["a", "b"],
        ["c"],
    ]
