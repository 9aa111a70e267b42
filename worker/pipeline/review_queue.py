"""The queue in the order people should read it: what runs out first, then flags, then newcomers."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.rules.states import REVIEWABLE, MailKind, MessageState
from worker.store.channels import Channel
from worker.store.customers import CustomerProfile
from worker.store.messages import Message, MessageBody, Occasion
from worker.store.orders import OrderRow
from worker.store.types import UtcDateTime

SOON_HOURS = 24
"""A mail that is useless within so many hours stands in front of all others."""

_NEVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What to show; every criterion given must hold, an empty one asks for nothing.

    ``vip`` True is the group of the top rank, False everybody else.
    """

    states: frozenset[MessageState] = frozenset({MessageState.IN_REVIEW})
    kinds: frozenset[MailKind] = frozenset()
    ranks: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    flag: str = ""
    flagged: bool | None = None
    vip: bool | None = None
    search: str = ""
    customer_id: int | None = None
    vip_ranks: frozenset[str] = frozenset({"vip"})
    first_ranks: frozenset[str] = frozenset({"first"})

    @property
    def is_empty(self) -> bool:
        """Whether no criterion narrows it: such a filter may show, but selects nobody."""
        shaping = {"states", "vip_ranks", "first_ranks"}
        given = (getattr(self, f.name) for f in fields(self) if f.name not in shaping)
        return all(not v.strip() if isinstance(v, str) else v in (frozenset(), None) for v in given)


def rank_groups(ctx: Context) -> dict[str, frozenset[str]]:
    """``vip_ranks`` and ``first_ranks`` of the ladder in force, for QueueFilter."""
    rungs = ctx.documents.ladder.rungs
    top = frozenset({rungs[0].id} if len(rungs) > 2 else set())
    return {"vip_ranks": top, "first_ranks": frozenset({rungs[-1].id})}


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One line of the queue; ``soon`` means useless within ``SOON_HOURS``."""

    id: str
    kind: MailKind
    step: str
    state: MessageState
    channel: str
    family: str
    customer_id: int | None
    customer_name: str
    order_numbers: tuple[str, ...]
    subject: str
    rank: str | None
    visit_number: int | None
    flags: tuple[dict[str, Any], ...]
    edited: bool
    hold_reason: str
    due_at: datetime
    expires_at: datetime | None
    soon: bool
    version: int
    cursor: str
    """Give it as ``after`` to go on behind this row."""


def queue(
    session: Session,
    filters: QueueFilter,
    *,
    now: datetime,
    after: str | None = None,
    limit: int = 50,
) -> list[QueueRow]:
    """One page in reading order; raises ValueError for an ``after`` that is no cursor.

    The hour that splits "soon" from the rest is carried in the cursor, so that a page that
    is opened later neither repeats nor leaves out a row.
    """
    position = _decode(after) if after else None
    soon_at = position[0] if position else now + timedelta(hours=SOON_HOURS)
    keys = _keys(filters, soon_at)
    statement = (
        select(Message, Channel.name, MessageBody.subject, CustomerProfile.name, *keys)
        .join(Channel, Channel.id == Message.channel_id)
        .outerjoin(MessageBody, MessageBody.message_id == Message.id)
        .outerjoin(CustomerProfile, CustomerProfile.customer_id == Message.customer_id)
        .where(*conditions(filters))
        .order_by(*keys)
        .limit(limit)
    )
    if position:
        statement = statement.where(tuple_(*keys) > tuple_(*_literals(position[1])))
    found = session.execute(statement).all()
    numbers = order_numbers(session, [row[0].id for row in found])
    return [_row(row, soon_at, numbers) for row in found]


def _keys(filters: QueueFilter, soon_at: datetime) -> tuple[Any, ...]:
    expires = func.coalesce(Message.expires_at, literal(_NEVER, UtcDateTime()))
    return (
        case((Message.expires_at <= soon_at, 0), else_=1),
        case((_has_flags(), 0), else_=1),
        case((Message.rank.in_(sorted(filters.first_ranks)), 0), else_=1),
        expires,
        Message.due_at,
        Message.id,
    )


def _has_flags() -> ColumnElement[bool]:
    # The empty list looks the same as text on both databases; nothing else does so cheaply.
    return cast(Message.flags, Text) != "[]"


def conditions(filters: QueueFilter) -> list[ColumnElement[bool]]:
    """The filter as SQL conditions on messages; the same for pages, counts and batches."""
    found: list[ColumnElement[bool]] = [Message.state.in_(sorted(filters.states))]
    if filters.kinds:
        found.append(Message.kind.in_(sorted(filters.kinds)))
    if filters.ranks:
        found.append(Message.rank.in_(sorted(filters.ranks)))
    if filters.channels:
        ids = select(Channel.id).where(Channel.name.in_(sorted(filters.channels)))
        found.append(Message.channel_id.in_(ids))
    if filters.customer_id is not None:
        found.append(Message.customer_id == filters.customer_id)
    if filters.flagged is not None:
        found.append(_has_flags() if filters.flagged else ~_has_flags())
    if filters.flag:
        found.append(cast(Message.flags, Text).contains(f'"{filters.flag}"', autoescape=True))
    if filters.vip is not None:
        vip = func.coalesce(Message.rank, "").in_(sorted(filters.vip_ranks))
        found.append(vip if filters.vip else ~vip)
    if filters.search.strip():
        found.append(_search(filters.search.strip()))
    return found


def _search(words: str) -> ColumnElement[bool]:
    """Subject, recipient, customer's name or order number holds the words."""
    bodies = select(MessageBody.message_id).where(
        or_(
            MessageBody.subject.icontains(words, autoescape=True),
            MessageBody.recipient.icontains(words, autoescape=True),
        )
    )
    people = select(CustomerProfile.customer_id).where(
        or_(
            CustomerProfile.name.icontains(words, autoescape=True),
            CustomerProfile.kana.icontains(words, autoescape=True),
        )
    )
    orders = (
        select(Occasion.message_id)
        .join(OrderRow, OrderRow.id == Occasion.order_id)
        .where(OrderRow.number.contains(words, autoescape=True), Occasion.message_id.is_not(None))
    )
    return or_(Message.id.in_(bodies), Message.customer_id.in_(people), Message.id.in_(orders))


def order_numbers(session: Session, message_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Displayed numbers of the orders that each message speaks of, oldest first."""
    rows = session.execute(
        select(Occasion.message_id, OrderRow.number)
        .join(OrderRow, OrderRow.id == Occasion.order_id)
        .where(Occasion.message_id.in_(list(message_ids)))
        .order_by(OrderRow.ordered_at, OrderRow.number)
    )
    found: dict[str, tuple[str, ...]] = {}
    for message_id, number in rows:
        assert message_id is not None
        found[message_id] = (*found.get(message_id, ()), number)
    return found


def _row(row: Sequence[Any], soon_at: datetime, numbers: dict[str, tuple[str, ...]]) -> QueueRow:
    message, channel, subject, name, *keys = row
    return QueueRow(
        id=message.id,
        kind=message.kind,
        step=message.step,
        state=message.state,
        channel=channel,
        family=message.family,
        customer_id=message.customer_id,
        customer_name=name or "",
        order_numbers=numbers.get(message.id, ()),
        subject=subject or "",
        rank=message.rank,
        visit_number=message.visit_number,
        flags=tuple(message.flags),
        edited=message.edited,
        hold_reason=message.hold_reason,
        due_at=message.due_at,
        expires_at=message.expires_at,
        soon=message.expires_at is not None and message.expires_at <= soon_at,
        version=message.version,
        cursor=_encode(soon_at, keys),
    )


def _encode(soon_at: datetime, keys: Sequence[Any]) -> str:
    soon, flagged, first, _expires, due_at, message_id = keys
    expires = _expires if isinstance(_expires, datetime) else _NEVER
    parts = [soon_at, expires, due_at]
    plain = [soon, flagged, first, message_id, *(part.isoformat() for part in parts)]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()


def _decode(cursor: str) -> tuple[datetime, tuple[Any, ...]]:
    try:
        plain = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        soon, flagged, first, message_id, *times = plain
        soon_at, expires, due_at = (datetime.fromisoformat(time) for time in times)
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValueError("this is no place in the queue") from error
    return soon_at, (int(soon), int(flagged), int(first), expires, due_at, str(message_id))


def _literals(keys: tuple[Any, ...]) -> list[ColumnElement[Any]]:
    return [literal(k, UtcDateTime()) if isinstance(k, datetime) else literal(k) for k in keys]


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Numbers for the page's tabs and buttons; all of the same filter."""

    total: int
    soon: int
    flagged: int
    vip: int
    first: int
    by_kind: dict[MailKind, int]
    by_rank: dict[str, int]
    by_channel: dict[str, int]


def counts(session: Session, filters: QueueFilter, *, now: datetime) -> QueueCounts:
    """Count what the filter shows, in all and by group."""
    soon_at = now + timedelta(hours=SOON_HOURS)
    soon, flagged, first = _keys(filters, soon_at)[:3]
    vip = case((Message.rank.in_(sorted(filters.vip_ranks)), 1), else_=0)
    sums = [func.coalesce(func.sum(part), 0) for part in (1 - soon, 1 - flagged, vip, 1 - first)]
    totals = session.execute(select(func.count(), *sums).where(*conditions(filters))).one()
    grouped = select(Message.kind, Message.rank, Channel.name, func.count()).join(
        Channel, Channel.id == Message.channel_id
    )
    groups = session.execute(
        grouped.where(*conditions(filters)).group_by(Message.kind, Message.rank, Channel.name)
    ).all()
    return QueueCounts(
        total=totals[0],
        soon=int(totals[1]),
        flagged=int(totals[2]),
        vip=int(totals[3]),
        first=int(totals[4]),
        by_kind=_summed((row[0], row[3]) for row in groups),
        by_rank=_summed((row[1] or "", row[3]) for row in groups),
        by_channel=_summed((row[2], row[3]) for row in groups),
    )


def _summed(pairs: Iterable[tuple[Any, int]]) -> dict[Any, int]:
    found: dict[Any, int] = {}
    for key, number in pairs:
        found[key] = found.get(key, 0) + number
    return found


def state_counts(session: Session) -> dict[MessageState, int]:
    """How many messages stand in each state, for tabs and alarms."""
    rows = session.execute(select(Message.state, func.count()).group_by(Message.state))
    return {state: number for state, number in rows}  # noqa: C416 - rows are tuples to mypy


def selected(filters: QueueFilter) -> Select[str]:
    """Ids of what may be approved among the filter's messages, in a stable order."""
    readable = filters.states & REVIEWABLE & {MessageState.IN_REVIEW}
    return (
        select(Message.id)
        .where(*conditions(filters), Message.state.in_(sorted(readable)))
        .order_by(Message.id)
    )
