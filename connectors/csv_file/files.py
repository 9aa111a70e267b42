"""Order files, looked at and then read: nothing is written here, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.contract import BadRecord, NeedsPerson, RawOrder
from connectors.csv_file.columns import Layout
from connectors.csv_file.grouping import Grouping, Table
from connectors.csv_file.mapping import map_raw, plan_for
from connectors.csv_file.profiles import Profile, Profiles, load_profiles
from connectors.csv_file.reading import DEFAULT_LIMITS, Limits, Source, open_source
from connectors.csv_file.recognising import Header, find_header, recognise
from connectors.kit.tables import BrokenTable, Dialect

__all__ = [
    "FilePreview",
    "FileRecord",
    "Limits",
    "inspect_file",
    "load_profiles",
    "map_raw",
    "read_file",
]

_WANTED = ("email", "customer_id", "total", "status", "payment_method", "shipped_at")


@dataclass(frozen=True, slots=True)
class FilePreview:
    """What an order file is, before anything is taken in."""

    path_name: str
    sha256: str
    size: int
    """Bytes on disk."""
    container: str
    """``text``, ``xlsx``, ``xls``, or one of them after ``gzip+``."""
    encoding: str | None
    delimiter: str | None
    sheet: str | None
    profile: str
    header: tuple[str, ...]
    unknown_columns: tuple[str, ...]
    missing: tuple[str, ...]
    """Unified fields that matter and that this file cannot tell."""
    rows_estimate: int
    warnings: tuple[str, ...]
    """Codes of doubts that did not stop the reading; README.md lists them."""
    label: str = ""
    header_line: int = 1
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One order of a file, or one record that could not become one. ``store`` names the shop
    front where one file holds several."""

    store: str | None
    raw: RawOrder | None
    rejected: BadRecord | None


def inspect_file(
    path: Path,
    *,
    profiles: Profiles,
    profile: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    companion: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> FilePreview:
    """Tell container, encoding, dialect and profile of an order file.

    Raises NeedsPerson, naming file and line and what to do, for anything that stops an
    import as a whole.
    """
    fixed = profiles.get(profile) if profile else None
    encoding = encoding or (fixed.encoding if fixed else None)
    source = open_source(path, encoding=encoding, sheet=sheet, limits=limits)
    among = [fixed] if fixed else list(profiles.by_name.values())
    header = find_header(source, among, limits.columns)
    chosen, layout = recognise(path.name, header, profiles, profile)
    dialect = _dialect(chosen, header)
    _refuse_unread_formulas(source, header, layout)
    warnings = [*source.warnings, *_declared(layout, header)]
    if companion is not None:
        _companion_table(companion, chosen, encoding, limits)
    elif chosen.companion:
        warnings.append("no_item_file")
    return FilePreview(
        path_name=path.name,
        sha256=source.sha256,
        size=source.size,
        container=source.container,
        encoding=source.encoding,
        delimiter=None if source.grid else dialect.delimiter,
        sheet=source.grid.sheet if source.grid else None,
        profile=chosen.name,
        header=header.names,
        unknown_columns=layout.unknown_columns(),
        missing=tuple(f for f in _WANTED if f not in layout.found),
        rows_estimate=_estimate(source, header),
        warnings=tuple(warnings),
        label=chosen.label,
        header_line=header.line,
        quoted=dialect.quoted,
    )


def _dialect(profile: Profile, header: Header) -> Dialect:
    return Dialect(profile.delimiter or header.dialect.delimiter, profile.quoted)


def _declared(layout: Layout, header: Header) -> Iterator[str]:
    """Say which constants stand in for columns that the file lacks."""
    constants, found = layout.profile.constants, layout.found
    if header.line > 1:
        yield f"title_lines:{header.line - 1}"
    stated = ("status", "payment_status", "fulfilment_status")
    if "status" in constants and not any(field in found for field in stated):
        yield f"status_constant:{constants['status']}"
    if "currency" in constants and "currency" not in found:
        yield f"currency_constant:{constants['currency']}"
    if "total" not in found:
        yield "no_total_column"


def _estimate(source: Source, header: Header) -> int:
    if source.grid is not None:
        return sum(1 for number, _ in source.grid.rows if number > header.line)
    ends = source.text.count("\n") or source.text.count("\r")
    closed = source.text.endswith(("\n", "\r"))
    return max(0, ends + (0 if closed else 1) - header.line)


def _refuse_unread_formulas(source: Source, header: Header, layout: Layout) -> None:
    for row, column in source.grid.unread_formulas if source.grid else ():
        if row > header.line and column < len(header.names) and layout.knows(header.names[column]):
            name = header.names[column]
            raise NeedsPerson(
                f"{source.place}:{row}: 「{name}」の列に計算されていない数式があります。"
                f"Row {row}, column {name!r} holds a formula without a value.",
                "値として貼り付けて保存し直してください。"
                "Paste the column as values and save again.",
            )


def _companion_table(path: Path, profile: Profile, encoding: str | None, limits: Limits) -> Table:
    """Open the item file of a pair and check that it is one."""
    if profile.companion is None:
        raise NeedsPerson(
            f"{path.name}: {profile.label} には商品ファイルがありません。"
            f"The profile {profile.name} takes one file only.",
            "1 つだけ指定してください。Give one file.",
        )
    source = open_source(path, encoding=encoding, sheet=None, limits=limits)
    header = find_header(source, [profile], limits.columns)
    table = Table(source, _dialect(profile, header), header.line, header.names)
    if not table.has(profile.companion.signature):
        raise NeedsPerson(
            f"{path.name}:{header.line}: {profile.label}の商品ファイルではありません。"
            "This is not the item file of the pair.",
            "注文ファイルを先に、商品ファイルを後に指定してください。"
            "Give the order file first and the item file as its companion.",
        )
    return table


def read_file(
    path: Path,
    preview: FilePreview,
    *,
    profiles: Profiles,
    zone: str = "Asia/Tokyo",
    companion: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[FileRecord]:
    """Yield every order of the file, grouped over the whole file, in order of first rows.

    What cannot be cut into an order comes as ``rejected`` at its place. ``progress`` is
    called with (rows done, rows estimated). Raises NeedsPerson where the file has changed
    since the preview or cannot be cut into rows at all; nothing has been yielded then.
    """
    profile = profiles.get(preview.profile)
    source = open_source(path, encoding=preview.encoding, sheet=preview.sheet, limits=limits)
    if source.sha256 != preview.sha256:
        raise NeedsPerson(
            f"{path.name}: 確認した後にファイルが変わりました。The file changed since the preview.",
            "もう一度確認してから取り込んでください。Look at it again, then import.",
        )
    dialect = Dialect(preview.delimiter or ",", preview.quoted)
    table = Table(source, dialect, preview.header_line, preview.header)
    items = _companion_table(companion, profile, preview.encoding, limits) if companion else None
    plan = plan_for(profile, table.kept(profile.drop), zone)
    grouping = Grouping(table, profile, plan, items)
    try:
        grouping.prepare()
    except BrokenTable as error:
        raise NeedsPerson(
            f"{path.name}:{error.line}: 表として読めません ({error.reason})。"
            f"Line {error.line} cannot be read: {error.reason}.",
            'その行の引用符 (") を確かめてください。Check the quotation marks of that line.',
        ) from error
    report = (lambda done: progress(done, preview.rows_estimate)) if progress else None
    for store, found in grouping.records(report):
        if isinstance(found, BadRecord):
            yield FileRecord(store, None, found)
        else:
            yield FileRecord(store, found, None)
