"""What an approval binds: exactly these bytes from this sender to this person (P5)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from worker.store.messages import Message, MessageBody


def content_hash(body: MessageBody) -> str:
    """SHA-256 over sender, recipient, subject, text and HTML; no HTML differs from empty HTML."""
    digest = hashlib.sha256()
    for part in (body.sender, body.recipient, body.subject, body.text, body.html):
        # Lengths keep the parts apart: moving a line from subject to text is another mail.
        raw = b"" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(f"{'none' if part is None else len(raw)}:".encode())
        digest.update(raw)
    return digest.hexdigest()


def content(body: MessageBody) -> dict[str, Any]:
    """What a person reads and approves, as plain data."""
    return {
        "sender": body.sender,
        "recipient": body.recipient,
        "subject": body.subject,
        "text": body.text,
        "html": body.html,
    }


def bind_approval(
    message: Message, body: MessageBody, *, by: str, now: datetime, undo_seconds: int
) -> None:
    """Note that exactly this content was approved; it may be taken back for ``undo_seconds``."""
    message.approved_hash = content_hash(body)
    message.approved_by, message.approved_at = by, now
    message.undo_until = now + timedelta(seconds=undo_seconds) if undo_seconds else None
    message.hold_reason = ""
    body.approved = content(body) | {"by": by, "at": now.isoformat()}


def clear_approval(message: Message) -> None:
    """Take the approval back; ``MessageBody.approved`` stays, to show what changed since."""
    message.approved_hash = ""
    message.approved_by, message.approved_at, message.undo_until = "", None, None
    message.lease_owner, message.lease_until = "", None
