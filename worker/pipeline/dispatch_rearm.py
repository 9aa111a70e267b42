"""Letting a restored or copied database mail again, once it agrees with the journal (P13)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.mail.journal import SENDING, Entry, Journal
from worker.pipeline.context import Context
from worker.pipeline.dispatch_outcome import SENT, UNSURE
from worker.pipeline.instance import Installation, renew_identity, unknown_attempts
from worker.pipeline.resend import send_again
from worker.pipeline.review_approval import clear_approval
from worker.pipeline.stops import stop
from worker.rules.states import FINAL, OUT, Actor, MessageState
from worker.store.messages import Message, MessageEvent
from worker.store.moves import apply_move
from worker.store.running import Audit, Instance


@dataclass(slots=True)
class Rearmed:
    """What was put right. ``unknown`` are mails the journal knows and the database does not:
    they came after the backup, so a stop over the whole shop waits for a person to lift it."""

    installation: Installation
    sent: list[str] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """New messages in review for those that were only captured while the lock stood."""
    stop_id: int | None = None


def rearm(
    session: Session,
    ctx: Context,
    installation: Installation,
    journal: Journal,
    *,
    by: str,
    now: datetime,
) -> Rearmed:
    """Reconcile with the journal, then lift the lock; the data directory gets a new identity.

    Raises ValueError where this database was never registered. The mode stays what it was.
    """
    row = session.get(Instance, 1, with_for_update=True, populate_existing=True)
    if row is None:
        raise ValueError("this database is not registered to an installation yet")
    report = Rearmed(installation)
    for ref in _unknown_refs(session, journal):
        _reconcile(session, ref, journal.lookup(ref), by, now, report)
    report.again += _captured_while_locked(session, ctx, by, now)
    if report.unknown:
        words = f"送信記録にだけあるメールが{len(report.unknown)}通あります。"
        report.stop_id = stop(session, ctx, by=by, now=now, reason=words).stop_id
    row.journal_sequence, row.locked_reason = journal.last_sequence(), ""
    row.armed_by, row.armed_at = by, now
    report.installation = renew_identity(installation)
    row.instance_id = report.installation.instance_id
    session.add(Audit(at=now, by=by, action="rearm", detail=_told(report)))
    session.flush()
    return report


def _unknown_refs(session: Session, journal: Journal) -> list[str]:
    # From the beginning: this directory's journal need not be the one the database counted.
    entries = unknown_attempts(session, journal, 0)
    return list(dict.fromkeys(entry.message_ref for entry in entries))


def _reconcile(
    session: Session,
    ref: str,
    entries: Sequence[Entry],
    by: str,
    now: datetime,
    report: Rearmed,
) -> None:
    """Bring one message to where the journal says its newest attempt stands."""
    message = session.get(Message, ref, with_for_update=True)
    if message is None:
        report.unknown.append(ref)
        return
    newest = max(entry.generation for entry in entries)
    attempts = [e for e in entries if e.generation == newest and e.event == SENDING]
    event = _last_word(entries, newest)
    message.generation, message.attempts = newest, len(attempts)
    message.mail_id = attempts[-1].message_id if attempts else message.mail_id
    if event not in (SENT, UNSURE, None) or message.state in FINAL | OUT:
        return
    message.sending_since = attempts[-1].at if attempts else now
    _move(session, message, by, now, sent=event == SENT)
    (report.sent if event == SENT else report.unconfirmed).append(ref)


def _last_word(entries: Iterable[Entry], generation: int) -> str | None:
    """``sent`` of any attempt, else the newest event; None where an attempt has no outcome."""
    events = [entry.event for entry in entries if entry.generation == generation]
    if SENT in events:
        return SENT
    return None if events[-1] == SENDING else events[-1]


def _move(session: Session, message: Message, by: str, now: datetime, *, sent: bool) -> None:
    reason = {"code": "journal", "mail_id": message.mail_id}
    if message.state is not MessageState.UNCONFIRMED:
        apply_move(session, message, "journal_says", Actor.SYSTEM, by, reason, now)
    if sent:
        apply_move(session, message, "was_sent", Actor.SYSTEM, by, reason, now)
        message.sent_at = message.sending_since
    clear_approval(message)


def _captured_while_locked(session: Session, ctx: Context, by: str, now: datetime) -> list[str]:
    """Mails that went into the outbox only because of the lock are offered to be read again."""
    locked = MessageEvent.reason["locked"].as_string()
    found = session.scalars(
        select(Message.id)
        .join(MessageEvent, MessageEvent.message_id == Message.id)
        .where(
            Message.state == MessageState.SENT,
            Message.captured,
            MessageEvent.move == "sent",
            locked != "",
            ~select(Message.id)
            .where(Message.again_of == MessageEvent.message_id)
            .correlate(MessageEvent)
            .exists(),
        )
        .order_by(Message.id)
    ).all()
    return [
        send_again(
            session, ctx, message_id, by=by, now=now, reason="captured_while_locked", judge=False
        ).id
        for message_id in found
    ]


def _told(report: Rearmed) -> dict[str, int]:
    lists = ("sent", "unconfirmed", "unknown", "again")
    return {name: len(getattr(report, name)) for name in lists}
