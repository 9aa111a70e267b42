"""Order files taken in by hand: looked at, counted, read in chunks, remembered, taken back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import BadRecord, NeedsPerson, Order, RawOrder
from connectors.csv_file.files import (
    FilePreview,
    FileRecord,
    inspect_file,
    load_profiles,
    map_raw,
    read_file,
)
from connectors.csv_file.profiles import Profiles
from worker.pipeline.channel_names import (
    activate,
    channel_of_store,
    family_of,
    find_channel,
    open_channel,
)
from worker.pipeline.context import Context, Transaction
from worker.pipeline.identify import identify
from worker.pipeline.import_report import ImportReport, Tally, report_of
from worker.pipeline.import_undo import UndoReport, undo_import
from worker.pipeline.pull import map_all, prepare, rejection, take_in
from worker.rules.states import ImportState
from worker.store import raw_queries as raws
from worker.store.channels import Channel
from worker.store.order_queries import REVISIONS
from worker.store.orders import Import

__all__ = ["ImportReport", "UndoReport", "import_file", "list_imports", "undo_import"]

Progress = Callable[[int, int], None]
"""Called with (rows done, rows estimated)."""

_AIM_SECONDS = 0.1
"""How long one writing transaction should take: mails are sent in between (SQLite)."""
_FIRST_CHUNK, _SMALLEST, _LARGEST = 500, 250, 1000
# Below the smallest the statements themselves cost more than their rows.


@dataclass(slots=True)
class Pace:
    """How many orders go into the next transaction, from how long the last one took."""

    size: int = _FIRST_CHUNK

    def took(self, seconds: float) -> None:
        """Note how long a transaction of ``size`` took and choose the next size."""
        wanted = self.size * _AIM_SECONDS / max(seconds, 0.001)
        self.size = int(min(max(wanted, self.size / 2, _SMALLEST), self.size * 2, _LARGEST))


@dataclass(slots=True)
class _Work:
    """One import under way."""

    transaction: Transaction
    ctx: Context
    path: Path
    preview: FilePreview
    profiles: Profiles
    channel: str | None
    dry_run: bool
    by: str
    now: datetime
    import_id: int | None = None
    resumed: bool = False
    stores: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


class _RolledBack(Exception):
    """Ends a rehearsal's transaction without a trace."""


def import_file(
    transaction: Transaction,
    ctx: Context,
    path: Path,
    *,
    channel: str | None,
    profile: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    active_from: datetime | None = None,
    dry_run: bool = False,
    by: str,
    now: datetime,
    progress: Progress | None = None,
    companion: Path | None = None,
    profiles: Profiles | None = None,
) -> ImportReport:
    """Take an order file in, chunk by chunk, each in a transaction of its own.

    ``channel`` is ``family:name``; for a file of several stores a family is enough. A file
    that is done for the channel changes nothing. An import that was interrupted goes on under
    the same number. Raises NeedsPerson, before anything is written, where the file cannot be
    read as a whole.
    """
    profiles = profiles or load_profiles()
    preview = inspect_file(
        path,
        profiles=profiles,
        profile=profile,
        encoding=encoding,
        sheet=sheet,
        companion=companion,
    )
    work = _Work(transaction, ctx, path, preview, profiles, channel, dry_run, by, now)
    _check_family(work)
    if done := _already(work):
        if active_from is not None and not dry_run:
            _activate_all(work, active_from, done.channels)
        return done
    records = read_file(
        path,
        preview,
        profiles=profiles,
        zone=ctx.documents.shop.zone,
        companion=companion,
        progress=progress,
    )
    _run(work, records, active_from)
    return report_of(preview, work.tally, import_id=work.import_id, dry_run=dry_run)


def _run(work: _Work, records: Iterator[FileRecord], active_from: datetime | None) -> None:
    first = list(islice(records, _FIRST_CHUNK))  # a file that cannot be cut says so here
    if not work.dry_run:
        with work.transaction() as session:
            _begin(session, work, first)
    try:
        _read(work, first, records)
        if not work.dry_run:
            if active_from is not None:
                _activate_all(work, active_from, work.tally.channels)
            _identify_all(work)
            with work.transaction() as session:
                _finish(session, work)
    except Exception as error:
        if not work.dry_run:
            with work.transaction() as session:
                _fail(session, work, error)
        raise


# --- before ----------------------------------------------------------------------------------


def _check_family(work: _Work) -> None:
    """A Rakuten export must not become an own shop's orders: other texts, other law."""
    given = work.channel
    if given is None:
        return
    family = family_of(given if ":" in given else f"{given}:x").value
    profile = work.profiles.get(work.preview.profile)
    of_many = "store" in profile.columns
    if profile.family and profile.family != family and not of_many:
        raise NeedsPerson(
            f"{work.path.name}: {profile.label or profile.name}のファイルです。"
            f"{given} には取り込めません。"
            f"A file of {profile.name} ({profile.family}) cannot go into {given}.",
            f"{profile.family}:… のチャネルを指定してください。"
            f"Give a channel of the family {profile.family}.",
        )


def _already(work: _Work) -> ImportReport | None:
    with work.transaction() as session:
        if work.channel is not None:
            found = find_channel(session, work.channel)
            work.stores = dict((found.settings or {}).get("stores", {})) if found else {}
        for row in session.scalars(
            sa.select(Import).where(Import.sha256 == work.preview.sha256).order_by(Import.id.desc())
        ):
            if row.counts.get("asked") != (work.channel or ""):
                continue
            if row.state is ImportState.DONE:
                return _done_before(work, row)
            if row.state in {ImportState.RUNNING, ImportState.FAILED}:
                work.import_id, work.resumed = row.id, True
            break
    return None


def _done_before(work: _Work, row: Import) -> ImportReport:
    before = Tally.of(row.counts)
    # This time nothing came in: whoever reads the numbers must not count the orders twice.
    known = before.new + before.changed + before.unchanged + before.stale
    tally = Tally(unchanged=known, channels=before.channels)
    return report_of(work.preview, tally, import_id=row.id, already=True, dry_run=work.dry_run)


def _begin(session: Session, work: _Work, first: Sequence[FileRecord]) -> None:
    if work.import_id is not None:
        row = session.get_one(Import, work.import_id)
        row.state, row.error = ImportState.RUNNING, ""
        return
    row = Import(
        file_name=work.path.name,
        sha256=work.preview.sha256,
        profile=work.preview.profile,
        encoding=work.preview.encoding or "",
        state=ImportState.RUNNING,
        counts={"asked": work.channel or ""},
        warnings=list(work.preview.warnings),
        by=work.by,
        started_at=work.now,
    )
    session.add(row)
    if work.channel and ":" in work.channel and not any(record.store for record in first):
        row.channel_id = _channel(session, work, None).id
    session.flush()
    work.import_id = row.id


# --- reading ---------------------------------------------------------------------------------


def _read(work: _Work, first: list[FileRecord], records: Iterator[FileRecord]) -> None:
    pace = Pace()
    part = first
    while part:
        for start in range(0, len(part), pace.size):
            _take(work, part[start : start + pace.size], pace)
        part = list(islice(records, pace.size))


def _take(work: _Work, part: Sequence[FileRecord], pace: Pace) -> None:
    zone = work.ctx.documents.shop.zone
    found = [record.raw for record in part if record.raw is not None]
    # Mapping is pure and takes as long as the writing: it stays out of the transaction.
    mapped, _ = map_all(found, lambda raw: map_raw(raw, work.profiles, zone), work.now)
    begun = time.perf_counter()
    try:
        with work.transaction() as session:
            _write(session, work, part, iter(mapped))
            if work.dry_run:
                raise _RolledBack
    except _RolledBack:
        pass
    if len(part) >= pace.size:
        pace.took(time.perf_counter() - begun)


@dataclass(slots=True)
class _Share:
    """What a chunk holds for one channel."""

    raws: list[RawOrder] = field(default_factory=list)
    mapped: list[Order | BadRecord] = field(default_factory=list)
    rejected: list[BadRecord] = field(default_factory=list)


def _write(
    session: Session,
    work: _Work,
    part: Iterable[FileRecord],
    mapped: Iterator[Order | BadRecord],
) -> None:
    shares: dict[str | None, _Share] = {}
    for record in part:
        share = shares.setdefault(record.store, _Share())
        if record.raw is not None:
            share.raws.append(record.raw)
            share.mapped.append(next(mapped))
        elif record.rejected is not None:
            share.rejected.append(record.rejected)
    for store, share in shares.items():
        _write_share(session, work, store, share)


def _write_share(session: Session, work: _Work, store: str | None, share: _Share) -> None:
    number = work.import_id
    if store is None and not share.raws and not (work.channel and ":" in work.channel):
        # Rows that name neither order nor store: nobody's, but not lost.
        cases = [rejection(error) for error in share.rejected]
        raws.store_rejected(session, None, cases, work.now, number)
        work.tally.rejects(share.rejected)
        return
    channel = _channel(session, work, store)
    cases = [rejection(error) for error in share.rejected]
    raws.store_rejected(session, channel.id, cases, work.now, number)
    prepared = [prepare(raw) for raw in share.raws]
    raw_ids = raws.store_raws(session, channel.id, prepared, work.now, number)
    result, _ = take_in(
        session, work.ctx, channel, share.raws, share.mapped, raw_ids, work.now, number
    )
    work.tally.rejects(share.rejected)
    work.tally.adds(result, share.mapped)


def _channel(session: Session, work: _Work, store: str | None) -> Channel:
    name = channel_of_store(store, work.channel, work.stores)
    channel, made = open_channel(session, name, work.now)
    work.tally.uses(name, made=made and store is not None)
    return channel


# --- after -----------------------------------------------------------------------------------


def _activate_all(work: _Work, active_from: datetime, names: Iterable[str]) -> None:
    for name in names:
        with work.transaction() as session:
            channel = find_channel(session, name)
            if channel is not None:
                activate(session, channel, active_from, work.by)


def _identify_all(work: _Work) -> None:
    pace = Pace()
    while True:
        begun = time.perf_counter()
        with work.transaction() as session:
            seen = identify(session, work.ctx, work.now, pace.size).seen
        if seen == 0:
            return
        pace.took(time.perf_counter() - begun)


def _finish(session: Session, work: _Work) -> None:
    row = session.get_one(Import, work.import_id)
    if work.resumed:
        _count_whole(session, work)
    row.state = ImportState.DONE
    row.finished_at = work.now
    row.counts = {"asked": work.channel or ""} | work.tally.counts()
    row.warnings = [*work.preview.warnings, *work.tally.warnings]


def _count_whole(session: Session, work: _Work) -> None:
    """An import that went on counts what its first part did from the revisions it left."""
    query = (
        sa.select(sa.func.min(REVISIONS.c.revision))
        .where(REVISIONS.c.import_id == work.import_id)
        .group_by(REVISIONS.c.order_id)
    )
    firsts = Counter(first == 1 for first in session.scalars(query))
    tally = work.tally
    total = tally.new + tally.changed + tally.unchanged + tally.stale
    tally.new, tally.changed = firsts[True], firsts[False]
    tally.unchanged = max(total - tally.new - tally.changed - tally.stale, 0)


def _fail(session: Session, work: _Work, error: Exception) -> None:
    row = session.get_one(Import, work.import_id)
    row.state = ImportState.FAILED
    row.error = f"{type(error).__name__}: {error}"[:2000]
    row.finished_at = work.now


def list_imports(session: Session, limit: int = 100) -> list[Import]:
    """The latest imports, newest first."""
    return list(session.scalars(sa.select(Import).order_by(Import.id.desc()).limit(limit)))
