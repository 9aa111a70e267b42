"""Occasions with their outcomes, messages with their whole life, and the bodies apart."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.rules.states import Actor, MailKind, MessageState, Outcome, ReviewMode
from worker.store.schema import Base
from worker.store.types import Json, Key, UtcDateTime, words


class Occasion(Base):
    """The one reason for a mail. Unique, so a second mail for it cannot exist (P3, P4).

    ``subject`` is made of stable words, never of row ids that a re-import would change:
    ``order:<channel>:<external id>``, ``customer:<id>:<n>``, ``dormancy:<customer>:<order>``.
    """

    __tablename__ = "occasions"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[MailKind] = mapped_column(words(MailKind))
    step: Mapped[str] = mapped_column(String(40), default="")
    subject: Mapped[str] = mapped_column(String(300))
    channel_id: Mapped[int | None] = mapped_column(ForeignKey("channels.id"))
    order_id: Mapped[int | None] = mapped_column(
        ForeignKey("orders.id", ondelete="SET NULL"), index=True
    )
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    outcome: Mapped[Outcome] = mapped_column(words(Outcome))
    reason: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """``{"code": ..., ...facts}``; the words are made from it for whoever reads (P12)."""
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("kind", "step", "subject"),
        # Waiting occasions that time alone may complete; ``due_at`` is when to look again.
        Index("ix_occasions_outcome_due_at", "outcome", "due_at"),
        Index("ix_occasions_subject", "subject"),
    )


class Message(Base):
    """One mail to one customer, with its whole life; the words stand in the body row."""

    __tablename__ = "messages"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    """A ULID: a restored database must not number new mails like old ones (P13)."""
    kind: Mapped[MailKind] = mapped_column(words(MailKind))
    step: Mapped[str] = mapped_column(String(40), default="")
    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"))
    family: Mapped[str] = mapped_column(String(16))
    scope: Mapped[str] = mapped_column(String(80), default="")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"), index=True)
    """None for a handoff, which is for many."""
    group_key: Mapped[str] = mapped_column(String(300), default="", index=True)
    """Occasions with the same key share this message, e.g. one thank-you a day."""
    locale: Mapped[str] = mapped_column(String(8), default="ja")
    state: Mapped[MessageState] = mapped_column(words(MessageState))
    mode: Mapped[ReviewMode] = mapped_column(words(ReviewMode), default=ReviewMode.REVIEW)
    advertising: Mapped[bool] = mapped_column(default=False)
    rank: Mapped[str | None] = mapped_column(String(40))
    visit_number: Mapped[int | None]
    announced: Mapped[int | None]
    """The number the text says aloud; None where the text says none."""
    flags: Mapped[list[Any]] = mapped_column(Json, default=list)
    """``[{"flag": ..., "fact": ...}]``: what a person should look at."""
    why: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Why this mail: rule, trigger, times, text key, rank facts (P12)."""
    text_key: Mapped[str] = mapped_column(String(200), default="")
    """Path of the text that was taken, e.g. ``ja/order_thanks/own/repeat.second``."""
    text_version: Mapped[str] = mapped_column(String(64), default="")
    release: Mapped[str] = mapped_column(String(40), default="")
    edited: Mapped[bool] = mapped_column(default=False)
    facts_hash: Mapped[str] = mapped_column(String(64), default="")
    """Hash of the values that were rendered, the recipient and the verdict (P5)."""
    approved_hash: Mapped[str] = mapped_column(String(64), default="")
    """Hash of sender, recipient, subject and bodies at approval: exactly this is sent (P5)."""
    approved_by: Mapped[str] = mapped_column(String(80), default="")
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undo_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    hold_reason: Mapped[str] = mapped_column(Text, default="")
    review_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Dispatch.
    mail_id: Mapped[str] = mapped_column(String(200), default="")
    """The Message-ID header it was last handed over under."""
    generation: Mapped[int] = mapped_column(default=1)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_owner: Mapped[str] = mapped_column(String(80), default="")
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sending_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    captured: Mapped[bool] = mapped_column(default=False)
    """True where the capture transport took it: it never left the house."""
    last_reply: Mapped[str] = mapped_column(Text, default="")
    recipient_hash: Mapped[str] = mapped_column(String(64), default="", index=True)
    again_of: Mapped[str | None] = mapped_column(String(26))
    """The message that this one sends again."""
    version: Mapped[int] = mapped_column(default=1)
    """Counts up at every change; a stale edit is refused by it."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own idiom
    __table_args__ = (
        Index("ix_messages_state_due_at", "state", "due_at"),
        Index("ix_messages_state_expires_at", "state", "expires_at", "id"),
        Index("ix_messages_state_review_at", "state", "review_at"),
        # Bounces and replies name the mail they answer.
        Index("ix_messages_mail_id", "mail_id"),
    )


class MessageBody(Base):
    """The personal part of a message: addresses, text, rendered values (P14)."""

    __tablename__ = "message_bodies"

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    sender: Mapped[str] = mapped_column(Text, default="")
    reply_to: Mapped[str] = mapped_column(Text, default="")
    recipient: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(Text, default="")
    text: Mapped[str] = mapped_column(Text, default="")
    html: Mapped[str | None] = mapped_column(Text)
    values: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """Placeholders that were used and what they became."""
    plain: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """subject, text and html as rendered, before a clerk's edits."""
    approved: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """What was approved, kept when approval lapses, for the diff."""


class MessageEvent(Base):
    """One move of a message: who, from, to, why. Append-only."""

    __tablename__ = "message_events"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    move: Mapped[str] = mapped_column(String(40))
    from_state: Mapped[MessageState | None] = mapped_column(words(MessageState))
    to_state: Mapped[MessageState] = mapped_column(words(MessageState))
    actor: Mapped[Actor] = mapped_column(words(Actor))
    by: Mapped[str] = mapped_column(String(80), default="")
    reason: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)


class CleanApproval(Base):
    """Approvals without an edit per text version and channel: the ground of growing trust."""

    __tablename__ = "clean_approvals"

    channel_id: Mapped[int] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    text_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    text_version: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)


class Handoff(Base):
    """A campaign that staff run in the marketplace's own tool: text, conditions, the tick."""

    __tablename__ = "handoffs"

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    conditions: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    expected: Mapped[int] = mapped_column(default=0)
    done_on: Mapped[date | None]
    done_count: Mapped[int | None]
    done_by: Mapped[str] = mapped_column(String(80), default="")
