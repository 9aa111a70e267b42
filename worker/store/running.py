"""What keeps a running service honest: leases, daily runs, kill switches, users, documents."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.states import MailKind, Role, RunMode
from worker.store.append_only import only_grows
from worker.store.schema import Base
from worker.store.types import Json, Key, UtcDateTime, words


class Lease(Base):
    """Who may do a thing just now, by the database's clock; ``token`` fences a late owner off."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(120), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))
    token: Mapped[int] = mapped_column(Key)
    until: Mapped[datetime] = mapped_column(UtcDateTime)


class DailyRun(Base):
    """The last shop-local day a daily work was done: a restart neither skips nor repeats it."""

    __tablename__ = "daily_runs"

    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    last_on: Mapped[date]


class Stop(Base):
    """A pressed kill switch: both None is the whole shop."""

    __tablename__ = "stops"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id"))
    kind: Mapped[MailKind | None] = mapped_column(words(MailKind))
    reason: Mapped[str] = mapped_column(Text, default="")
    by: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lifted_by: Mapped[str] = mapped_column(String(80), default="")


class Instance(Base):
    """Which installation this database belongs to, and whether it may mail (P13). One row."""

    __tablename__ = "instance"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    instance_id: Mapped[str] = mapped_column(String(40))
    """Must equal the id in the data directory, else the database was copied or restored."""
    journal_sequence: Mapped[int] = mapped_column(Key, default=0)
    """Last journal entry known here; a journal ahead of it means the database is older."""
    mode: Mapped[RunMode] = mapped_column(words(RunMode))
    locked_reason: Mapped[str] = mapped_column(Text, default="")
    """Not empty: capture only until `okaeri rearm`."""
    armed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    armed_by: Mapped[str] = mapped_column(String(80), default="")


class User(Base):
    """Somebody who may enter the desk."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    password_hash: Mapped[str] = mapped_column(Text, default="")
    role: Mapped[Role] = mapped_column(words(Role))
    locale: Mapped[str] = mapped_column(String(8), default="")
    disabled: Mapped[bool] = mapped_column(default=False)
    shortcuts: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    """Whether single keys act for this user."""
    totp_secret: Mapped[str] = mapped_column(Text, default="", server_default="")
    """The telephone's secret, sealed; empty where there is none."""
    totp_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """From when the code is asked for; None while it was never proved."""
    totp_step: Mapped[int | None] = mapped_column(Key)
    """The newest time step that a code was taken of: no code works twice."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LoginSession(Base):
    """An open login; only the token's hash is kept, and it can be revoked."""

    __tablename__ = "login_sessions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    one_time: Mapped[bool] = mapped_column(default=False)
    """A login link that works once and becomes a session when used."""
    awaits_code: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """The password was right, the telephone's code is still to come: it opens nothing yet."""
    agent: Mapped[str] = mapped_column(String(80), default="", server_default="")
    """Browser and system in a few words, so that its user knows it again."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LoginAttempt(Base):
    """Failed logins by name and place, so that guessing is slow."""

    __tablename__ = "login_attempts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    who: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Audit(Base):
    """Who did what in the desk or on the command line. Append-only."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    by: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(200), default="")
    detail: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    # One list, newest first, narrowed by any one of them.
    __table_args__ = (
        Index("ix_audit_by", "by", "id"),
        Index("ix_audit_action", "action", "id"),
        Index("ix_audit_subject", "subject", "id"),
    )


only_grows(Base.metadata.tables[Audit.__tablename__])


class SavedView(Base):
    """A filter of a list that a user gave a name."""

    __tablename__ = "saved_views"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    page: Mapped[str] = mapped_column(String(24))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(Text)
    """The address behind the page's own, as the page itself wrote it."""
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (UniqueConstraint("user_id", "page", "name"),)


class DocumentVersion(Base):
    """One immutable version of a shop document, ``config/…`` or ``templates/mail/…``."""

    __tablename__ = "document_versions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    path: Mapped[str] = mapped_column(String(200), index=True)
    content: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    author: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Release(Base):
    """Documents published together; the newest release wins over the files."""

    __tablename__ = "releases"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(80))
    note: Mapped[str] = mapped_column(Text, default="")


class ReleaseDocument(Base):
    """Which version of which document a release holds, and the file's hash it was made from."""

    __tablename__ = "release_documents"

    release_id: Mapped[int] = mapped_column(ForeignKey("releases.id"), primary_key=True)
    path: Mapped[str] = mapped_column(String(200), primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("document_versions.id"))
    file_sha256: Mapped[str] = mapped_column(String(64), default="")
