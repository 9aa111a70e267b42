"""What follows from a complaint: no more advertising to that address; order mails go on."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.coming_back.verdicts import ComingBack
from worker.pipeline.coming_back_bounces import BY
from worker.pipeline.coming_back_match import PROVED, Match
from worker.pipeline.context import Context
from worker.pipeline.suppressions import suppress_hash
from worker.rules.states import (
    ADVERTISING_KINDS,
    OUT,
    WAITING,
    Actor,
    ConsentAction,
    MessageState,
)
from worker.store.customers import Consent
from worker.store.message_queries import move_many
from worker.store.messages import Message
from worker.store.moves import apply_move
from worker.store.returns import ReturnedMail

COMPLAINT = "complaint"
"""Reason of a suppression, and method of the withdrawn consent."""


def complained(
    session: Session,
    _ctx: Context,
    _read: ComingBack,
    match: Match,
    row: ReturnedMail,
    now: datetime,
) -> str:
    """Act on a complaint that proves which mail it is about; gives what was done."""
    message = match.message
    if message is None or match.how not in PROVED:
        return "unmatched"
    reason = {"code": COMPLAINT, "returned": row.id}
    if message.state is MessageState.UNCONFIRMED:
        # What somebody complains about had gone out.
        apply_move(session, message, "was_sent", Actor.SYSTEM, BY, reason, now)
        message.sent_at = message.sending_since or now
    if message.state in OUT - {MessageState.COMPLAINED}:
        apply_move(session, message, "complain", Actor.SYSTEM, BY, reason, now)
    session.add(
        Consent(
            customer_id=message.customer_id,
            channel_id=message.channel_id,
            address_hash=message.recipient_hash,
            action=ConsentAction.WITHDRAWN,
            method=COMPLAINT,
            source_ref=f"returned:{row.id}",
            occurred_at=now,
            recorded_at=now,
        )
    )
    suppress_hash(
        session,
        message.customer_id,
        message.recipient_hash,
        by=BY,
        now=now,
        reason=COMPLAINT,
        ads_only=True,
        evidence_id=row.id,
    )
    _drop_waiting(session, message.recipient_hash, now)
    return "complained"


def _drop_waiting(session: Session, hashed: str, now: datetime) -> None:
    """What advertises and has not left yet does not leave."""
    condition = sa.and_(
        Message.recipient_hash == hashed,
        sa.or_(Message.advertising, Message.kind.in_(ADVERTISING_KINDS)),
        Message.state.in_(WAITING),
    )
    freed = {"approved_hash": "", "undo_until": None, "lease_owner": "", "lease_until": None}
    move_many(session, condition, "suppress", Actor.SYSTEM, BY, {"code": COMPLAINT}, now, **freed)
