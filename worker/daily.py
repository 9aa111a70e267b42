"""Work done once each shop-local day: personal data is forgotten when its time is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from worker import log
from worker.pipeline.bounces import ask_for_addresses
from worker.pipeline.channel_health import warn_of_expiry
from worker.pipeline.context import Context
from worker.pipeline.customer_edits import clear_said_lines
from worker.pipeline.nudge import forget_deliveries
from worker.pipeline.reports import count_figures, keep_figures
from worker.pipeline.solicit import purge_requests
from worker.pipeline.suppressions import lift_ended
from worker.rules.states import MessageState
from worker.runtime import Runtime
from worker.store.channels import Channel
from worker.store.messages import Message, MessageBody
from worker.store.orders import OrderContact, OrderRevision, OrderRow, Quarantine, RawRecord
from worker.store.running import DailyRun, LoginAttempt, LoginSession
from worker.uploads import forget_uploads

_log = log.get("daily")
RAW_DAYS = 30
"""Raw exports and revisions hold personal data: gone after so many days (mail-rules, 3.3)."""
BODY_DAYS = 180
AMAZON_DAYS = 30
"""Amazon: buyer data at most so long after delivery, a hard limit of its data policy."""
_REPORTS = "reports"
WEBHOOK_DAYS = 7
"""Marketplaces repeat an unanswered webhook for two days at most."""

Chore = Callable[[Session, Context, datetime], int]


def run_daily(runtime: Runtime, now: datetime) -> dict[str, int]:
    """Do what has not been done today; each chore keeps its own last day."""
    today = now.astimezone(runtime.context().zone).date()
    done: dict[str, int] = {}
    with runtime.hold("daily", 600.0) as token:
        if token is None:
            return done
        context = runtime.context()
        for name, chore in CHORES.items():
            with runtime.transaction() as session:
                row = session.get(DailyRun, name)
                if row is not None and row.last_on >= today:
                    continue
                done[name] = chore(session, context, now)
                session.merge(DailyRun(name=name, last_on=today))
            _log.info("chore_done", step=name, count=done[name])
        _count_reports(runtime, context, now)
    forget_uploads(runtime.settings.uploads, now)
    return done


def _count_reports(runtime: Runtime, context: Context, now: datetime) -> None:
    """Count the reports once a day; reading every order must not keep writers waiting."""
    today = now.astimezone(context.zone).date()
    with runtime.look() as session:
        row = session.get(DailyRun, _REPORTS)
        if row is not None and row.last_on >= today:
            return
        figures = count_figures(session, context, now)
    with runtime.transaction() as session:
        keep_figures(session, figures, now)
        session.merge(DailyRun(name=_REPORTS, last_on=today))


def forget_raws(session: Session, _ctx: Context, now: datetime) -> int:
    """Empty raw payloads, quarantined payloads and revisions older than the limit."""
    before = now - timedelta(days=RAW_DAYS)
    raws = session.execute(
        update(RawRecord)
        .where(RawRecord.received_at < before, RawRecord.payload.is_not(None))
        .values(payload=None)
        .returning(RawRecord.id)
    )
    count = len(raws.all())
    session.execute(update(OrderRevision).where(OrderRevision.at < before).values(before=None))
    session.execute(
        update(Quarantine)
        .where(Quarantine.created_at < before, Quarantine.resolved_at.is_not(None))
        .values(payload=None)
    )
    return count


def forget_bodies(session: Session, _ctx: Context, now: datetime) -> int:
    """Delete the words and addresses of mails that have long been out."""
    before = now - timedelta(days=BODY_DAYS)
    closed = (
        MessageState.SENT, MessageState.BOUNCED, MessageState.COMPLAINED, MessageState.CANCELLED,
        MessageState.EXPIRED, MessageState.SUPPRESSED, MessageState.FAILED,
    )  # fmt: skip
    old = select(Message.id).where(Message.state.in_(closed), Message.due_at < before)
    gone = session.execute(
        delete(MessageBody).where(MessageBody.message_id.in_(old)).returning(MessageBody.message_id)
    )
    return len(gone.all())


def forget_amazon(session: Session, _ctx: Context, now: datetime) -> int:
    """Delete Amazon buyers' data: 30 days after delivery, or after the order where none is told."""
    before = now - timedelta(days=AMAZON_DAYS)
    orders = (
        select(OrderRow.id)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .where(
            Channel.family == "amazon",
            (OrderRow.delivered_at < before)
            | (OrderRow.delivered_at.is_(None) & (OrderRow.ordered_at < before)),
        )
    )
    gone = session.execute(
        delete(OrderContact)
        .where(OrderContact.order_id.in_(orders))
        .returning(OrderContact.order_id)
    )
    count = len(gone.all())
    session.execute(
        update(OrderRevision).where(OrderRevision.order_id.in_(orders)).values(before=None)
    )
    return count


def close_sessions(session: Session, _ctx: Context, now: datetime) -> int:
    """Delete logins that ended and attempts that no longer matter."""
    gone = session.execute(
        delete(LoginSession).where(LoginSession.expires_at < now).returning(LoginSession.id)
    )
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - timedelta(days=1)))
    return len(gone.all())


def watch_credentials(session: Session, _ctx: Context, now: datetime) -> int:
    """Ask staff to renew credentials that end soon."""
    return warn_of_expiry(session, now)


def forget_webhooks(session: Session, _ctx: Context, now: datetime) -> int:
    """Forget webhooks that no marketplace sends again any more."""
    return forget_deliveries(session, now - timedelta(days=WEBHOOK_DAYS))


def ask_addresses(session: Session, ctx: Context, now: datetime) -> int:
    """Ask staff for the addresses of people whose mails bounced."""
    return ask_for_addresses(session, ctx, now)


def lift_blocks(session: Session, _ctx: Context, now: datetime) -> int:
    """Lift suppressions whose time is over."""
    return lift_ended(session, now)


def forget_lines(session: Session, _ctx: Context, _now: datetime) -> int:
    """Clear words for the next mail that a mail has said; before its body is forgotten."""
    return clear_said_lines(session)


CHORES: dict[str, Chore] = {
    "lines": forget_lines,
    "bounces": ask_addresses,
    "blocks": lift_blocks,
    "raws": forget_raws,
    "bodies": forget_bodies,
    "amazon": forget_amazon,
    "requests": purge_requests,
    "sessions": close_sessions,
    "credentials": watch_credentials,
    "webhooks": forget_webhooks,
}
"""Each by the name under which its last day is kept."""
