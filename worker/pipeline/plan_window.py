"""Counts exactly what an earlier begin of a mail kind would send, before anybody opens it (P8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.plan_orders import judge_orders
from worker.pipeline.plan_people import judge_people
from worker.pipeline.plan_run import Planned, Run, open_run
from worker.rules.states import CUSTOMER_KINDS, MailKind, MessageState, Outcome
from worker.store.channels import Channel
from worker.store.messages import Message
from worker.store.occasion_queries import load_orders, occasions_of, orders_since
from worker.store.orders import OrderRow
from worker.store.reach_queries import CHUNK

_OLD_DAYS = 3


@dataclass(frozen=True, slots=True)
class WindowCount:
    """``messages`` would be made; ``waiting`` would wait for a dispatch or payment first.

    ``old`` of the messages are about something more than three days past.
    """

    messages: int
    waiting: int
    old: int


def count_if_active_from(
    session: Session, ctx: Context, channel: Channel, kind: MailKind, start: datetime, now: datetime
) -> WindowCount:
    """Judge everything as if the kind began at ``start`` on this channel, and store nothing."""
    run = open_run(session, ctx, now)
    run = replace(run, active={**run.active, (channel.id, kind): start})
    groups: dict[str, datetime] = {}
    waiting = 0
    for planned in _judged(run, channel, kind, start):
        fresh = _not_carried(run, planned)
        waiting += sum(p.decision.outcome is Outcome.WAITING for p in fresh)
        for item in fresh:
            if item.decision.outcome is Outcome.MESSAGE and item.decision.times is not None:
                cause = item.decision.times.cause
                groups[item.group_key] = min(cause, groups.get(item.group_key, cause))
    old = sum(cause < now - timedelta(days=_OLD_DAYS) for cause in groups.values())
    return WindowCount(messages=len(groups), waiting=waiting, old=old)


def _judged(run: Run, channel: Channel, kind: MailKind, start: datetime) -> Iterator[list[Planned]]:
    if kind in CUSTOMER_KINDS:
        for people in _people_chunks(run, channel):
            yield [
                p
                for p in judge_people(run, people)
                if p.kind is kind and p.channel.id == channel.id
            ]
        return
    after: tuple[datetime, int] | None = None
    while rows := orders_since(run.session, channel.id, start, after):
        after = rows[-1]
        orders = load_orders(run.session, [order_id for _at, order_id in rows])
        yield [p for p in judge_orders(run, orders, ()) if p.kind is kind]


def _people_chunks(run: Run, channel: Channel) -> Iterator[list[int]]:
    """Everybody who ever ordered where the channel's customer mails would go."""
    members = [c.id for c in run.channels.values() if c.family == channel.family]
    last = 0
    while True:
        rows = run.session.scalars(
            select(OrderRow.customer_id)
            .where(OrderRow.channel_id.in_(members), OrderRow.customer_id > last)
            .distinct()
            .order_by(OrderRow.customer_id)
            .limit(CHUNK)
        )
        people = [person for person in rows if person is not None]
        if not people:
            return
        last = people[-1]
        yield people


def _not_carried(run: Run, planned: list[Planned]) -> list[Planned]:
    """Leave out what has its mail already, waiting or gone."""
    stored = occasions_of(run.session, {p.subject for p in planned})
    ended = {MessageState.CANCELLED, MessageState.EXPIRED, MessageState.SUPPRESSED}
    carried = {row.message_id for row in stored.values() if row.message_id}
    rows = run.session.execute(select(Message.id, Message.state).where(Message.id.in_(carried)))
    states = {row.id: row.state for row in rows}
    return [
        p
        for p in planned
        if (row := stored.get(p.key)) is None
        or row.outcome is not Outcome.MESSAGE
        or states.get(row.message_id or "") in ended
    ]
