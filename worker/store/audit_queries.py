"""Reading the audit, newest first and by keyset: it only grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from worker.store.running import Audit


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show; an empty field asks for nothing. ``since`` is included, ``until`` is not."""

    by: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def audit_page(
    session: Session, wanted: AuditFilter, *, before: int | None, limit: int
) -> Sequence[Audit]:
    """Rows older than the one with the id ``before``, the newest of them first."""
    statement = _narrowed(wanted).limit(limit)
    if before is not None:
        statement = statement.where(Audit.id < before)
    return session.scalars(statement).all()


def audit_rows(session: Session, wanted: AuditFilter) -> Iterator[Audit]:
    """Every row that fits, for a file."""
    yield from session.scalars(_narrowed(wanted).execution_options(yield_per=2000))


def _narrowed(wanted: AuditFilter) -> Select[Audit]:
    statement = select(Audit).order_by(Audit.id.desc())
    for column, value in (
        (Audit.by, wanted.by),
        (Audit.action, wanted.action),
        (Audit.subject, wanted.subject),
    ):
        if value:
            statement = statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(Audit.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(Audit.at < wanted.until)
    return statement


def audited_actions(session: Session) -> Sequence[str]:
    """Every action that the audit knows, for the choice; skips along the index."""
    return _skipping(session, "action")


def audited_people(session: Session) -> Sequence[str]:
    """Everybody who ever did anything."""
    return _skipping(session, "by")


def _skipping(session: Session, name: str) -> Sequence[str]:
    """The different values of an indexed column, one index look-up for each."""
    column = Audit.__table__.c[name]
    found: list[str] = []
    statement = select(column).order_by(column).limit(1)
    value = session.scalar(statement)
    while value is not None:
        found.append(value)
        value = session.scalar(statement.where(column > value))
    return found


def renamings(session: Session) -> Sequence[tuple[str, str]]:
    """``(old name, new name)`` of every user who took another name, in order."""
    rows = session.scalars(select(Audit).where(Audit.action == "rename_user").order_by(Audit.id))
    return [(row.detail["old"], row.detail["new"]) for row in rows]
