"""Cells of files for staff, made harmless for spreadsheet programs (OWASP CSV injection)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

ENCODING = "utf-8-sig"
"""What our files are written in by default: Excel in Japan reads it without being told."""

_STARTS = frozenset("=+-@\t\r\n＝＋－＠")


def defuse(cell: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula.

    A cell that begins with an apostrophe already gets one more, so that ``disarm`` and
    ``defuse`` are exact opposites. Numbers are not given to this function: pass them to
    ``write_table`` as numbers and they stay numbers.
    """
    if cell and (cell[0] in _STARTS or (cell[0] == "'" and cell.lstrip("'")[:1] in _STARTS)):
        return "'" + cell
    return cell


def disarm(cell: str) -> str:
    """Take back the one apostrophe that ``defuse`` (ours or another program's) put there."""
    if len(cell) > 1 and cell[0] == "'" and (cell[1] in _STARTS or cell[1] == "'"):
        return cell[1:]
    return cell


def _cell(value: object) -> object:
    return defuse(value) if isinstance(value, str) else value


def write_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a CSV that Excel opens safely: defused, CRLF, UTF-8 with a mark; None is empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode(ENCODING)
