"""What follows from a bounce: the mail is marked, and its address stopped as its class says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.mail.addresses import CARRIERS, AddressClass, classify, domain_class
from worker.mail.coming_back.verdicts import BounceClass, ComingBack, Failure
from worker.pipeline.bounces import give_up
from worker.pipeline.coming_back_match import PROVED, Match
from worker.pipeline.context import Context
from worker.pipeline.suppressions import suppress_hash
from worker.rules.keys import address_hash
from worker.rules.returning import LOOK_BACK, Consequence, after_ambiguous, after_soft
from worker.rules.states import Actor, MessageState
from worker.store.messages import Message, MessageBody
from worker.store.moves import apply_move
from worker.store.returns import ReturnedMail
from worker.store.rewards import StaffTask

B = BounceClass
BY = "mail"
"""Who did it, in events and suppressions: the intake of returned mail."""

REFUSED_MAIL = "mail_refused"
"""The task: a receiver refuses our mail for a reason that is not the address."""

LOOK_AT_BOUNCE = "look_at_bounce"
"""The task: a bounce names an address we mailed, but nothing proves where it came from."""

SOFT_BOUNCES = "soft_bounces"
"""Reason of a suppression: the mailbox was full again and again."""

_ADS_STOPPED_FOR = timedelta(days=180)
_OURS = frozenset({B.BLOCK, B.CONFIG, B.CONTENT, B.THROTTLE})
"""Not about the address: somebody must look at our set-up, our texts or our pace."""

_WORST_FIRST = (B.HARD, B.AMBIGUOUS, B.SOFT, B.BLOCK, B.CONFIG, B.CONTENT, B.THROTTLE, B.TRANSIENT)


def bounced(
    session: Session,
    ctx: Context,
    read: ComingBack,
    match: Match,
    row: ReturnedMail,
    now: datetime,
) -> str:
    """Act on a bounce that proves which mail it is about; gives what was done."""
    message = match.message
    failure = _failure_for(ctx, read, message)
    row.bounce, row.status, row.reply = failure.bounce.value, failure.status, failure.reply
    if message is None:
        return "unmatched"
    if match.how not in PROVED:
        # Anybody can write such a mail about anybody: a person looks, nothing else happens.
        subject = f"customer:{message.customer_id}:{message.recipient_hash[:16]}"
        ask_once(session, LOOK_AT_BOUNCE, subject, {"message": message.id}, now)
        return "unproved"
    _mark(session, message, failure, row, now)
    return consequence(session, ctx, message, failure, row, now)


def _failure_for(ctx: Context, read: ComingBack, message: Message | None) -> Failure:
    """The failure of the message's own address; else the worst, as of a forwarded address."""
    mine = [
        failure
        for failure in read.failures
        if message is not None
        and message.recipient_hash in {address_hash(ctx.key, one) for one in failure.recipients}
    ]
    return min(mine or read.failures, key=lambda failure: _WORST_FIRST.index(failure.bounce))


def _mark(
    session: Session, message: Message, failure: Failure, row: ReturnedMail, now: datetime
) -> None:
    reason = {
        "code": "returned",
        "class": failure.bounce.value,
        "status": failure.status,
        "reply": failure.reply,
        "returned": row.id,
    }
    if message.state is MessageState.UNCONFIRMED:
        # What came back had gone out.
        apply_move(session, message, "was_sent", Actor.SYSTEM, BY, reason, now)
        message.sent_at = message.sending_since or now
    if message.state is MessageState.SENT:
        apply_move(session, message, "bounce", Actor.SYSTEM, BY, reason, now)
    session.flush()


def consequence(
    session: Session,
    ctx: Context,
    message: Message,
    failure: Failure,
    row: ReturnedMail,
    now: datetime,
) -> str:
    """Stop the address, or its advertising, or tell a person, as the class of the bounce says."""
    if failure.bounce in _OURS:
        _tell(session, failure, message, now)
        return "told"
    follows = _follows(session, ctx, message, failure, now)
    if follows is Consequence.STOP_ALL:
        give_up(session, message, evidence_id=row.id, by=BY, now=now)
        return "stopped"
    if follows is Consequence.STOP_ADS:
        suppress_hash(
            session,
            message.customer_id,
            message.recipient_hash,
            by=BY,
            now=now,
            reason=SOFT_BOUNCES,
            ads_only=True,
            evidence_id=row.id,
            expires_at=now + _ADS_STOPPED_FOR,
        )
        return "ads_stopped"
    return "counted"


def _follows(
    session: Session, ctx: Context, message: Message, failure: Failure, now: datetime
) -> Consequence:
    address = _address(session, message)
    if failure.bounce is B.HARD and domain_class(address) not in CARRIERS:
        return Consequence.STOP_ALL
    if failure.bounce is B.SOFT:
        return after_soft(_times(session, message, (B.SOFT,), now))
    if failure.bounce not in (B.AMBIGUOUS, B.HARD):
        return Consequence.NOTHING
    times = _times(session, message, (B.AMBIGUOUS, B.HARD), now)
    days = [at.astimezone(ctx.zone).date() for at in times]
    return after_ambiguous(days, first_is_enough=_is_odd(address))


def _times(
    session: Session, message: Message, classes: Sequence[BounceClass], now: datetime
) -> list[datetime]:
    """When such bounces of this address came, the present one included."""
    return list(
        session.scalars(
            sa.select(ReturnedMail.at).where(
                ReturnedMail.address_hash == message.recipient_hash,
                ReturnedMail.bounce.in_([each.value for each in classes]),
                ReturnedMail.matched.in_(PROVED),
                ReturnedMail.at > now - LOOK_BACK,
            )
        )
    )


def _address(session: Session, message: Message) -> str:
    body = session.get(MessageBody, message.id)
    return body.recipient if body else ""


def _is_odd(address: str) -> bool:
    return classify(address).kind is AddressClass.RFC_VIOLATING


def _tell(session: Session, failure: Failure, message: Message, now: datetime) -> None:
    receiver = domain_class(failure.recipients[0]) if failure.recipients else "other"
    detail = {"class": failure.bounce.value, "status": failure.status, "reply": failure.reply}
    subject = f"{failure.bounce.value}:{receiver}:{failure.status}"
    ask_once(session, REFUSED_MAIL, subject, detail | {"message": message.id}, now)


def ask_once(
    session: Session, kind: str, subject: str, detail: Mapping[str, object], now: datetime
) -> None:
    """Make a task for staff, or open it again where it was done before."""
    known = session.scalar(
        sa.select(StaffTask).where(StaffTask.kind == kind, StaffTask.subject == subject)
    )
    if known is None:
        session.add(StaffTask(kind=kind, subject=subject, detail=dict(detail), created_at=now))
    elif known.done_at is not None:
        known.done_at, known.done_by, known.done_word = None, "", ""
        known.created_at, known.detail = now, dict(detail)
    session.flush()
