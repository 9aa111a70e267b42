"""Who wrote a text version, and how many mails of it each person has let go."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, not_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from worker.store.access import TextApproval
from worker.store.running import DocumentVersion, ReleaseDocument


def versions_under(
    session: Session, release_id: int, paths: Sequence[str]
) -> list[DocumentVersion]:
    """The versions of these documents that a release holds; what it does not hold is left out."""
    statement = (
        select(DocumentVersion)
        .join(ReleaseDocument, ReleaseDocument.version_id == DocumentVersion.id)
        .where(ReleaseDocument.release_id == release_id, ReleaseDocument.path.in_(paths))
    )
    return list(session.scalars(statement))


def count_eyes(session: Session, text_key: str, text_version: str, by: str) -> None:
    """Count a mail that a person let go unchanged."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    keys = (TextApproval.text_key, TextApproval.text_version, TextApproval.by)
    session.execute(
        insert(TextApproval)
        .values(text_key=text_key, text_version=text_version, by=by, count=1)
        .on_conflict_do_update(index_elements=keys, set_={"count": TextApproval.count + 1})
    )


def uncount_eyes(session: Session, text_key: str, text_version: str, by: str) -> None:
    """Take a counted mail back."""
    session.execute(
        update(TextApproval)
        .where(
            TextApproval.text_key == text_key,
            TextApproval.text_version == text_version,
            TextApproval.by == by,
            TextApproval.count > 0,
        )
        .values(count=TextApproval.count - 1)
    )


def seen_by_others(
    session: Session, text_key: str, text_version: str, not_by: Collection[str], program: str
) -> int:
    """Mails of the version that other people let go; those of programs do not count."""
    statement = select(func.sum(TextApproval.count)).where(
        TextApproval.text_key == text_key,
        TextApproval.text_version == text_version,
        not_(or_(TextApproval.by.in_(not_by), TextApproval.by.startswith(program))),
    )
    return session.scalar(statement) or 0
