"""Channels: one shop front on one marketplace, its streams and from when each kind may mail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.states import MailKind
from worker.store.schema import Base
from worker.store.types import BinaryText, Json, Key, UtcDateTime, words


class Channel(Base):
    """One shop front on one marketplace, e.g. ``rakuten:main``."""

    __tablename__ = "channels"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(BinaryText, unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    family: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(Text, default="")
    """The shop's name as buyers of this channel know it; empty: the shop's own name."""
    locale: Mapped[str] = mapped_column(String(8), default="ja")
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    secrets: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Ciphertexts only (Fernet); never a clear secret."""
    history_complete_since: Mapped[date | None]
    """Declared reach of the history; None: as far back as the orders in the store."""
    paused: Mapped[bool] = mapped_column(default=False)
    pause_reason: Mapped[str] = mapped_column(Text, default="")
    next_poll_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_success_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_channels_next_poll_at", "next_poll_at"),)


class ChannelKind(Base):
    """From when a (channel, kind) plans occasions; no row: never (P8)."""

    __tablename__ = "channel_kinds"

    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    kind: Mapped[MailKind] = mapped_column(words(MailKind), primary_key=True)
    active_from: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(80), default="")


class StreamState(Base):
    """How far a (channel, stream) is read: the watermark, and the page in hand."""

    __tablename__ = "streams"

    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    stream: Mapped[str] = mapped_column(String(40), primary_key=True)
    watermark: Mapped[str | None] = mapped_column(Text)
    cursor: Mapped[str | None] = mapped_column(Text)
    failures: Mapped[int] = mapped_column(default=0)
    last_success_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class WebhookDelivery(Base):
    """A webhook that was taken: by the name of the delivery, and by its body, both hashed."""

    __tablename__ = "webhook_deliveries"

    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    delivery: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class BrowserLogin(Base):
    """A login at a marketplace that somebody has begun: its state works once, for a short time."""

    __tablename__ = "browser_logins"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    state_hash: Mapped[str] = mapped_column(String(64), unique=True)
    session_id: Mapped[int | None] = mapped_column(Key)
    """The login at the desk that began it; None: the command line."""
    redirect_uri: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
