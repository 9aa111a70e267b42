"""Whether this database may mail: a restored or copied one may not until a person says so."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.journal import SENDING, Entry
from worker.rules.states import RunMode
from worker.store.messages import Message
from worker.store.running import Instance

FILE = "instance.json"
_MACHINE_ID = Path("/etc/machine-id")
_FEW = 20
"""Up to so many messages are looked up one by one; for more the journal is read once."""

_CHUNK = 500

LOCKS: dict[str, tuple[str, str]] = {
    "other_instance": (
        "このデータベースは別の設置場所のものです。",
        "This database belongs to another installation.",
    ),
    "other_host": (
        "データフォルダーが別のコンピューターか場所から写されています。",
        "The data directory was copied from another machine or place.",
    ),
    "journal_ahead": (
        "送信記録がデータベースより新しく、データベースは復元されたものとみられます。",
        "The send journal is newer than the database, which seems to be a restored one.",
    ),
    "journal_missing": (
        "送信記録の一部がなくなっています。",
        "A part of the send journal is missing.",
    ),
}
"""Why a database is locked to capture, in Japanese and English, by ``Instance.locked_reason``."""


class JournalView(Protocol):
    """What is read of the journal here; ``worker.mail.journal.Journal`` has it."""

    def last_sequence(self) -> int:
        """The newest sequence, 0 for an empty journal."""
        ...

    def newer(self, sequence: int) -> Sequence[Entry]:
        """Entries behind a sequence, oldest first."""
        ...

    def lookup(self, message_ref: str) -> Sequence[Entry]:
        """All entries of one message, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Installation:
    """What the data directory says of itself, and where it lies now."""

    folder: Path
    instance_id: str
    fingerprint: str
    """Of the machine and place where the directory was last armed."""
    here: str
    """Of the machine and place where it is now."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What may happen now; ``lock`` is a key of LOCKS, or empty."""

    capture_only: bool
    lock: str


def open_installation(folder: Path, machine_id: str | None = None) -> Installation:
    """Read the data directory's identity, or give it one on its first use.

    ``machine_id`` is what tells this machine apart; None reads /etc/machine-id.
    """
    here = fingerprint(folder, machine_id)
    file = folder / FILE
    if not file.exists():
        return _write(folder, here)
    told = json.loads(file.read_text(encoding="utf-8"))
    return Installation(folder, told["instance_id"], told["fingerprint"], here)


def fingerprint(folder: Path, machine_id: str | None = None) -> str:
    """Tell this machine and this place of the data directory apart from others."""
    if machine_id is None:
        machine_id = _MACHINE_ID.read_text().strip() if _MACHINE_ID.is_file() else ""
    return hashlib.sha256(f"{machine_id}\0{folder.resolve()}".encode()).hexdigest()


def renew_identity(installation: Installation) -> Installation:
    """Give the data directory a new identity at its present place (``rearm`` does)."""
    return _write(installation.folder, installation.here)


def _write(folder: Path, here: str) -> Installation:
    """Give the directory a new identity, durably."""
    fresh = Installation(folder, secrets.token_hex(16), here, here)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.{secrets.token_hex(4)}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"instance_id": fresh.instance_id, "fingerprint": here}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / FILE)
    return fresh


def check_instance(
    session: Session, installation: Installation, journal: JournalView, now: datetime
) -> Standing:
    """Say whether mails may leave; notes a lock, which stays until ``rearm``.

    A new database is registered to this directory and begins in capture mode.
    """
    row = session.get(Instance, 1, with_for_update=True, populate_existing=True)
    if row is None:
        row = Instance(id=1, instance_id=installation.instance_id, mode=RunMode.CAPTURE)
        row.journal_sequence, row.locked_reason, row.armed_at = 0, "", now
        session.add(row)
    if not row.locked_reason:
        row.locked_reason = _lock(session, row, installation, journal)
    session.flush()
    return Standing(bool(row.locked_reason) or row.mode is RunMode.CAPTURE, row.locked_reason)


def set_mode(session: Session, mode: RunMode, *, by: str, now: datetime) -> None:
    """Let mails leave, or only be captured. Raises ValueError before the first check."""
    row = session.get(Instance, 1, with_for_update=True)
    if row is None:
        raise ValueError("this database is not registered to an installation yet")
    row.mode, row.armed_by, row.armed_at = mode, by, now
    session.flush()


def _lock(session: Session, row: Instance, installation: Installation, journal: JournalView) -> str:
    if row.instance_id != installation.instance_id:
        return "other_instance"
    if installation.fingerprint != installation.here:
        return "other_host"
    last = journal.last_sequence()
    if last < row.journal_sequence:
        return "journal_missing"
    if last > row.journal_sequence:
        if unknown_attempts(session, journal, row.journal_sequence):
            return "journal_ahead"
        row.journal_sequence = last
    return ""


def unknown_attempts(session: Session, journal: JournalView, after: int) -> list[Entry]:
    """Attempts in the journal behind sequence ``after`` that the database knows nothing of.

    ``sending`` is committed before it is journalled, so a worker that was killed leaves none.
    """
    attempts = [entry for entry in journal.newer(after) if entry.event == SENDING]
    refs = sorted({entry.message_ref for entry in attempts})
    numbers = _numbers(journal, refs)
    known = _known_attempts(session, refs)
    return [
        entry
        for entry in attempts
        if (entry.generation, numbers[entry.sequence]) > known.get(entry.message_ref, (0, 0))
    ]


def _numbers(journal: JournalView, refs: Sequence[str]) -> dict[int, int]:
    """Which attempt of its generation each ``sending`` entry is, by sequence; the first is 1."""
    few = len(refs) <= _FEW
    history = [e for ref in refs for e in journal.lookup(ref)] if few else journal.newer(0)
    seen: Counter[tuple[str, int]] = Counter()
    numbers = {}
    for entry in history:
        if entry.event == SENDING:
            seen[entry.message_ref, entry.generation] += 1
            numbers[entry.sequence] = seen[entry.message_ref, entry.generation]
    return numbers


def _known_attempts(session: Session, refs: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Generation and attempts of the messages the database holds."""
    known: dict[str, tuple[int, int]] = {}
    for start in range(0, len(refs), _CHUNK):
        rows = session.execute(
            select(Message.id, Message.generation, Message.attempts).where(
                Message.id.in_(refs[start : start + _CHUNK])
            )
        )
        known |= {row.id: (row.generation, row.attempts) for row in rows}
    return known
