"""Spreadsheets to text cells: visible sheets only, no macros, no bombs, no formulas unread."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetVisibleEnum

from connectors.contract import NeedsPerson

_MEMBERS = 5_000
_FORMULA = re.compile(
    rb'<c [^>]*?\br="([A-Z]+)(\d+)"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*'
    rb"(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
_SHEET_TAG = re.compile(rb"<sheet\b[^>]*?/?>")
_WIDE = "EncryptedPackage".encode("utf-16-le")
_MACRO = "_VBA_PROJECT".encode("utf-16-le")
_EXACT = 10**15


@dataclass(frozen=True, slots=True)
class Grid:
    """One sheet: numbered rows of text cells, and the cells whose formula has no value."""

    sheet: str
    rows: list[tuple[int, list[str]]]
    date1904: bool = False
    unread_formulas: tuple[tuple[int, int], ...] = ()
    """(row from 1, column from 0) of formulas that were never calculated."""
    warnings: tuple[str, ...] = ()


def read_grid(data: bytes, place: str, kind: str, sheet: str | None, most: int) -> Grid:
    """Read one visible sheet (the first, or by name). Raises NeedsPerson, naming the file."""
    members = _guarded_members(data, place, most) if kind == "xlsx" else _guarded_ole(data, place)
    book = _opened(data, place)
    names = [m.name for m in book.sheets_metadata if m.visible == SheetVisibleEnum.Visible]
    name = _chosen(names, sheet, place)
    try:
        found = book.get_sheet_by_name(name)
        top, left = found.start or (0, 0)
        rows = [
            (top + 1 + offset, [""] * left + [_text(cell) for cell in cells])
            for offset, cells in enumerate(found.iter_rows())
        ]
    except CalamineError as error:
        raise _damaged(place) from error
    rows = [(number, cells) for number, cells in rows if any(cells)]
    warnings = ("other_sheets",) if len(names) > 1 and sheet is None else ()
    book_xml = members.get("xl/workbook.xml", b"")
    return Grid(
        name,
        rows,
        re.search(rb'date1904="(1|true)"', book_xml) is not None,
        _unread(members, name, [m.name for m in book.sheets_metadata]),
        warnings,
    )


def _opened(data: bytes, place: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise _password(place) from error
    except CalamineError as error:
        raise _damaged(place) from error


def _chosen(names: list[str], sheet: str | None, place: str) -> str:
    if sheet is None and names:
        return names[0]
    if sheet in names:
        return str(sheet)
    listed = "、".join(names) or "なし"
    raise NeedsPerson(
        f"{place}: 読めるシートがありません。表示中のシート: {listed}。"
        f"No such visible sheet; visible sheets: {', '.join(names) or 'none'}.",
        "シートを表示するか、--sheet で名前を指定してください。"
        "Unhide it, or name one with --sheet.",
    )


def _text(cell: Any) -> str:
    """Write a typed cell as the text that the profile's converters expect."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        if cell.is_integer():  # beyond 15 digits a spreadsheet has lost some: show that
            return str(int(cell)) if abs(cell) < _EXACT else f"{cell:.6E}"
        return repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return "" if cell is None else str(cell)


def _guarded_members(data: bytes, place: str, most: int) -> dict[str, bytes]:
    """Check every member by its true size, and give back the XML that is looked into."""
    kept: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            names = {info.filename for info in infos}
            _refuse_by_names(names, place)
            if len(infos) > _MEMBERS:
                raise _bomb(place, most)
            for info in infos:
                keep = info.filename == "xl/workbook.xml" or info.filename.startswith(
                    ("xl/worksheets/", "xl/_rels/")
                )
                size, content = _inflated(data, info, most - total, keep)
                total += size
                if total > most:
                    raise _bomb(place, most)
                if keep:
                    kept[info.filename] = content
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError) as error:
        raise _damaged(place) from error
    return kept


def _inflated(data: bytes, info: zipfile.ZipInfo, most: int, keep: bool) -> tuple[int, bytes]:
    """Unpack one member by hand: the sizes written in a ZIP are claims, not facts."""
    name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + 30 + name_length + extra_length
    packed = data[start : start + info.compress_size]
    if info.compress_type == zipfile.ZIP_STORED:
        return len(packed), packed if keep else b""
    if info.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile("unknown compression")
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    parts, size = [], 0
    while packed and not engine.eof and size <= most:
        part = engine.decompress(packed, 1024 * 1024)
        packed = engine.unconsumed_tail
        size += len(part)
        if keep:
            parts.append(part)
    return size, b"".join(parts)


def _refuse_by_names(names: set[str], place: str) -> None:
    if "xl/workbook.xml" not in names:
        raise NeedsPerson(
            f"{place}: ZIP ですが Excel のファイルではありません。A ZIP file, but not a workbook.",
            "中のファイルを取り出してから取り込んでください。Unpack it and import the file inside.",
        )
    if any(name.endswith("vbaProject.bin") for name in names):
        raise _macro(place)


def _guarded_ole(data: bytes, place: str) -> dict[str, bytes]:
    if _WIDE in data:
        raise _password(place)
    if _MACRO in data:
        raise _macro(place)
    return {}


def _unread(members: dict[str, bytes], sheet: str, names: list[str]) -> tuple[tuple[int, int], ...]:
    part = _sheet_part(members, names.index(sheet))
    cells = _FORMULA.finditer(members.get(part, b""))
    return tuple((int(match[2]), _column(match[1].decode())) for match in cells)


def _sheet_part(members: dict[str, bytes], index: int) -> str:
    tags = _SHEET_TAG.findall(members.get("xl/workbook.xml", b""))
    relation = re.search(rb'\br:id="([^"]+)"', tags[index]) if index < len(tags) else None
    links = members.get("xl/_rels/workbook.xml.rels", b"")
    if relation:
        for link in re.findall(rb"<Relationship\b[^>]*>", links):
            target = re.search(rb'Target="/?(?:xl/)?([^"]+)"', link)
            if target and b'Id="' + relation[1] + b'"' in link:
                return "xl/" + target[1].decode()
    return f"xl/worksheets/sheet{index + 1}.xml"


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _damaged(place: str) -> NeedsPerson:
    return NeedsPerson(
        f"{place}: Excel ファイルが壊れていて読めません。The workbook is damaged.",
        "開いて保存し直すか、CSV で出力してください。Save it again, or export it as CSV.",
    )


def _bomb(place: str, most: int) -> NeedsPerson:
    return NeedsPerson(
        f"{place}: 展開すると {most // 1048576} MB を超えるため開きません。"
        f"Unpacked, the workbook is larger than {most // 1048576} MB.",
        "CSV で出力してください。Export it as CSV.",
    )


def _password(place: str) -> NeedsPerson:
    return NeedsPerson(
        f"{place}: パスワードが付いています。The workbook is protected by a password.",
        "パスワードを外して保存してください。Remove the password and save it again.",
    )


def _macro(place: str) -> NeedsPerson:
    return NeedsPerson(
        f"{place}: マクロ付きのファイルは受け取りません。Workbooks with macros are refused.",
        "マクロなしの .xlsx か CSV で保存してください。Save it as .xlsx without macros, or as CSV.",
    )
