"""A refusal during the hand-over is a bounce told at once: the same follows as from a notice."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Session

from worker.mail.coming_back.notices import made_failure
from worker.mail.coming_back.statuses import status_of
from worker.mail.coming_back.verdicts import What
from worker.mail.transport import Permanent
from worker.pipeline.coming_back_bounces import consequence
from worker.pipeline.coming_back_match import REFUSED
from worker.pipeline.context import Context
from worker.store.messages import Message, MessageBody
from worker.store.returns import ReturnedMail

_ABOUT_THE_RECIPIENT = "RCPT:"
_ABOUT_US = "MAIL:"


def refused(
    session: Session, ctx: Context, message_id: str, error: Permanent, now: datetime
) -> str | None:
    """Act on a server's refusal, in the transaction of the outcome; gives what was done.

    None where the answer is not about the recipient: before or after it was named, an
    answer without a status of its own may mean anything.
    """
    if error.code is None or error.reply.startswith(_ABOUT_US):
        return None
    if not error.reply.startswith(_ABOUT_THE_RECIPIENT) and not status_of(error.reply):
        return None
    message = session.get_one(Message, message_id)
    body = session.get(MessageBody, message_id)
    words = error.reply.partition(": ")[2]
    people = (body.recipient,) if body and body.recipient else ()
    failure = made_failure(people, status_of(words), words)
    attempt = f"{message.mail_id}:{message.generation}"
    row = ReturnedMail(
        digest=hashlib.sha256(f"refused:{message.id}:{attempt}".encode()).hexdigest(),
        at=now,
        source="smtp",
        what=What.BOUNCE.value,
        bounce=failure.bounce.value,
        status=failure.status,
        reply=failure.reply,
        matched=REFUSED,
        message_id=message.id,
        address_hash=message.recipient_hash,
    )
    session.add(row)
    session.flush()
    row.outcome = consequence(session, ctx, message, failure, row, now)
    session.flush()
    return row.outcome
