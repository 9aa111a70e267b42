"""Text tables read strictly: rows with the line a person sees, no row shifted, none merged."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

CELL_LIMIT = 1024 * 1024
"""Characters of one cell; more means a quotation mark that never closes."""

DELIMITERS = (",", "\t", ";")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are parted; ``quoted`` False takes every quotation mark as text (Amazon)."""

    delimiter: str = ","
    quoted: bool = True


class BrokenTable(Exception):
    """The text cannot be cut into rows; ``line`` is where it starts to go wrong."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


class Row(NamedTuple):
    """One record: the line it begins on, its cells, and its lines where it spans several."""

    line: int
    cells: list[str]
    raw: tuple[str, ...] = ()

    def never_closed(self) -> bool:
        """Tell whether a quotation mark opened here and found no partner."""
        return bool(self.raw) and sum(line.count('"') for line in self.raw) % 2 == 1

    def swallows(self, dialect: Dialect) -> bool:
        """Tell whether a cell with line breaks holds what looks like whole rows."""
        needed = max(2, len(self.cells) - 1)
        return any(
            inner.count(dialect.delimiter) >= needed
            for cell in self.cells
            if "\n" in cell or "\r" in cell
            for inner in cell.splitlines()[1:]
        )


def rows(text: str, dialect: Dialect, *, skip_lines: int = 0) -> Iterator[Row]:
    """Yield records with their line numbers, counted from 1 over the whole text.

    Blank lines are left out. Raises BrokenTable for a cell above CELL_LIMIT.
    """
    csv.field_size_limit(CELL_LIMIT)
    lines: list[str] = []
    reader = csv.reader(
        _collected(_stream(text, skip_lines), lines),
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if dialect.quoted else csv.QUOTE_NONE,
    )
    begin = skip_lines + 1
    try:
        for cells in reader:
            if cells and (len(cells) > 1 or cells[0].strip()):
                yield Row(begin, cells, tuple(lines) if len(lines) > 1 else ())
            begin += len(lines)
            lines.clear()
    except csv.Error as error:
        raise BrokenTable(begin, _reason(str(error))) from error


def _stream(text: str, skip_lines: int) -> io.StringIO:
    stream = io.StringIO(text, newline="")
    for _ in range(skip_lines):
        stream.readline()
    return stream


def _collected(stream: io.StringIO, lines: list[str]) -> Iterator[str]:
    for line in stream:
        lines.append(line)
        yield line


def _reason(message: str) -> str:
    if "field larger" in message:
        return f"a cell has more than {CELL_LIMIT} characters, or a quotation mark never closes"
    return message


def one_by_one(row: Row, dialect: Dialect) -> Iterator[Row]:
    """Cut the lines of a record each for itself, quotation marks taken as text."""
    for offset, line in enumerate(row.raw):
        bare = line.rstrip("\r\n")
        if bare.strip():
            plain = csv.reader([bare], delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)
            yield Row(row.line + offset, [cell.strip('"') for cell in next(plain)])
