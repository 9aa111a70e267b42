"""Files to rows: the container is told by its first bytes, and nothing may grow without bound."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.contract import NeedsPerson
from connectors.csv_file.decoding import decode
from connectors.csv_file.sheets import Grid, read_grid
from connectors.kit.tables import Dialect, Row, rows

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one file may hold; beyond it the import stops before anything is written."""

    file_bytes: int = 64 * MEGABYTE
    unpacked_bytes: int = 256 * MEGABYTE
    columns: int = 1000


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Source:
    """A file in memory: text or the grid of one sheet, ready to be cut into rows repeatedly."""

    place: str
    sha256: str
    size: int
    container: str
    encoding: str | None = None
    text: str = ""
    grid: Grid | None = None
    warnings: tuple[str, ...] = ()

    def rows(self, dialect: Dialect, *, skip_lines: int = 0) -> Iterator[Row]:
        """Yield all rows with the numbers a person sees. Raises BrokenTable (text only)."""
        if self.grid is not None:
            return (Row(number, cells) for number, cells in self.grid.rows if number > skip_lines)
        return rows(self.text, dialect, skip_lines=skip_lines)


def open_source(
    path: Path, *, encoding: str | None, sheet: str | None, limits: Limits = DEFAULT_LIMITS
) -> Source:
    """Read a file whole, within limits. Raises NeedsPerson, naming the file."""
    place = path.name
    try:
        size = path.stat().st_size
        if size > limits.file_bytes:
            raise _too_large(place, size, limits.file_bytes)
        data = path.read_bytes()
    except OSError as error:
        raise NeedsPerson(
            f"{place}: ファイルを開けません ({error.strerror})。The file cannot be opened.",
            "場所と権限を確かめてください。Check its path and permissions.",
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    packed = data[:2] == b"\x1f\x8b"
    if packed:
        data = _gunzip(data, place, limits.unpacked_bytes)
    if not data.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise NeedsPerson(
            f"{place}: ファイルが空です。The file is empty.",
            "もう一度出力してください。Export it again.",
        )
    kind = _kind(data)
    container = f"gzip+{kind}" if packed else kind
    if kind != "text":
        grid = read_grid(data, place, kind, sheet, limits.unpacked_bytes)
        return Source(place, digest, size, container, grid=grid, warnings=grid.warnings)
    text = decode(data, place, encoding)
    return Source(place, digest, size, container, text.encoding, text.text, None, text.warnings)


def _kind(data: bytes) -> str:
    if data[:4] == b"PK\x03\x04":
        return "xlsx"
    if data[:4] == b"\xd0\xcf\x11\xe0":
        return "xls"
    return "text"


def _too_large(place: str, size: int, most: int) -> NeedsPerson:
    return NeedsPerson(
        f"{place}: ファイルが大きすぎます ({size // MEGABYTE} MB、上限 {most // MEGABYTE} MB)。"
        f"The file is larger than {most // MEGABYTE} MB.",
        "期間を分けて出力してください。Export it in shorter periods.",
    )


def _gunzip(data: bytes, place: str, most: int) -> bytes:
    unpacked = bytearray()
    rest = data
    try:
        while rest[:2] == b"\x1f\x8b":  # a gzip file may hold several members
            engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
            unpacked += engine.decompress(rest, most + 1 - len(unpacked))
            if len(unpacked) > most:
                raise _too_large(place, len(unpacked), most)
            if not engine.eof:
                raise zlib.error("the stream breaks off")
            rest = engine.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise NeedsPerson(
            f"{place}: gzip が途中で切れているか壊れています。The gzip file is cut off or damaged.",
            "もう一度ダウンロードしてください。Download it again.",
        ) from error
    return bytes(unpacked)
