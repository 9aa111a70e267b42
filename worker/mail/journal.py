"""The paper beside the database: what was about to leave, written down before the first byte.

A line is acknowledged only after fsync. When the database is restored or copied, the journal
still knows what went out (P3, P13).
"""

from __future__ import annotations

import fcntl
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

SENDING = "sending"
ROTATE_BYTES = 32 * 1024 * 1024
_TAIL = 64 * 1024


class JournalUnwritable(OSError):
    """The journal takes no more lines (disk full, no permission): nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``event`` is ``sending`` or the outcome (``sent``, ``retry_wait`` …).

    ``sequence`` counts up without gaps over all files; ``instance`` names the installation.
    """

    sequence: int
    at: datetime
    message_ref: str
    generation: int
    event: str
    message_id: str = ""
    instance: str = ""


class Journal:
    """Append-only file with checksums, safe between threads and processes.

    ``path`` is the file being written; full ones are kept beside it as
    ``<name>.<first sequence>`` and are read like the rest.
    """

    def __init__(self, path: Path, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._path = path
        self._rotate_bytes = rotate_bytes
        self._lock_path = path.with_name(path.name + ".lock")
        # What this process last saw, so that the tail is read again only after others wrote.
        self._seen: tuple[int, int] | None = None
        self._sequence = 0

    def sending(
        self, message_ref: str, generation: int, message_id: str, instance: str, at: datetime
    ) -> int:
        """Note durably that a mail is about to be handed over; returns the sequence.

        Raises JournalUnwritable, and then the mail must not go.
        """
        entry = Entry(0, at, message_ref, generation, SENDING, message_id, instance)
        return self._append(entry)

    def outcome(self, message_ref: str, generation: int, event: str, at: datetime) -> int:
        """Note durably what became of it. Raises JournalUnwritable."""
        return self._append(Entry(0, at, message_ref, generation, event))

    def last_sequence(self) -> int:
        """The newest acknowledged sequence, 0 for an empty journal."""
        with self._locked():
            return self._known_sequence()

    def entries(self) -> Iterator[Entry]:
        """All acknowledged entries, oldest first; torn lines are passed over."""
        with ExitStack() as stack:
            for lines in self._opened(stack):
                yield from filter(None, map(_parsed, lines))

    def newer(self, sequence: int) -> list[Entry]:
        """Entries behind a sequence, oldest first; the file's tail is enough for a few."""
        if self._path.exists():
            tail = _tail_entries(self._path)
            if tail and tail[0].sequence <= sequence + 1:
                return [entry for entry in tail if entry.sequence > sequence]
        return [entry for entry in self.entries() if entry.sequence > sequence]

    def lookup(self, message_ref: str) -> list[Entry]:
        """All entries of one message, oldest first."""
        needle = json.dumps(message_ref).encode()
        with ExitStack() as stack:
            matching = (line for file in self._opened(stack) for line in file if needle in line)
            found = list(filter(None, map(_parsed, matching)))
        return [entry for entry in found if entry.message_ref == message_ref]

    def unfinished(self) -> list[Entry]:
        """``sending`` entries without a later outcome of the same generation."""
        open_entries: dict[tuple[str, int], Entry] = {}
        for entry in self.entries():
            key = (entry.message_ref, entry.generation)
            if entry.event == SENDING:
                open_entries[key] = entry
            else:
                open_entries.pop(key, None)
        return list(open_entries.values())

    def _append(self, entry: Entry) -> int:
        with self._locked():
            sequence = self._known_sequence() + 1
            try:
                self._rotate(sequence)
                self._write(_line(entry, sequence))
            except OSError as error:
                self._seen = None
                reason = f"{self._path} cannot be written: {error.strerror}"
                raise JournalUnwritable(error.errno, reason) from error
            self._sequence = sequence
            return sequence

    def _write(self, line: bytes) -> None:
        new = not self._path.exists()
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                # Someone died in the middle of a line: end it, so that ours stands alone.
                line = b"\n" + line
            self._write_whole(handle, line, size)
            status = os.fstat(handle)
            self._seen = (status.st_ino, status.st_size)
        finally:
            os.close(handle)
        if new:
            self._sync_folder()

    @staticmethod
    def _write_whole(handle: int, line: bytes, size: int) -> None:
        try:
            written = os.write(handle, line)
            if written != len(line):
                raise OSError(28, "No space left on device")
            os.fsync(handle)
        except OSError:
            # Not acknowledged, so it must not be read later as if it had been.
            os.ftruncate(handle, size)
            raise

    def _rotate(self, next_sequence: int) -> None:
        if not self._path.exists() or self._path.stat().st_size < self._rotate_bytes:
            return
        self._path.rename(self._path.with_name(f"{self._path.name}.{next_sequence - 1:012d}"))
        self._sync_folder()
        self._seen = None

    def _known_sequence(self) -> int:
        if self._path.exists():
            status = self._path.stat()
            if self._seen == (status.st_ino, status.st_size):
                return self._sequence
            self._seen = (status.st_ino, status.st_size)
        newest_first = map(_last_in, reversed(self._files()))
        self._sequence = next((number for number in newest_first if number), 0)
        return self._sequence

    def _files(self) -> list[Path]:
        pattern = f"{self._path.name}.{'[0-9]' * 12}"
        rotated = sorted(self._path.parent.glob(pattern))
        return [*rotated, self._path] if self._path.exists() else rotated

    def _opened(self, stack: ExitStack) -> list[BinaryIO]:
        """Open all files at one moment: an open file stays readable when it is rotated away."""
        with self._locked():
            return [stack.enter_context(file.open("rb")) for file in self._files()]

    def _sync_folder(self) -> None:
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = f"{self._lock_path} cannot be opened: {error.strerror}"
            raise JournalUnwritable(error.errno, reason) from error
        try:
            # Each call opens the file anew, so the lock holds between threads as well.
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _line(entry: Entry, sequence: int) -> bytes:
    if entry.at.tzinfo is None:
        raise ValueError("at must be aware")
    record = asdict(entry) | {"sequence": sequence, "at": entry.at.astimezone(UTC).isoformat()}
    text = json.dumps(record, separators=(",", ":"), sort_keys=True).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _parsed(line: bytes) -> Entry | None:
    """An entry, or None for a line that was never acknowledged whole."""
    checksum, _, text = line.rstrip(b"\n").partition(b" ")
    if len(checksum) != 8 or checksum != b"%08x" % zlib.crc32(text):
        return None
    record = json.loads(text)
    return Entry(**record | {"at": datetime.fromisoformat(record["at"])})


def _tail_entries(file: Path) -> list[Entry]:
    """The entries in the last bytes of a file; its first line there may be cut off."""
    with file.open("rb") as lines:
        size = lines.seek(0, os.SEEK_END)
        lines.seek(max(0, size - _TAIL))
        return list(filter(None, map(_parsed, lines.read().split(b"\n"))))


def _last_in(file: Path) -> int:
    """The newest sequence of one file; its tail is enough unless that is all torn."""
    with file.open("rb") as lines:
        size = lines.seek(0, os.SEEK_END)
        lines.seek(max(0, size - _TAIL))
        last = _newest(lines.read().split(b"\n"))
        if last == 0 and size > _TAIL:
            lines.seek(0)
            last = _newest(lines.read().split(b"\n"))
    return last


def _newest(lines: list[bytes]) -> int:
    return next((entry.sequence for line in reversed(lines) if (entry := _parsed(line))), 0)
