"""Mail that came back to the shop: one row for each, without anything personal."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema import Base
from worker.store.types import Key, UtcDateTime


class ReturnedMail(Base):
    """One received mail and what was done about it: the evidence behind a suppression.

    Unique by its bytes, so that whoever takes it in twice changes nothing the second time.
    """

    __tablename__ = "returned_mails"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(String(20))
    """folder, imap, pipe or smtp (refused while it was handed over)."""
    what: Mapped[str] = mapped_column(String(20))
    bounce: Mapped[str] = mapped_column(String(20), default="")
    """The class of a bounce (mail-format, section 6)."""
    status: Mapped[str] = mapped_column(String(12), default="")
    reply: Mapped[str] = mapped_column(Text, default="")
    """The server's words, addresses masked."""
    matched: Mapped[str] = mapped_column(String(12), default="")
    """How the message was found: return_path, mail_id or address; or forged."""
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    address_hash: Mapped[str] = mapped_column(String(64), default="")
    outcome: Mapped[str] = mapped_column(String(20), default="")

    __table_args__ = (
        # Bounces of one address are counted over days.
        Index("ix_returned_mails_address_hash", "address_hash", "at"),
    )
