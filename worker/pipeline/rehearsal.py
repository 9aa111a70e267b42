"""Sets what Okaeri would have sent beside what another system sent, order by order; stores nothing.

Each day's orders are judged as of that day's beginning with Okaeri as the sender, so that a
thank-you for a parcel that has left since is still counted. Where Okaeri really planned the
order, in capture-only mode, that mail or that reason is taken instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.plan_orders import judge_orders
from worker.pipeline.plan_run import Planned, Run, open_run
from worker.rules.occasions import ORDER_KINDS, order_subject
from worker.rules.states import MailKind, Outcome, Sender
from worker.store.channels import Channel
from worker.store.messages import Occasion
from worker.store.occasion_queries import PlanOrder, load_orders, occasions_of
from worker.store.reach_queries import chunks
from worker.store.rehearsals import hub_numbers, orders_between, strangers

KINDS = ORDER_KINDS
"""Kinds that follow one order: only they can be matched by its number."""
SHOWN = 25
_STRANGERS = 200
_NOT_OURS = frozenset({Outcome.NOT_ACTIVE, Outcome.OTHER_SENDER})
"""What says nothing of the order itself: it is judged as if Okaeri were to send."""


@dataclass(frozen=True, slots=True)
class Beside:
    """One order: ``message_id`` where a mail was really made; ``reason`` says why or why not."""

    order_id: int
    number: str
    day: date
    ours: bool
    theirs: bool
    reason: Mapping[str, Any]
    message_id: str | None = None


@dataclass(slots=True)
class Comparison:
    """The counts are of orders; ``mails`` of ours, which several orders of one day may share."""

    orders: int = 0
    mails: int = 0
    both: int = 0
    ours_only: int = 0
    theirs_only: int = 0
    neither: int = 0
    made: int = 0
    """Of ours, those that were really made and captured, not only judged."""
    differing: list[Beside] = field(default_factory=list)
    """The first orders where the two do not agree."""
    unknown: list[str] = field(default_factory=list)
    """Numbers the other system wrote about that no order of this channel has."""


def compare(
    session: Session,
    ctx: Context,
    channel: Channel,
    kind: MailKind,
    first: date,
    last: date,
    now: datetime,
) -> Comparison:
    """Compare the orders of these days, both included."""
    found, groups = Comparison(), set[str]()
    rows = orders_between(session, channel.id, first, last)
    told = hub_numbers(session, channel.id, kind, {row.number for row in rows})
    judged = _judged(session, ctx, channel, kind, [(row.id, row.ordered_on) for row in rows], now)
    for row in rows:
        item, stored = judged.get(row.id, (None, None))
        one = _beside(row, item, stored, theirs=row.number in told)
        _count(found, one)
        if one.ours:
            groups.add(stored.message_id or "" if stored else item.group_key if item else "")
    found.orders, found.mails = len(rows), len(groups)
    found.unknown = strangers(session, channel.id, kind, _STRANGERS)
    return found


def _count(found: Comparison, one: Beside) -> None:
    found.both += one.ours and one.theirs
    found.ours_only += one.ours and not one.theirs
    found.theirs_only += one.theirs and not one.ours
    found.neither += not one.ours and not one.theirs
    found.made += one.message_id is not None
    if one.ours is not one.theirs and len(found.differing) < SHOWN:
        found.differing.append(one)


def _beside(row: Any, item: Planned | None, stored: Occasion | None, *, theirs: bool) -> Beside:
    if stored is not None:
        ours, reason = stored.outcome is Outcome.MESSAGE, stored.reason
    elif item is not None:
        ours = item.decision.outcome is Outcome.MESSAGE
        reason = item.decision.reason
    else:
        ours, reason = False, {"code": "kind_off"}
    message_id = stored.message_id if stored and ours else None
    return Beside(row.id, row.number, row.ordered_on, ours, theirs, reason, message_id)


def _judged(
    session: Session,
    ctx: Context,
    channel: Channel,
    kind: MailKind,
    orders: Sequence[tuple[int, date]],
    now: datetime,
) -> dict[int, tuple[Planned | None, Occasion | None]]:
    """By order: the judgement, and the stored occasion where it tells of Okaeri's own doing."""
    found: dict[int, tuple[Planned | None, Occasion | None]] = {}
    for day, ids in _by_day(orders):
        run = _as_if_ours(session, ctx, channel, kind, day, now)
        for part in chunks(ids):
            loaded = load_orders(session, part)
            told = occasions_of(
                session, {order_subject(channel.name, o.external_id) for o in loaded}
            )
            for item in judge_orders(run, [_as_it_came(o, kind) for o in loaded], ()):
                if item.kind is not kind or item.order_id is None:
                    continue
                row = told.get(item.key)
                mine = row is not None and row.outcome not in _NOT_OURS
                found[item.order_id] = (item, row if mine else None)
    return found


def _by_day(orders: Sequence[tuple[int, date]]) -> Iterator[tuple[date, list[int]]]:
    days: dict[date, list[int]] = {}
    for order_id, day in orders:
        days.setdefault(day, []).append(order_id)
    yield from sorted(days.items())


def _as_if_ours(
    session: Session, ctx: Context, channel: Channel, kind: MailKind, day: date, now: datetime
) -> Run:
    """A run at the day's beginning in which Okaeri sends this kind on this channel."""
    start = datetime.combine(day, time(), ctx.zone)
    senders = ctx.documents.senders
    mine = {**senders.channels.get(channel.name, {}), kind: Sender.OKAERI}
    ours = replace(senders, channels={**senders.channels, channel.name: mine})
    then = replace(ctx, documents=replace(ctx.documents, senders=ours))
    run = open_run(session, then, min(start, now))
    return replace(run, active={(channel.id, kind): start})


def _as_it_came(order: PlanOrder, kind: MailKind) -> PlanOrder:
    """Before its parcel left: what is only for unsent orders was still to be sent."""
    if kind is not MailKind.ORDER_THANKS or order.fulfilment not in ("shipped", "delivered"):
        return order
    return replace(order, fulfilment="unshipped", polled=True)
