"""Small order files for tests, written in plain sight, and the short way to read them."""

from __future__ import annotations

from pathlib import Path

from connectors.contract import BadRecord, Order, RawOrder
from connectors.csv_file.files import FileRecord, inspect_file, load_profiles, map_raw, read_file

PROFILES = load_profiles()
SAMPLES = Path(__file__).parent / "samples"
HEADER = "order_number,ordered_at,email,total,status"


def write(folder: Path, text: str, name: str = "orders.csv", encoding: str = "utf-8") -> Path:
    """Write a text file exactly as given."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def records(path: Path, companion: Path | None = None, **options: str) -> list[FileRecord]:
    """Inspect and read a file with the built-in profiles."""
    preview = inspect_file(path, profiles=PROFILES, companion=companion, **options)  # type: ignore[arg-type]
    return list(read_file(path, preview, profiles=PROFILES, companion=companion))


def raws(path: Path, companion: Path | None = None, **options: str) -> list[RawOrder]:
    """Give the raw orders of a file that has no rejected record."""
    found = records(path, companion, **options)
    assert [r.rejected for r in found if r.rejected] == []
    return [r.raw for r in found if r.raw is not None]


def orders(path: Path, companion: Path | None = None, **options: str) -> list[Order]:
    """Map every order of a file."""
    return [map_raw(raw, PROFILES) for raw in raws(path, companion, **options)]


def order(folder: Path, header: str, row: str) -> Order:
    """Map a file of one order."""
    (one,) = orders(write(folder, f"{header}\n{row}\n"))
    return one


def rejected(path: Path) -> list[tuple[str, str]]:
    """Give (code, position) of the rejected records, mapping included."""
    found = []
    for record in records(path):
        bad = record.rejected or _refused(record.raw)
        if bad is not None:
            assert bad.reason
            assert bad.reason_ja
            assert bad.payload
            found.append((bad.code, bad.position))
    return found


def _refused(raw: RawOrder | None) -> BadRecord | None:
    assert raw is not None
    try:
        map_raw(raw, PROFILES)
    except BadRecord as bad:
        return bad
    return None
