"""A list that shifts while its pages are read is read again, until it is whole."""

from collections.abc import Sequence

import pytest

from connectors.contract import TryLater
from connectors.kit.offsets import Part, unshifted


def read(lists: Sequence[str], size: int = 3, *, counted: bool = True) -> tuple[str, list[int]]:
    """Read letters as rows; each question sees the next of ``lists``, the last one for ever."""
    asked: list[int] = []

    def page(offset: int) -> Part[str]:
        now = lists[min(len(asked), len(lists) - 1)]
        asked.append(offset)
        return Part(now[offset : offset + size], len(now) if counted else None)

    found = "".join(unshifted(page, str, source="The source"))
    return found, asked


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 9])
def test_a_list_of_any_length_is_read_to_its_end(count: int, counted: bool) -> None:
    letters = "abcdefghi"[:count]
    assert read([letters], counted=counted)[0] == letters


def test_each_page_begins_with_the_last_row_of_the_one_before() -> None:
    assert read(["abcdefg"])[1] == [0, 2, 4]


def test_a_list_that_is_counted_needs_no_question_for_its_end() -> None:
    assert read(["abc"])[1] == [0]
    assert read(["abc"], counted=False)[1] == [0, 2]


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(("first", "then"), [("abcdef", "bcdef"), ("bcdef", "abcdef")])
def test_rows_that_shift_between_two_pages_have_the_list_read_again(
    first: str, then: str, counted: bool
) -> None:
    found, asked = read([first, then], counted=counted)
    assert found == then
    assert asked[:3] == [0, 2, 0]


def test_a_row_that_goes_while_another_comes_is_no_whole_list() -> None:
    assert read(["abcdef", "bcdefg"])[0] == "bcdefg"


def test_a_count_that_changes_behind_the_page_read_has_the_list_read_again() -> None:
    assert read(["abcdef", "abcdefg"])[1][:3] == [0, 2, 0]


def test_the_same_row_twice_hides_another_one() -> None:
    assert read(["abcdbe", "abcdbe", "abcdbe", "abcdfe"])[0] == "abcdfe"


@pytest.mark.parametrize(
    "lists",
    [
        ["abcdef", "bcdefg", "cdefgh", "defghi", "efghij", "fghijk", "ghijkl"],
        ["abcdbe"],
    ],
)
def test_a_list_that_never_stands_still_is_left_for_later(lists: list[str]) -> None:
    with pytest.raises(TryLater, match="list of orders changes while it is read") as caught:
        read(lists)
    assert caught.value.retry_after == 60.0


def test_a_list_that_counts_more_than_it_tells_is_not_believed() -> None:
    with pytest.raises(TryLater):
        unshifted(lambda offset: Part("ab"[offset:], 5), str, source="The source")
