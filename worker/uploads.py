"""Order files that were sent to the desk: kept while somebody looks at the preview, then gone."""

from __future__ import annotations

import re
import secrets
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

FORGOTTEN_AFTER = timedelta(days=1)
"""A file that nobody took in holds personal data: it goes."""

_TOKEN = re.compile(r"[0-9a-f]{32}")
_UNSAFE = re.compile(r"[\x00-\x1f/\\:]+")
_CHUNK = 1 << 20


class TooLarge(Exception):
    """The file is larger than this installation takes; ``limit`` in megabytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


@dataclass(frozen=True)
class Upload:
    """One order file, and its item file where the mall gives two."""

    token: str
    file: Path
    items: Path | None = None


def keep(
    folder: Path,
    files: list[tuple[str, BinaryIO]],
    limit_mb: int,
) -> Upload:
    """Write the files down, the order file first. Raises TooLarge; nothing is kept then."""
    token = secrets.token_hex(16)
    place = folder / token
    place.mkdir(parents=True, mode=0o700)
    try:
        for number, (name, source) in enumerate(files):
            inside = place / str(number)
            inside.mkdir(mode=0o700)
            _copy(source, inside / _plain(name), limit_mb)
    except BaseException:
        shutil.rmtree(place)
        raise
    return _found(place, token)


def upload_of(folder: Path, token: str) -> Upload:
    """An upload by its token. Raises LookupError where it is none, or gone."""
    place = folder / token
    if not _TOKEN.fullmatch(token) or not place.is_dir():
        raise LookupError("there is no such upload")
    return _found(place, token)


def drop(folder: Path, token: str) -> None:
    """Delete an upload; one that is gone already is no error."""
    if _TOKEN.fullmatch(token):
        shutil.rmtree(folder / token, ignore_errors=True)


def forget_uploads(folder: Path, now: datetime) -> int:
    """Delete what nobody took in within a day; gives how many."""
    if not folder.is_dir():
        return 0
    before = (now - FORGOTTEN_AFTER).timestamp()
    old = [place for place in folder.iterdir() if place.stat().st_mtime < before]
    for place in old:
        shutil.rmtree(place)
    return len(old)


def _copy(source: BinaryIO, path: Path, limit_mb: int) -> None:
    left = limit_mb * _CHUNK
    with path.open("xb") as target:
        while part := source.read(_CHUNK):
            left -= len(part)
            if left < 0:
                raise TooLarge(limit_mb)
            target.write(part)


def _plain(name: str) -> str:
    """The file's own name without any way out of its folder."""
    last = _UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    return last[-120:] or "orders.csv"


def _found(place: Path, token: str) -> Upload:
    inside = [next((place / str(number)).glob("*"), None) for number in (0, 1)]
    if inside[0] is None:
        raise LookupError("there is no such upload")
    return Upload(token, inside[0], inside[1])
