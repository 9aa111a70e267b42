"""Drafts of documents, counts of what they would change, and the versions that were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from worker.store.drafts import DocumentDraft, DraftCount
from worker.store.running import DocumentVersion, Release, ReleaseDocument


@dataclass(frozen=True, slots=True)
class Published:
    """One version of a document, and the first release that held it."""

    id: int
    release_id: int
    path: str
    author: str
    note: str
    at: datetime


def drafts_of(session: Session, names: Sequence[str]) -> Sequence[DocumentDraft]:
    """The drafts of these names."""
    return session.scalars(
        select(DocumentDraft).where(DocumentDraft.name.in_(names)).order_by(DocumentDraft.name)
    ).all()


def draft_named(session: Session, name: str) -> DocumentDraft | None:
    """The draft of a name, as it stands now."""
    return session.scalars(
        select(DocumentDraft)
        .where(DocumentDraft.name == name)
        .execution_options(populate_existing=True)
    ).one_or_none()


def forget_counts(session: Session) -> None:
    """What was counted for other drafts says nothing any more."""
    session.execute(delete(DraftCount))


def count_for(session: Session, key: str) -> DraftCount | None:
    """What was counted for exactly these drafts."""
    return session.get(DraftCount, key) if key else None


def latest_count(session: Session) -> DraftCount | None:
    """What was counted last, for whatever drafts."""
    return session.scalars(select(DraftCount).order_by(DraftCount.at.desc()).limit(1)).first()


def newest_release(session: Session) -> Release | None:
    """The release in force."""
    return session.scalars(select(Release).order_by(Release.id.desc()).limit(1)).first()


def versions_of(
    session: Session, paths: Sequence[str], *, before: int = 0, limit: int = 50
) -> list[Published]:
    """Versions of these documents, the newest first, behind the version ``before``."""
    wanted: list[ColumnElement[bool]] = [DocumentVersion.path.in_(paths)]
    if before:
        wanted.append(DocumentVersion.id < before)
    first = (
        select(ReleaseDocument.version_id, func.min(ReleaseDocument.release_id).label("release"))
        .group_by(ReleaseDocument.version_id)
        .subquery()
    )
    rows = session.execute(
        select(DocumentVersion, first.c.release)
        .join(first, first.c.version_id == DocumentVersion.id)
        .where(*wanted)
        .order_by(DocumentVersion.id.desc())
        .limit(limit)
    )
    return [
        Published(version.id, release, version.path, version.author, version.note, version.at)
        for version, release in rows
    ]


def version_before(session: Session, version: DocumentVersion) -> DocumentVersion | None:
    """The version of the same document that it followed."""
    return session.scalars(
        select(DocumentVersion)
        .where(DocumentVersion.path == version.path, DocumentVersion.id < version.id)
        .order_by(DocumentVersion.id.desc())
        .limit(1)
    ).first()


def version_in_force(session: Session, path: str) -> int | None:
    """Id of the version of a document that the newest release holds."""
    newest = select(func.max(Release.id)).scalar_subquery()
    return session.scalar(
        select(ReleaseDocument.version_id).where(
            ReleaseDocument.release_id == newest, ReleaseDocument.path == path
        )
    )
