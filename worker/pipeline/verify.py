"""Checks the promises on live data: each check is one query that must find nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from worker.mail.journal import Journal
from worker.pipeline.context import Context
from worker.pipeline.review_approval import content_hash
from worker.pipeline.verify_coupons import told_too_early
from worker.pipeline.verify_grants import doubled_grants
from worker.rules.states import (
    ADVERTISING_KINDS,
    WAITING,
    MessageState,
    Outcome,
)
from worker.store.channels import Channel, ChannelKind
from worker.store.customers import Customer, OrderStanding, Suppression
from worker.store.messages import Message, MessageBody, MessageEvent, Occasion
from worker.store.orders import Import, OrderRow, Quarantine, RawRecord

_STUCK = timedelta(minutes=30)


@dataclass(frozen=True)
class Finding:
    """A promise that does not hold: which, how often, some ids, in words."""

    promise: str
    text: str
    count: int
    examples: tuple[str, ...] = ()


Check = Callable[[Session, Context, datetime], Finding | None]


def verify(session: Session, ctx: Context, journal: Journal, now: datetime) -> list[Finding]:
    """Run every check; an empty list means that all promises hold here and now."""
    found = [check(session, ctx, now) for check in _CHECKS]
    found.append(_journal_known(session, journal))
    return [finding for finding in found if finding is not None]


def _finding(session: Session, promise: str, text: str, statement: Select[Any]) -> Finding | None:
    rows = session.execute(statement.limit(1000)).all()
    if not rows:
        return None
    return Finding(promise, text, len(rows), tuple(str(row[0]) for row in rows[:5]))


def _raws_accounted(session: Session, _ctx: Context, now: datetime) -> Finding | None:
    in_ledger = exists().where(
        OrderRow.channel_id == RawRecord.channel_id, OrderRow.external_id == RawRecord.external_id
    )
    in_quarantine = exists().where(
        or_(
            Quarantine.raw_id == RawRecord.id,
            and_(
                Quarantine.channel_id == RawRecord.channel_id,
                Quarantine.external_id == RawRecord.external_id,
            ),
        )
    )
    undone = exists().where(Import.id == RawRecord.import_id, Import.undone_at.is_not(None))
    statement = select(RawRecord.id).where(
        ~in_ledger, ~in_quarantine, ~undone, RawRecord.received_at < now - _STUCK
    )
    text = (
        "受け取った受注が、台帳にも取込できなかった受注にもありません / raw orders unaccounted for"
    )
    return _finding(session, "P1", text, statement)


def _sent_once(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    """A mail that reached ``sent`` more than once, in whatever generation."""
    statement = (
        select(MessageEvent.message_id)
        .where(
            MessageEvent.to_state == MessageState.SENT,
            MessageEvent.from_state != MessageState.SENT,
        )
        .group_by(MessageEvent.message_id)
        .having(func.count() > 1)
    )
    return _finding(session, "P3", "同じメールが二度送られています / mailed twice", statement)


def _stuck_sending(session: Session, _ctx: Context, now: datetime) -> Finding | None:
    statement = select(Message.id).where(
        Message.state == MessageState.SENDING, Message.sending_since < now - _STUCK
    )
    text = "送信中のまま止まっています。掃除が動いていません / stuck in sending"
    return _finding(session, "P3", text, statement)


def _occasions_answered(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    statement = select(Occasion.id).where(
        or_(
            and_(Occasion.outcome == Outcome.MESSAGE, Occasion.message_id.is_(None)),
            Occasion.outcome.is_(None),
        )
    )
    return _finding(
        session, "P4", "結末のない理由があります / occasions without outcome", statement
    )


def _overdue(session: Session, _ctx: Context, now: datetime) -> Finding | None:
    statement = select(Message.id).where(
        Message.state.in_(WAITING), Message.expires_at < now - timedelta(hours=24)
    )
    text = "時機を過ぎたメールが片づいていません / expired mails not closed"
    return _finding(session, "P4", text, statement)


def _approved_unchanged(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    rows = session.execute(
        select(Message, MessageBody)
        .join(MessageBody, MessageBody.message_id == Message.id)
        .where(Message.state.in_((MessageState.APPROVED, MessageState.RETRY_WAIT)))
    )
    wrong = [m.id for m, body in rows if m.approved_hash != content_hash(body)]
    if not wrong:
        return None
    text = "承認した文面と違います / differs from what was approved"
    return Finding("P5", text, len(wrong), tuple(wrong[:5]))


def _cancelled_orders_quiet(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    statement = (
        select(Message.id)
        .join(Occasion, Occasion.message_id == Message.id)
        .join(OrderRow, OrderRow.id == Occasion.order_id)
        .where(
            Message.state.in_(WAITING),
            Occasion.outcome == Outcome.MESSAGE,
            OrderRow.life == "cancelled",
            OrderRow.plan_due.is_(False),
        )
    )
    text = "取り消された受注のメールが残っています / mails of cancelled orders wait"
    return _finding(session, "P6", text, statement)


def _one_grant(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    """Two live grants of one milestone within one person, unless earned before a merge."""
    people = doubled_grants(session)
    if not people:
        return None
    text = "同じ節目の特典が二つあります / two rewards"
    return Finding("P7", text, len(people), tuple(str(each) for each in people[:5]))


def _history_quiet(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    statement = (
        select(Message.id)
        .join(Occasion, Occasion.message_id == Message.id)
        .join(OrderRow, OrderRow.id == Occasion.order_id)
        .join(
            ChannelKind,
            and_(ChannelKind.channel_id == OrderRow.channel_id, ChannelKind.kind == Message.kind),
        )
        .where(Message.state.in_(WAITING), OrderRow.ordered_at < ChannelKind.active_from)
    )
    return _finding(
        session, "P8", "送信開始日より前のメール / mails from before the start", statement
    )


def _suppressed_unsent(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    statement = (
        select(Message.id)
        .join(Suppression, Suppression.address_hash == Message.recipient_hash)
        .where(
            Message.recipient_hash != "",
            Message.sent_at > Suppression.at,
            Suppression.lifted_at.is_(None),
            or_(Suppression.ads_only.is_(False), Message.kind.in_(ADVERTISING_KINDS)),
            Message.captured.is_(False),
        )
    )
    return _finding(session, "P9", "配信停止の方へ送られました / suppressed, yet sent", statement)


def _codes_confirmed(session: Session, ctx: Context, _now: datetime) -> Finding | None:
    """A mail that is let go with a coupon nobody can redeem."""
    wrong = told_too_early(session, ctx)
    if not wrong:
        return None
    text = "ショップにないクーポンが書かれています / tells a coupon that its shop does not have"
    return Finding("P10", text, len(wrong), tuple(wrong[:5]))


def _numbers_follow(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    """A counting order of a settled customer without an ordinal, or one twice in a scope."""
    other, others_order = aliased(OrderStanding), aliased(OrderRow)
    # The certainty does not tell which number is provisional: uncertain covers it.
    twice = exists().where(
        other.customer_id == OrderStanding.customer_id,
        other.scope == OrderStanding.scope,
        other.ordinal == OrderStanding.ordinal,
        other.order_id < OrderStanding.order_id,
        others_order.id == other.order_id,
        others_order.counting,
    )
    statement = (
        select(OrderStanding.order_id)
        .join(OrderRow, OrderRow.id == OrderStanding.order_id)
        .join(Customer, Customer.id == OrderStanding.customer_id)
        .where(
            Customer.rank_due.is_(False),
            OrderRow.counting,
            or_(OrderStanding.ordinal.is_(None), twice),
        )
    )
    return _finding(session, "P11", "回数が合いません / numbers do not follow", statement)


def _amazon_nobody(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    statement = (
        select(OrderRow.id)
        .join(Channel, Channel.id == OrderRow.channel_id)
        .where(Channel.family == "amazon", OrderRow.customer_id.is_not(None))
    )
    return _finding(session, "P14", "Amazonの受注に顧客がいます / an Amazon customer", statement)


def _moves_recorded(session: Session, _ctx: Context, _now: datetime) -> Finding | None:
    silent = ~exists().where(MessageEvent.message_id == Message.id)
    statement = select(Message.id).where(Message.state != MessageState.SCHEDULED, silent)
    return _finding(
        session, "P12", "経過のないメールがあります / moves without an event", statement
    )


def _journal_known(session: Session, journal: Journal) -> Finding | None:
    """A mail the journal saw leave, which the database believes never left."""
    sent = {entry.message_ref for entry in journal.entries() if entry.event == "sent"}
    if not sent:
        return None
    never = (*WAITING, MessageState.CANCELLED, MessageState.EXPIRED)
    wrong: list[str] = []
    chunk = sorted(sent)
    for start in range(0, len(chunk), 500):
        part = chunk[start : start + 500]
        wrong += session.scalars(
            select(Message.id).where(
                Message.id.in_(part), Message.state.in_(never), Message.generation == 1
            )
        )
    if not wrong:
        return None
    text = "記録では送信済みのメールが未送信になっています / the journal knows more"
    return Finding("P13", text, len(wrong), tuple(wrong[:5]))


_CHECKS: tuple[Check, ...] = (
    _raws_accounted,
    _sent_once,
    _stuck_sending,
    _occasions_answered,
    _overdue,
    _approved_unchanged,
    _cancelled_orders_quiet,
    _one_grant,
    _history_quiet,
    _suppressed_unsent,
    _codes_confirmed,
    _numbers_follow,
    _amazon_nobody,
    _moves_recorded,
)
