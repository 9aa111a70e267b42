"""Files that a stream took in by itself, listed as imports so that they can be taken back."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import Batch
from worker.pipeline.ingest import IngestResult
from worker.rules.states import ImportState
from worker.store.channels import Channel
from worker.store.orders import Import

BY = "drop"
"""Who started it: nobody, the file was put into a drop folder."""


def batch_import(session: Session, channel: Channel, batch: Batch, now: datetime) -> Import:
    """The import a page belongs to: the one that is running for this file, else a new one."""
    running = session.scalar(
        sa.select(Import)
        .where(
            Import.sha256 == batch.sha256,
            Import.channel_id == channel.id,
            Import.state == ImportState.RUNNING,
            Import.by == BY,
        )
        .order_by(Import.id.desc())
        .limit(1)
    )
    if running is not None:
        return running
    record = Import(
        channel_id=channel.id,
        file_name=batch.name,
        sha256=batch.sha256,
        profile=batch.profile,
        encoding=batch.encoding,
        state=ImportState.RUNNING,
        counts={"asked": channel.name, "channels": [channel.name]},
        warnings=list(batch.warnings),
        by=BY,
        started_at=now,
    )
    session.add(record)
    session.flush()
    return record


def count_page(
    record: Import, result: IngestResult, rejected: int, now: datetime, *, last: bool
) -> None:
    """Add a page's counts; the last page of the file ends the import."""
    added = {
        "new": result.new,
        "changed": result.changed,
        "unchanged": result.unchanged,
        "stale": result.stale,
        "rejected": rejected,
    }
    counts = dict(record.counts)
    record.counts = counts | {name: counts.get(name, 0) + n for name, n in added.items()}
    if last:
        record.state, record.finished_at = ImportState.DONE, now
