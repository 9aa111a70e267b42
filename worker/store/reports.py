"""Figures of the reports, counted once a day and kept, so that a page need not read every order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema import Base
from worker.store.types import Json, UtcDateTime


class ReportCount(Base):
    """The newest count of one kind; nothing personal: people stand in it by id only."""

    __tablename__ = "report_counts"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    content: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
