"""The audit: one row for each act of a person or a program, in the transaction of the act."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from worker.store.running import Audit

NAME_LENGTH = 80


def record(
    session: Session, *, by: str, action: str, now: datetime, subject: str = "", **detail: Any
) -> None:
    """Add a row; ``subject`` names what it is about, ``order:12``; nothing personal goes in."""
    session.add(Audit(at=now, by=by[:NAME_LENGTH], action=action, subject=subject, detail=detail))


def record_export(
    session: Session, *, what: str, form: str, count: int, by: str, now: datetime, **detail: Any
) -> None:
    """Note that personal data left the store as a file: what of it, how many rows, to whom."""
    record(session, by=by, action=f"export_{what}", now=now, form=form, count=count, **detail)
