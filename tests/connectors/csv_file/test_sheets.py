"""Spreadsheets: typed cells become the right text, and traps are named."""

import gzip
import re
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from connectors.contract import NeedsPerson
from connectors.csv_file.files import Limits, inspect_file
from tests.connectors.csv_file.tables import PROFILES, orders, raws, rejected

HEADER = ["order_number", "ordered_at", "email", "phone", "postal_code", "total"]
ROW: list[Any] = ["A1", datetime(2026, 2, 1, 10), "a@b.jp", 9000000000, 600001, 1980]  # noqa: DTZ001


def book(
    folder: Path,
    *rows: list[Any],
    change: Callable[[Any], None] | None = None,
    name: str = "x.xlsx",
) -> Path:
    """Save a workbook whose first sheet holds the rows."""
    one: Any = openpyxl.Workbook()
    for row in rows:
        one.active.append(row)
    if change:
        change(one)
    path = folder / name
    one.save(path)
    return path


def refused(path: Path, **options: Any) -> str:
    with pytest.raises(NeedsPerson) as caught:
        inspect_file(path, profiles=PROFILES, **options)
    return caught.value.problem


def test_numbers_and_dates_of_a_sheet_are_read(tmp_path: Path) -> None:
    path = book(tmp_path, HEADER, ROW)
    preview = inspect_file(path, profiles=PROFILES)
    assert (preview.container, preview.sheet, preview.rows_estimate) == ("xlsx", "Sheet", 1)
    (one,) = orders(path)
    assert one.ordered_at == datetime(2026, 2, 1, 1, tzinfo=UTC)
    assert (one.buyer.phone, one.buyer.postal_code, one.total) == ("09000000000", "0600001", 1980)
    assert one.warnings == ("phone_padded", "postal_code_padded")


def test_text_cells_keep_their_zeros(tmp_path: Path) -> None:
    path = book(tmp_path, HEADER, ["0001", "2026-02-01", "a@b.jp", "0312345678", "0600001", "5"])
    (one,) = orders(path)
    assert (one.number, one.buyer.phone, one.buyer.postal_code) == ("0001", "0312345678", "0600001")


@pytest.mark.parametrize(("epoch", "told"), [(None, 2025), (CALENDAR_MAC_1904, 2029)])
def test_serial_dates_follow_the_workbook_s_epoch(
    tmp_path: Path, epoch: datetime | None, told: int
) -> None:
    def old_mac(one: Any) -> None:
        if epoch:
            one.epoch = epoch

    path = book(tmp_path, HEADER, ["A1", 46000.5, "a@b.jp", "", "", 5], change=old_mac)
    (one,) = orders(path)
    assert one.ordered_at.date() == date(told, 12, 9 if told == 2025 else 10)
    path = book(tmp_path, HEADER, ROW, change=old_mac)
    assert orders(path)[0].ordered_at == datetime(2026, 2, 1, 1, tzinfo=UTC)


def test_a_number_that_lost_digits_is_rejected(tmp_path: Path) -> None:
    path = book(tmp_path, HEADER, [123456789012345678, *ROW[1:]])
    assert rejected(path) == [("scientific_notation", "line 2")]


def test_hidden_sheets_are_not_read_and_others_can_be_named(tmp_path: Path) -> None:
    def sheets(one: Any) -> None:
        one.active.sheet_state = "hidden"
        for name, number in (("二月", "F1"), ("三月", "M1")):
            sheet = one.create_sheet(name)
            sheet.append(HEADER)
            sheet.append([number, *ROW[1:]])

    path = book(tmp_path, HEADER, ROW, change=sheets)
    preview = inspect_file(path, profiles=PROFILES)
    assert preview.sheet == "二月"
    assert "other_sheets" in preview.warnings
    assert orders(path)[0].number == "F1"
    assert orders(path, sheet="三月")[0].number == "M1"
    assert "二月" in refused(path, sheet="Sheet")


def test_an_uncalculated_formula_in_a_column_that_matters_is_refused(tmp_path: Path) -> None:
    path = book(tmp_path, HEADER, ROW, ["A2", *ROW[1:5], "=F2*2"])
    assert "x.xlsx:3:" in refused(path)
    assert "total" in refused(path)


def test_an_uncalculated_formula_elsewhere_harms_nobody(tmp_path: Path) -> None:
    path = book(tmp_path, [*HEADER, "check"], [*ROW, "=1+1"])
    assert orders(path)[0].total == 1980


def test_row_numbers_are_those_of_the_sheet(tmp_path: Path) -> None:
    path = book(tmp_path, ["受注一覧"], [], HEADER, ROW, [], ["A2", *ROW[1:]])
    assert inspect_file(path, profiles=PROFILES).header_line == 3
    assert [raw.position for raw in raws(path)] == ["line 4", "line 6"]


def _rezipped(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_macros_are_refused(tmp_path: Path) -> None:
    path = _rezipped(book(tmp_path, HEADER, ROW), lambda m: m.update({"xl/vbaProject.bin": b"x"}))
    assert "macros" in refused(path)


def test_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    path = _rezipped(
        book(tmp_path, HEADER, ROW), lambda m: m.update({"xl/media/a.bin": bytes(32 * 1024 * 1024)})
    )
    assert path.stat().st_size < 200_000
    assert "16 MB" in refused(path, limits=Limits(unpacked_bytes=16 * 1024 * 1024))


def test_a_bomb_that_lies_about_its_size_is_refused_too(tmp_path: Path) -> None:
    path = _rezipped(
        book(tmp_path, HEADER, ROW), lambda m: m.update({"xl/media/a.bin": bytes(32 * 1024 * 1024)})
    )
    claim, lie = struct.pack("<I", 32 * 1024 * 1024), struct.pack("<I", 10)
    path.write_bytes(path.read_bytes().replace(claim, lie))
    assert zipfile.ZipFile(path).getinfo("xl/media/a.bin").file_size == 10
    assert "16 MB" in refused(path, limits=Limits(unpacked_bytes=16 * 1024 * 1024))


@pytest.mark.parametrize("keep", [10, 0.5, 0.9])
def test_a_truncated_workbook_is_refused(tmp_path: Path, keep: float) -> None:
    path = book(tmp_path, HEADER, ROW)
    data = path.read_bytes()
    path.write_bytes(data[: int(keep if keep > 1 else len(data) * keep)])
    assert "damaged" in refused(path)


def test_a_password_and_old_macros_are_told_from_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.xlsx"
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    path.write_bytes(head + bytes(600) + "EncryptedPackage".encode("utf-16-le"))
    assert "password" in refused(path)
    path.write_bytes(head + bytes(600) + "_VBA_PROJECT".encode("utf-16-le"))
    assert "macros" in refused(path)
    path.write_bytes(head + bytes(600))
    assert "damaged" in refused(path)


def test_xml_that_is_broken_inside_is_refused(tmp_path: Path) -> None:
    def cut(members: dict[str, bytes]) -> None:
        members["xl/worksheets/sheet1.xml"] = re.sub(
            rb"</row>.*", b"<", members["xl/worksheets/sheet1.xml"]
        )

    assert "damaged" in refused(_rezipped(book(tmp_path, HEADER, ROW), cut))


def test_a_packed_workbook_is_read_as_well(tmp_path: Path) -> None:
    path = book(tmp_path, HEADER, ROW)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert inspect_file(path, profiles=PROFILES).container == "gzip+xlsx"
    assert len(orders(path)) == 1
