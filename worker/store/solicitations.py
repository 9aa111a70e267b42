"""Review requests that a marketplace sends itself: one row for an order, nothing of its buyer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.states import MessageState
from worker.store.schema import Base
from worker.store.types import BinaryText, Json, Key, UtcDateTime, words


class Solicitation(Base):
    """One request for one order; gone when the marketplace's window is over (P14).

    It names the order by number and not by row: an import that is taken back and read again
    must not ask its buyer twice.
    """

    __tablename__ = "solicitations"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    external_id: Mapped[str] = mapped_column(BinaryText)
    place: Mapped[str] = mapped_column(String(40), default="")
    """The marketplace's own site, as its interface wants it."""
    state: Mapped[MessageState] = mapped_column(words(MessageState))
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime] = mapped_column(UtcDateTime)
    looked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    """When the order was last compared with it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    """How often ``sending`` was committed; the journal counts the same."""
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sending_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    said: Mapped[str] = mapped_column(Text, default="")
    """The marketplace's last words."""
    history: Mapped[list[Any]] = mapped_column(Json, default=list)
    """``[{"at", "move", "to", "by", "reason"}]``, one for each move."""

    __table_args__ = (
        UniqueConstraint("channel_id", "external_id"),
        # What is open to be released, what is released, and what is over.
        Index("ix_solicitations_state_opens_at", "state", "opens_at"),
        Index("ix_solicitations_closes_at", "closes_at"),
    )
