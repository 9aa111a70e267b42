"""Files for staff run nothing in a spreadsheet."""

import pytest

from connectors.kit.defuse import defuse, disarm, write_table


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "+81", "-5", "@x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠x", "'=1", "''@"],
)
def test_a_dangerous_cell_gets_an_apostrophe_and_gives_it_back(cell: str) -> None:
    assert defuse(cell) == "'" + cell
    assert disarm(defuse(cell)) == cell


@pytest.mark.parametrize("cell", ["", "山田", "1", "a=b", "'tis", "'"])
def test_a_harmless_cell_stays_as_it_is(cell: str) -> None:
    assert defuse(cell) == cell
    assert disarm(cell) == cell


def test_a_table_keeps_numbers_numbers_and_carries_the_mark() -> None:
    data = write_table(["名前", "=額"], [["=HYPERLINK(1)", -5], ["a\nb", None]])
    assert data.startswith(b"\xef\xbb\xbf")
    assert data.decode("utf-8-sig") == "名前,'=額\r\n'=HYPERLINK(1),-5\r\n\"a\nb\",\r\n"
