"""Who has which mail open at the desk, so that two clerks do not decide on the same one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema import Base
from worker.store.types import UtcDateTime


class Reading(Base):
    """One mail in one clerk's hands; it ends by itself when nobody has told of it for a while."""

    __tablename__ = "readings"

    message_id: Mapped[str] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    by: Mapped[str] = mapped_column(String(80), index=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
