"""Begins a kind of mail on a channel, after somebody saw and repeated the exact number (P8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.audit import record
from worker.pipeline.channel_names import activate
from worker.pipeline.context import Context
from worker.pipeline.plan_run import open_run
from worker.pipeline.plan_window import WindowCount, count_if_active_from
from worker.pipeline.settings_mails import people_to_judge
from worker.rules.occasions import ORDER_KINDS
from worker.rules.states import CUSTOMER_KINDS, MailKind, Sender, Verdict
from worker.store.channels import Channel, ChannelKind
from worker.store.settings_queries import mark_to_plan

KINDS = (*ORDER_KINDS, *(kind for kind in MailKind if kind in CUSTOMER_KINDS))
"""Kinds that a rule plans; a personal mail needs no beginning."""
FARTHEST = timedelta(days=60)
"""A beginning lies no further back, nor ahead."""


class CannotBegin(Exception):
    """Why not: ``code`` is ``sender``, ``policy``, ``too_far``, ``number``, ``switched_off`` or
    ``later``; ``count`` is the number as it is now."""

    def __init__(self, code: str, count: int = 0) -> None:
        super().__init__(code)
        self.code, self.count = code, count


@dataclass(frozen=True, slots=True)
class Beginning:
    """One channel and kind: who sends it, from when Okaeri does, and whether it may."""

    channel: Channel
    kind: MailKind
    sender: Sender
    verdict: Verdict
    active_from: datetime | None


def beginnings(session: Session, ctx: Context) -> list[Beginning]:
    """Every channel with every kind that has a rule or a policy there."""
    active = {(row.channel_id, row.kind): row for row in session.scalars(select(ChannelKind))}
    documents, found = ctx.documents, []
    for channel in session.scalars(select(Channel).order_by(Channel.name)):
        for kind in KINDS:
            row = active.get((channel.id, kind))
            found.append(
                Beginning(
                    channel=channel,
                    kind=kind,
                    sender=documents.senders.who(channel.name, channel.family, kind),
                    verdict=documents.policy.cell(channel.family, kind).verdict,
                    active_from=row.active_from if row else None,
                )
            )
    return found


def count_beginning(
    session: Session, ctx: Context, channel: Channel, kind: MailKind, start: datetime, now: datetime
) -> WindowCount:
    """How many mails a beginning at ``start`` would make. Raises CannotBegin."""
    _may(session, ctx, channel, kind, start, now)
    return count_if_active_from(session, ctx, channel, kind, start, now)


def begin(
    session: Session,
    ctx: Context,
    channel: Channel,
    kind: MailKind,
    start: datetime,
    *,
    typed: int,
    switched_off: bool,
    by: str,
    now: datetime,
) -> WindowCount:
    """Let the kind plan from ``start`` on; what it makes waits for review as ever.

    ``typed`` is the number as the person typed it: it must be the one that is true now.
    ``switched_off`` says that nobody else sends this mail any more. Raises CannotBegin.
    """
    count = count_beginning(session, ctx, channel, kind, start, now)
    if typed != count.messages:
        raise CannotBegin("number", count.messages)
    if not switched_off:
        raise CannotBegin("switched_off", count.messages)
    activate(session, channel, start, by, (kind,))
    if kind in CUSTOMER_KINDS:
        mark_to_plan(session, (), people_to_judge(session, open_run(session, ctx, now), now))
    record(
        session, by=by, action="go_live", now=now, subject=f"channel:{channel.name}"[:200],
        kind=kind.value, active_from=start.isoformat(), messages=count.messages,
        waiting=count.waiting,
    )  # fmt: skip
    return count


def _may(
    session: Session, ctx: Context, channel: Channel, kind: MailKind, start: datetime, now: datetime
) -> None:
    documents = ctx.documents
    if documents.senders.who(channel.name, channel.family, kind) is not Sender.OKAERI:
        raise CannotBegin("sender")
    if documents.policy.cell(channel.family, kind).verdict is Verdict.FORBID:
        raise CannotBegin("policy")
    if abs(start - now) > FARTHEST:
        raise CannotBegin("too_far")
    row = session.get(ChannelKind, (channel.id, kind))
    if row is not None and start > row.active_from:
        # Mails between the two were promised already: a stop is the way to hold them.
        raise CannotBegin("later")
