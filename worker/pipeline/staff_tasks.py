"""Errands that only a person can do: listed, and closed with a word on what was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.pipeline.review_words import Refused
from worker.store.rewards import StaffTask


def open_tasks(session: Session, limit: int = 200) -> Sequence[StaffTask]:
    """What is still to be done, the oldest first."""
    return session.scalars(
        sa.select(StaffTask)
        .where(StaffTask.done_at.is_(None))
        .order_by(StaffTask.created_at, StaffTask.id)
        .limit(limit)
    ).all()


def done_tasks(session: Session, limit: int = 30) -> Sequence[StaffTask]:
    """What was done, the newest first."""
    return session.scalars(
        sa.select(StaffTask)
        .where(StaffTask.done_at.is_not(None))
        .order_by(StaffTask.done_at.desc(), StaffTask.id.desc())
        .limit(limit)
    ).all()


def close_task(session: Session, task_id: int, *, word: str, by: str, now: datetime) -> StaffTask:
    """Note that a task is done, and how. Raises Refused without a word, or where it is done."""
    task = session.get(StaffTask, task_id, with_for_update=True)
    if task is None or task.done_at is not None:
        raise Refused("task_unknown")
    if not word.strip():
        raise Refused("word_required")
    task.done_at, task.done_by, task.done_word = now, by, word.strip()
    session.flush()
    return task
