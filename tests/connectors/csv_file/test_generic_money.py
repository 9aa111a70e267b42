"""The generic profile's money: taken once, worked out, noticed where it does not add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.csv_file.tables import order, orders, raws, write

KEYS = "order_number,ordered_at,email"


def test_order_money_is_taken_once_and_lines_are_kept_each(tmp_path: Path) -> None:
    header = f"{KEYS},item,quantity,unit_price,total"
    path = write(
        tmp_path,
        f"{header}\n1,2026-02-01,a@b.jp,tea,1,100,150\n2,2026-02-01,b@b.jp,cup,1,900,900\n"
        "1,2026-02-01,a@b.jp,cup,1,50,150\n",
    )
    first, second = orders(path)
    assert (first.total, [line.name for line in first.lines]) == (150, ["tea", "cup"])
    assert second.total == 900
    assert [raw.position for raw in raws(path)] == ["lines 2, 4", "line 3"]


def test_rows_that_contradict_each_other_warn_and_the_first_holds(tmp_path: Path) -> None:
    path = write(tmp_path, f"{KEYS},total\n1,2026-02-01,a@b.jp,150\n1,2026-02-01,a@b.jp,160\n")
    (one,) = orders(path)
    assert (one.total, one.warnings) == (150, ("rows_differ",))


def test_a_missing_total_is_worked_out_from_its_parts(tmp_path: Path) -> None:
    header = f"{KEYS},item,quantity,unit_price,shipping,discount"
    one = order(tmp_path, header, "1,2026-02-01,a@b.jp,tea,2,1000,500,100")
    assert (one.total, one.warnings) == (2400, ("total_computed",))
    assert "total" in one.present


def test_a_total_that_does_not_add_up_is_noticed(tmp_path: Path) -> None:
    header = f"{KEYS},subtotal,shipping,total"
    assert order(tmp_path, header, "1,2026-02-01,a@b.jp,1000,500,1501").warnings == ()
    assert order(tmp_path, header, "1,2026-02-01,a@b.jp,1000,500,1600").warnings == (
        "total_differs",
    )


@pytest.mark.parametrize(
    ("currency", "cell", "minor"),
    [("JPY", "1980", 1980), ("USD", "23.54", 2354), ("usd", "0", 0), ("", "5", 5)],
)
def test_money_is_counted_in_minor_units(
    tmp_path: Path, currency: str, cell: str, minor: int
) -> None:
    one = order(tmp_path, f"{KEYS},currency,total", f"1,2026-02-01,a@b.jp,{currency},{cell}")
    assert one.total == minor
