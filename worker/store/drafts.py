"""Shop documents that somebody is still writing: read by nobody until they are published."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema import Base
from worker.store.types import Json, Key, UtcDateTime


class DocumentDraft(Base):
    """One document in writing, with all its parts; whoever goes on writes on the same one.

    ``name`` is what belongs together: ``templates/mail/ja/order_thanks/own/vip`` with its three
    parts, or ``config/ranks.toml`` by itself.
    """

    __tablename__ = "document_drafts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    parts: Mapped[dict[str, Any]] = mapped_column(Json)
    """Path to content."""
    based_on: Mapped[dict[str, Any]] = mapped_column(Json)
    """Path to the SHA-256 of what was in force when the writing began; empty: nothing was."""
    note: Mapped[str] = mapped_column(Text, default="")
    author: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)
    """Counts up at every save; a stale one is refused by it."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own idiom


class DraftCount(Base):
    """What publishing the drafts of settings would change, counted once and kept by their hash."""

    __tablename__ = "draft_counts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    figures: Mapped[dict[str, Any]] = mapped_column(Json)
    """Numbers and ids of rows, nothing personal."""
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
