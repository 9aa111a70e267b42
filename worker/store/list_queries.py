"""Pages of customers in any order, by keyset and index: no page counts or reads the rest.

A page walks the index of its order within each rank and merges the ranks. A filter that few
people fit would make that walk long, so each filter is first asked for a handful of ids: where
it has no more, only they are read.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from worker.rules.finding import KANA_ROWS
from worker.store.bulk import among
from worker.store.customers import ContactNote, Customer, CustomerProfile, CustomerStanding

OVERALL = "*"
SMALL = 2000
"""Up to so many ids a filter is walked by itself."""

Sort = Literal["visits", "spend", "last", "kana"]

_STEP = 200
_Place = tuple[Any, int]
"""Value and id of the line that a page goes on behind; only a last order may be None."""

_S, _P = CustomerStanding, CustomerProfile
_COLUMNS: dict[str, Any] = {
    "visits": _S.visits,
    "spend": _S.net_spend,
    "last": _S.last_order_at,
    "kana": _P.kana_key,
}
_KEYSETS: dict[str, Callable[[str], Any]] = {
    "visits": int,
    "spend": int,
    "last": datetime.fromisoformat,
    "kana": str,
}
_LINE: tuple[Any, ...] = (
    _S.customer_id,
    _S.rank,
    _S.visits,
    _S.count,
    _S.net_spend,
    _S.last_order_at,
    _S.certainty,
    *(_P.name, _P.kana, _P.postal_code, _P.address, _P.phone, _P.email, _P.birthday),
    _P.is_member,
    _P.kana_key,
)


class UnknownCursor(ValueError):
    """A place to go on from that no page gave."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter and an order; empty fields ask for nothing. ``silent_since``: no order since."""

    scope: str = OVERALL
    rank: str = ""
    row: str = ""
    """A row of ``KANA_ROWS``."""
    bucket: Literal["", "guest", "member"] = ""
    noted: bool = False
    silent_since: datetime | None = None
    sort: Sort = "last"


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of the list, and where the next page goes on; empty where there is none."""

    lines: tuple[sa.RowMapping, ...]
    after: str


def page(session: Session, wanted: Wanted, *, after: str = "", limit: int = 50) -> Page:
    """One page. Raises UnknownCursor."""
    place = _place(wanted.sort, after)
    ids = _few(session, wanted)
    if ids is None:
        rows = _walked(session, wanted, place, limit + 1)
    else:
        rows = _sorted(wanted, _fitting(session, wanted, ids), place)
    shown = rows[:limit]
    more = len(rows) > limit
    return Page(tuple(shown), _cursor(wanted.sort, shown[-1]) if more else "")


def ranks_in(session: Session, scope: str) -> list[str]:
    """Every rank that somebody has in the scope: one look into the index for each."""
    found: list[str] = []
    last = ""
    while True:
        query = sa.select(sa.func.min(_S.rank)).where(_S.scope == scope, _S.rank > last)
        rank = session.scalar(query)
        if rank is None:
            return found
        found.append(rank)
        last = rank


# --- cursors --------------------------------------------------------------------------------


def _cursor(sort: Sort, row: sa.RowMapping) -> str:
    value = _value(sort, row)
    if isinstance(value, datetime):
        value = value.isoformat()
    return f"{row['customer_id']}:{'' if value is None else value}"


def _place(sort: Sort, after: str) -> _Place | None:
    if not after:
        return None
    number, _, value = after.partition(":")
    try:
        known = _KEYSETS[sort](value) if value else None
        if isinstance(known, datetime) and known.tzinfo is None:
            raise UnknownCursor(after)
        if known is None and sort != "last":
            raise UnknownCursor(after)
        return known, int(number)
    except ValueError as error:
        raise UnknownCursor(after) from error


def _value(sort: Sort, row: sa.RowMapping) -> Any:
    name = {"visits": "visits", "spend": "net_spend", "last": "last_order_at", "kana": "kana_key"}
    return row[name[sort]]


# --- walking --------------------------------------------------------------------------------


def _walked(
    session: Session, wanted: Wanted, place: _Place | None, limit: int
) -> list[sa.RowMapping]:
    """Walk the index alone and look the people up by their ids, until the page is full.

    One statement for both leaves the way to the planner, and each database finds another wrong
    one. The steps grow, so that a filter that few fit is not asked for a hundred times.
    """
    found: list[sa.RowMapping] = []
    walk, step = _ids(session, wanted, place), limit
    while len(found) < limit:
        ids = list(itertools.islice(walk, step))
        lines = {row["customer_id"]: row for row in _fitting(session, wanted, ids)} if ids else {}
        found += [lines[each] for each in ids if each in lines]
        if len(ids) < step:
            break
        step = min(step * 2, SMALL)
    return found[:limit]


def _sorted(
    wanted: Wanted, rows: Sequence[sa.RowMapping], place: _Place | None
) -> list[sa.RowMapping]:
    """Few people: put in order here, and cut where the page goes on."""
    down = wanted.sort != "kana"

    def key(row: sa.RowMapping) -> tuple[bool, Any, int]:
        return _key(_value(wanted.sort, row), row["customer_id"])

    ordered = sorted(rows, key=key, reverse=down)
    if place is None:
        return ordered
    behind = _key(place[0], place[1])
    return [row for row in ordered if (key(row) < behind if down else key(row) > behind)]


def _key(value: Any, number: int) -> tuple[bool, Any, int]:
    return (value is not None, 0 if value is None else value, number)


def _ids(session: Session, wanted: Wanted, place: _Place | None) -> Iterator[int]:
    """Ids in the order asked for; where the index is by rank, the ranks' walks are merged.

    Those who never ordered, or whose orders all fell away, have no last order: they come last.
    """
    column = _COLUMNS[wanted.sort]
    if wanted.sort == "kana":
        yield from (number for _value, number in _kana(session, wanted, place))
        return
    if wanted.rank:
        ranks = [_S.rank == wanted.rank]
    else:
        ranks = [*(_S.rank == rank for rank in ranks_in(session, wanted.scope)), _S.rank.is_(None)]
    if place is None or place[0] is not None:
        walks = [_down(session, wanted, column, rank, place) for rank in ranks]
        yield from (number for _value, number in heapq.merge(*walks, reverse=True))
    if wanted.sort == "last":
        least = place[1] if place and place[0] is None else None
        none = [_without(session, wanted, column, rank, least) for rank in ranks]
        yield from heapq.merge(*none, reverse=True)


def _down(
    session: Session, wanted: Wanted, column: Any, rank: sa.ColumnElement[bool], place: Any
) -> Iterator[tuple[Any, int]]:
    query = (
        sa.select(column, _S.customer_id)
        .where(_S.scope == wanted.scope, rank, column.is_not(None))
        .order_by(column.desc(), _S.customer_id.desc())
    )
    if wanted.sort == "last" and wanted.silent_since is not None:
        query = query.where(column <= wanted.silent_since)
    while True:
        part = query if place is None else query.where(_before(column, _S.customer_id, place))
        rows = session.execute(part.limit(_STEP)).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _STEP:
            return
        place = tuple(rows[-1])


def _before(column: Any, number: Any, place: Any) -> sa.ColumnElement[bool]:
    # The first condition is what an index is walked by, whatever a planner makes of the rest.
    value, least = place[0], place[1]
    return sa.and_(column <= value, sa.or_(column < value, number < least))


def _without(
    session: Session,
    wanted: Wanted,
    column: Any,
    rank: sa.ColumnElement[bool],
    least: int | None,
) -> Iterator[int]:
    query: sa.Select[Any] = (
        sa.select(_S.customer_id)
        .where(_S.scope == wanted.scope, rank, column.is_(None))
        .order_by(_S.customer_id.desc())
    )
    while True:
        part = query if least is None else query.where(_S.customer_id < least)
        ids = session.scalars(part.limit(_STEP)).all()
        yield from ids
        if len(ids) < _STEP:
            return
        least = ids[-1]


def _kana(session: Session, wanted: Wanted, place: Any) -> Iterator[tuple[str, int]]:
    key, number = _P.kana_key, _P.customer_id
    query = sa.select(key, number).order_by(key, number)
    if wanted.row:
        first, end = KANA_ROWS[wanted.row]
        query = query.where(key >= first, key < end)
    while True:
        part = query
        if place is not None:
            part = query.where(key >= place[0], sa.or_(key > place[0], number > place[1]))
        rows = session.execute(part.limit(_STEP)).all()
        yield from ((row[0], row[1]) for row in rows)
        if len(rows) < _STEP:
            return
        place = tuple(rows[-1])


def _fitting(session: Session, wanted: Wanted, ids: Sequence[int]) -> list[sa.RowMapping]:
    """The lines of those among ``ids`` whom every filter lets through."""
    query: sa.Select[Any] = (
        sa.select(*_LINE)
        .select_from(_S)
        .join(Customer, Customer.id == _S.customer_id)
        .join(_P, _P.customer_id == _S.customer_id)
        .where(
            among(session, _S.customer_id, ids),
            _S.scope == wanted.scope,
            Customer.merged_into.is_(None),
            *_conditions(wanted),
        )
    )
    return list(session.execute(query).mappings())


def _looked_at(column: Any) -> Any:
    """The column, but not by its index: the people are known by their ids already."""
    return sa.func.coalesce(column, None)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.row:
        first, end = KANA_ROWS[wanted.row]
        found.append(_P.kana_key >= first)
        found.append(_P.kana_key < end)
    if wanted.bucket:
        found.append(_P.is_member.is_(wanted.bucket == "member"))
    if wanted.rank:
        found.append(_looked_at(_S.rank) == wanted.rank)
    if wanted.silent_since is not None:
        found.append(_looked_at(_S.last_order_at) <= wanted.silent_since)
    if wanted.noted:
        open_note = sa.text("contact_notes.state = 'open'")
        found.append(sa.exists().where(ContactNote.customer_id == _S.customer_id, open_note))
    return found


# --- filters that few fit -------------------------------------------------------------------


def _few(session: Session, wanted: Wanted) -> list[int] | None:
    """The people a filter leaves where they are few; None where every filter leaves many."""
    for query in _narrow(wanted):
        found = list(session.scalars(query.limit(SMALL + 1)))
        if len(found) <= SMALL:
            return sorted(set(found))
    return None


def _narrow(wanted: Wanted) -> list[sa.Select[Any]]:
    """Each filter by an index of its own."""
    found: list[sa.Select[Any]] = []
    if wanted.noted:
        open_note = sa.text("contact_notes.state = 'open'")
        found.append(sa.select(ContactNote.customer_id).where(open_note))
    if wanted.row:
        first, end = KANA_ROWS[wanted.row]
        keys = sa.select(_P.customer_id).where(_P.kana_key >= first, _P.kana_key < end)
        found.append(keys.order_by(_P.kana_key))
    if wanted.bucket == "guest":
        found.append(sa.select(_P.customer_id).where(sa.text("NOT is_member")))
    if wanted.silent_since is not None:
        silent = sa.select(_S.customer_id).where(
            _S.scope == wanted.scope, _S.last_order_at <= wanted.silent_since
        )
        found.append(silent.order_by(_S.last_order_at))
    if wanted.rank and wanted.sort == "kana":
        found.append(
            sa.select(_S.customer_id).where(_S.scope == wanted.scope, _S.rank == wanted.rank)
        )
    return found


# --- searching ------------------------------------------------------------------------------


def lines_of(session: Session, customer_ids: Sequence[int]) -> list[sa.RowMapping]:
    """Lines of these customers, whether or not they have a standing, in the order given."""
    query = (
        sa.select(*(c for c in _LINE if c is not _S.customer_id), Customer.id.label("customer_id"))
        .select_from(Customer)
        .outerjoin(_S, (_S.customer_id == Customer.id) & (_S.scope == OVERALL))
        .outerjoin(_P, _P.customer_id == Customer.id)
        .where(among(session, Customer.id, customer_ids), Customer.merged_into.is_(None))
    )
    by_id = {row["customer_id"]: row for row in session.execute(query).mappings()}
    return [by_id[each] for each in customer_ids if each in by_id]
