"""A drop folder as a marketplace: files that appear there are taken in by themselves."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from connectors.contract import (
    BadRecord,
    Batch,
    ChannelConfig,
    NeedsPerson,
    Order,
    Page,
    RawOrder,
    Stream,
    Watermark,
)
from connectors.csv_file.files import (
    FilePreview,
    FileRecord,
    inspect_file,
    load_profiles,
    map_raw,
    read_file,
)
from connectors.csv_file.profiles import Profiles
from connectors.csv_file.recognising import ItemFileAlone

__all__ = [
    "CsvFile",
    "FilePreview",
    "FileRecord",
    "inspect_file",
    "load_profiles",
    "map_raw",
    "read_file",
]

log = logging.getLogger(__name__)

PAGE = 500
"""Orders per page."""

TAKEN = "taken"
"""Subfolder for files that were read to the end and stored."""

SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".xls", ".xlsm", ".gz"})
_SETTLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Dropped:
    """One file to take in, with the second file of its pair where it has one."""

    path: Path
    preview: FilePreview
    companion: Path | None = None


class CsvFile:
    """Reads order files from a channel's drop folder.

    Settings: ``folder`` (else ``drop/<channel>``, ``:`` written as ``_``), ``profile``,
    ``encoding``, ``sheet``, ``settle_seconds`` (a file younger than that may still be
    written, default 5). The watermark is the time of the last finished file and only for
    people: a file counts as not yet read as long as it stands in the folder itself.
    """

    kind = "csv_file"

    def __init__(self, config: ChannelConfig, **places: Path) -> None:
        self._config = config
        self._profiles = _profiles(places)
        self._folder = _folder(config, places)

    def streams(self) -> tuple[Stream, ...]:
        """Poll the folder once a minute."""
        return (Stream("files", interval_seconds=60),)

    def pull(
        self, stream: str, watermark: Watermark, cursor: str | None, now: datetime
    ) -> Iterator[Page]:
        """Yield the orders of each waiting file, oldest first, PAGE at a time.

        After its last page was taken a file moves to ``taken/``. A file that needs a person
        stays where it is and never stops the others; NeedsPerson is raised at the end.
        """
        if stream != "files":
            raise NeedsPerson(f"There is no stream {stream!r}.", "Use the stream files.")
        dropped, problems = self._waiting(now)
        start = _Start.of(cursor)
        for one in sorted(dropped, key=lambda each: each.preview.sha256 != start.sha256):
            skip = start.done if one.preview.sha256 == start.sha256 else 0
            try:
                yield from self._pages(one, skip, _moved_on(watermark, now))
            except NeedsPerson as problem:
                problems.append(problem)
                continue
            self._put_away(one, now)
        if problems:
            raise _together(problems)

    def _pages(self, one: _Dropped, skip: int, finished: Watermark) -> Iterator[Page]:
        records = read_file(
            one.path,
            one.preview,
            profiles=self._profiles,
            zone=self._config.zone,
            companion=one.companion,
        )
        done = skip
        part = list(islice(records, skip, skip + PAGE))
        while True:
            done += len(part)
            after = list(islice(records, PAGE))
            cursor = f"{one.preview.sha256}:{done}" if after else None
            yield _page(part, cursor, None if after else finished, _batch(one.preview))
            if not after:
                return
            part = after

    def map(self, raw: RawOrder) -> Order:
        """Translate one order; see ``map_raw``."""
        return map_raw(raw, self._profiles, self._config.zone)

    def check(self) -> str:
        """Look into the folder; raises NeedsPerson where it is not there."""
        count = len(self._files())
        return f"{self._folder}: {count} file(s) waiting"

    def _files(self) -> list[Path]:
        try:
            found = [path for path in self._folder.iterdir() if _is_order_file(path)]
        except OSError as error:
            raise NeedsPerson(
                f"フォルダを開けません: {self._folder}。The folder cannot be opened.",
                "フォルダを作り、読み書きできるようにしてください。"
                "Create it and allow reading and writing.",
            ) from error
        return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))

    def _waiting(self, now: datetime) -> tuple[list[_Dropped], list[NeedsPerson]]:
        dropped: list[_Dropped] = []
        items: list[tuple[Path, ItemFileAlone]] = []
        problems: list[NeedsPerson] = []
        for path in self._files():
            if self._still_written(path, now):
                continue
            try:
                dropped.append(_Dropped(path, self._look(path)))
            except ItemFileAlone as alone:
                items.append((path, alone))
            except NeedsPerson as problem:
                problems.append(problem)
        return self._paired(dropped, items, problems), problems

    def _look(self, path: Path) -> FilePreview:
        settings = self._config.settings
        return inspect_file(
            path,
            profiles=self._profiles,
            profile=settings.get("profile"),
            encoding=settings.get("encoding"),
            sheet=settings.get("sheet"),
        )

    def _still_written(self, path: Path, now: datetime) -> bool:
        age = now.timestamp() - path.stat().st_mtime
        return 0 <= age < float(self._config.settings.get("settle_seconds", _SETTLE_SECONDS))

    def _paired(
        self,
        dropped: list[_Dropped],
        items: list[tuple[Path, ItemFileAlone]],
        problems: list[NeedsPerson],
    ) -> list[_Dropped]:
        """Give each order file that wants one the item file written nearest to it."""
        found = []
        for one in dropped:
            if items and self._profiles.get(one.preview.profile).companion:
                nearest = min(items, key=lambda item: _apart(item[0], one.path))
                items.remove(nearest)
                found.append(_Dropped(one.path, one.preview, nearest[0]))
            else:
                found.append(one)
        problems += [alone for _, alone in items]
        return found

    def _put_away(self, one: _Dropped, now: datetime) -> None:
        target = self._folder / TAKEN
        target.mkdir(exist_ok=True)
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        for path in filter(None, (one.path, one.companion)):
            path.replace(target / f"{stamp}-{one.preview.sha256[:8]}-{path.name}")
        log.info(
            "order_file_taken",
            extra={"channel": self._config.name, "sha256": one.preview.sha256},
        )


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a stopped pull goes on: which file, and how many records of it are stored."""

    sha256: str = ""
    done: int = 0

    @classmethod
    def of(cls, cursor: str | None) -> _Start:
        sha256, _, done = (cursor or "").partition(":")
        return cls(sha256, int(done)) if done.isdigit() else cls()


def _profiles(places: dict[str, Path]) -> Profiles:
    own = places.get("profiles")
    return load_profiles(own) if own is not None and own.is_dir() else load_profiles()


def _folder(config: ChannelConfig, places: dict[str, Path]) -> Path:
    told = config.settings.get("folder")
    if told:
        return Path(str(told))
    if "drop" in places:
        return places["drop"] / config.name.replace(":", "_").replace("/", "_")
    raise NeedsPerson(
        f"チャネル {config.name} に取り込みフォルダがありません。The channel has no drop folder.",
        "設定 folder を書いてください。Set its folder.",
    )


def _is_order_file(path: Path) -> bool:
    hidden = path.name.startswith((".", "~$"))
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()


def _apart(one: Path, other: Path) -> float:
    return abs(one.stat().st_mtime - other.stat().st_mtime)


def _page(
    part: Sequence[FileRecord], cursor: str | None, watermark: Watermark | None, batch: Batch
) -> Page:
    raws = tuple(record.raw for record in part if record.raw is not None)
    rejected: tuple[BadRecord, ...] = tuple(r.rejected for r in part if r.rejected is not None)
    return Page(raws, cursor, watermark, rejected, batch)


def _batch(preview: FilePreview) -> Batch:
    return Batch(
        preview.path_name, preview.sha256, preview.profile, preview.encoding or "", preview.warnings
    )


def _moved_on(watermark: Watermark, now: datetime) -> Watermark:
    value = now.astimezone(UTC).isoformat()
    return Watermark(max(watermark.value or "", value))


def _together(problems: list[NeedsPerson]) -> NeedsPerson:
    if len(problems) == 1:
        return problems[0]
    return NeedsPerson(
        " / ".join(problem.problem for problem in problems),
        " / ".join(dict.fromkeys(problem.remedy for problem in problems)),
    )
