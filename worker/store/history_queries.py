"""Pages of all messages, the newest first, by keyset and index: no page counts or reads the rest.

A page walks the index of each state from the newest on and merges the walks. A filter that few
fit would make that walk long, so it stops after ``LOOKED_AT`` messages and says how far it came.
People and orders are not walked for: their messages are found by indexes of their own.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.identity import email_key
from worker.rules.keys import address_hash
from worker.rules.states import MailKind, MessageState
from worker.store.bulk import among
from worker.store.messages import Message, MessageBody, Occasion
from worker.store.orders import OrderRow
from worker.store.search_queries import find_customers

LOOKED_AT = 4000
"""How many messages one page looks at, at most, where it searches what no index knows."""
OF_PEOPLE = 2000
"""How many messages of the people found are looked through."""
_STEP = 200
_Place = tuple[datetime, str]
"""Due time and id of the message that a page goes on behind."""

_M = Message


class UnknownPlace(ValueError):
    """A place to go on from that no page gave."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; empty fields ask for nothing. ``since`` and ``before`` bound the due time."""

    state: MessageState | None = None
    kind: MailKind | None = None
    channel_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None
    words: str = ""
    among: Literal["people", "words"] = "people"
    """Whether ``words`` are a name, address or order number, or stand in the mail itself."""


@dataclass(frozen=True, slots=True)
class Page:
    """Ids in order; ``after`` goes on behind them, empty at the end.

    ``looked_to`` is set where the page stopped before it was full: nothing older was looked at.
    """

    ids: tuple[str, ...]
    after: str
    looked_to: datetime | None = None


def page(session: Session, key: bytes, wanted: Wanted, *, after: str = "", limit: int = 50) -> Page:
    """One page. ``key`` hashes addresses. Raises UnknownPlace."""
    place = _place(after)
    if wanted.words.strip() and wanted.among == "people":
        found = _of_people(session, key, wanted, place)
        return Page(*_cut(found, limit))
    return _walked(session, wanted, place, limit)


def _place(after: str) -> _Place | None:
    if not after:
        return None
    at, _, message_id = after.partition("~")
    try:
        due = datetime.fromisoformat(at)
    except ValueError as error:
        raise UnknownPlace(after) from error
    if due.tzinfo is None or not message_id:
        raise UnknownPlace(after)
    return due, message_id


def _cursor(place: _Place) -> str:
    return f"{place[0].isoformat()}~{place[1]}"


def _cut(found: Sequence[_Place], limit: int) -> tuple[tuple[str, ...], str]:
    shown = found[:limit]
    more = len(found) > limit
    return tuple(message_id for _due, message_id in shown), _cursor(shown[-1]) if more else ""


# --- people and orders ----------------------------------------------------------------------


def _of_people(session: Session, key: bytes, wanted: Wanted, place: _Place | None) -> list[_Place]:
    words = wanted.words.strip()
    ids: set[str] = set()
    for query in _looks(session, key, words):
        ids.update(session.scalars(query.limit(OF_PEOPLE)))
    rows = _fitting(session, wanted, sorted(ids)[-OF_PEOPLE:])
    ordered = sorted(rows, reverse=True)
    return [row for row in ordered if place is None or row < place]


def _looks(session: Session, key: bytes, words: str) -> Iterator[sa.Select[Any]]:
    """Messages of an order number, of an address, and of the people that the words find."""
    orders = sa.select(OrderRow.id).where(OrderRow.number == words)
    of_order = sa.select(Occasion.message_id).where(
        Occasion.order_id.in_(orders), Occasion.message_id.is_not(None)
    )
    yield of_order
    if session.scalar(of_order.limit(1)) is not None:
        # An order is spoken of exactly: the rest of its buyer's mails are another question.
        return
    if "@" in words:
        hashed = address_hash(key, email_key(words))
        yield sa.select(_M.id).where(_M.recipient_hash == hashed).order_by(_M.id.desc())
    people = find_customers(session, key, words)
    yield sa.select(_M.id).where(among(session, _M.customer_id, people)).order_by(_M.id.desc())


# --- walking --------------------------------------------------------------------------------


def _walked(session: Session, wanted: Wanted, place: _Place | None, limit: int) -> Page:
    walk = _places(session, wanted, place)
    found: list[_Place] = []
    looked, last = 0, place
    while len(found) <= limit and looked < LOOKED_AT:
        part = list(itertools.islice(walk, _STEP))
        fitting = set(_fitting(session, wanted, [message_id for _due, message_id in part]))
        found += [each for each in part if each in fitting]
        looked += len(part)
        if len(part) < _STEP:
            return Page(*_cut(found, limit))
        last = part[-1]
    if len(found) > limit or last is None:
        return Page(*_cut(found, limit))
    ids = tuple(message_id for _due, message_id in found)
    return Page(ids, _cursor(last), looked_to=last[0])


def _places(session: Session, wanted: Wanted, place: _Place | None) -> Iterator[_Place]:
    """(due, id) of every message of the asked states, the newest first."""
    states = [wanted.state] if wanted.state else list(MessageState)
    walks = [_down(session, wanted, state, place) for state in states]
    return heapq.merge(*walks, reverse=True)


def _down(
    session: Session, wanted: Wanted, state: MessageState, place: _Place | None
) -> Iterator[_Place]:
    query = (
        sa.select(_M.due_at, _M.id)
        .where(_M.state == state, *_times(wanted))
        .order_by(_M.due_at.desc(), _M.id.desc())
    )
    while True:
        part = query
        if place is not None:
            # The first condition is what an index is walked by.
            behind = sa.or_(_M.due_at < place[0], _M.id < place[1])
            part = query.where(_M.due_at <= place[0], behind)
        rows = session.execute(part.limit(_STEP)).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _STEP:
            return
        place = (rows[-1][0], rows[-1][1])


def _times(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(_M.due_at >= wanted.since)
    if wanted.before is not None:
        found.append(_M.due_at < wanted.before)
    return found


def _fitting(session: Session, wanted: Wanted, ids: Sequence[str]) -> list[_Place]:
    """Those among the ids that every filter lets through."""
    if not ids:
        return []
    conditions = [_M.id.in_(ids), *_times(wanted)]
    if wanted.state:
        conditions.append(_M.state == wanted.state)
    if wanted.kind:
        conditions.append(_M.kind == wanted.kind)
    if wanted.channel_id is not None:
        conditions.append(_M.channel_id == wanted.channel_id)
    words = wanted.words.strip()
    if words and wanted.among == "words":
        said = sa.or_(
            MessageBody.subject.icontains(words, autoescape=True),
            MessageBody.text.icontains(words, autoescape=True),
        )
        conditions.append(sa.exists().where(MessageBody.message_id == _M.id, said))
    rows = session.execute(sa.select(_M.due_at, _M.id).where(*conditions))
    return [(row[0], row[1]) for row in rows]
