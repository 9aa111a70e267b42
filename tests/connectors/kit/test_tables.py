"""Text tables are cut strictly, with the line numbers that a person sees."""

import pytest

from connectors.kit.tables import CELL_LIMIT, BrokenTable, Dialect, one_by_one, rows

COMMA = Dialect()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_understood(end: str) -> None:
    found = [(row.line, row.cells) for row in rows(f"a,b{end}1,2{end}", COMMA)]
    assert found == [(1, ["a", "b"]), (2, ["1", "2"])]


def test_line_numbers_count_quoted_breaks_and_blank_lines() -> None:
    text = 'a,b\n"x\ny",2\n\n3,4\n'
    assert [row.line for row in rows(text, COMMA)] == [1, 2, 5]
    assert [row.line for row in rows(text, COMMA, skip_lines=1)] == [2, 5]


def test_separators_inside_unicode_text_do_not_cut_a_line() -> None:
    assert [row.cells for row in rows("a\u2028b,c\x0bd\n", COMMA)] == [["a\u2028b", "c\x0bd"]]


def test_unquoted_tables_take_quotation_marks_as_text() -> None:
    text = '1\t"lone\n2\tx\n3\ty"\n'
    assert [row.cells for row in rows(text, Dialect("\t", quoted=False))] == [
        ["1", '"lone'],
        ["2", "x"],
        ["3", 'y"'],
    ]


def test_a_huge_cell_names_its_line() -> None:
    with pytest.raises(BrokenTable) as caught:
        list(rows("a,b\n1,2\n3," + "x" * (CELL_LIMIT + 1) + "\n", COMMA))
    assert caught.value.line == 3


def test_a_quotation_mark_that_never_closes_is_noticed_and_can_be_cut() -> None:
    *_, last = rows('a,b\n1,"x\n2,y\n', COMMA)
    assert last.never_closed()
    assert [(row.line, row.cells) for row in one_by_one(last, COMMA)] == [
        (2, ["1", "x"]),
        (3, ["2", "y"]),
    ]


def test_a_cell_that_swallowed_rows_is_noticed_and_an_address_is_not() -> None:
    (merged,) = rows('1,2,"x\n2,3,y\n3,4,z"\n', COMMA)
    assert merged.swallows(COMMA)
    (sound,) = rows('1,"Ginza 1-1\nRoom 2, left",z\n', COMMA)
    assert not sound.swallows(COMMA)
