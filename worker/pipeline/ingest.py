"""Step 2, ingest: mapped orders become rows, newer wins, nothing doubles, unchanged is silent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from connectors.contract import Order
from worker.pipeline.context import Context
from worker.pipeline.deriving import derive, derived, settle_deliveries
from worker.pipeline.order_values import (
    CONTACT_COLUMNS,
    ORDER_FIELDS,
    WHO_FIELDS,
    contact_row,
    content_hash,
    flat,
    line_rows,
    plain_snapshot,
    told_names,
)
from worker.rules.counting import NO_RATE
from worker.rules.freshness import Settled, settle, told_first
from worker.store import order_queries as orders
from worker.store.channels import Channel
from worker.store.order_queries import Head, Stored

__all__ = ["IngestResult", "derive", "ingest"]


@dataclass(frozen=True, slots=True)
class IngestResult:
    """How many records were new, changed something, changed nothing, or came too late."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    stale: int = 0
    order_ids: tuple[int, ...] = ()
    """Orders that are new or changed."""

    def __add__(self, other: IngestResult) -> IngestResult:
        return IngestResult(
            self.new + other.new,
            self.changed + other.changed,
            self.unchanged + other.unchanged,
            self.stale + other.stale,
            tuple(dict.fromkeys(self.order_ids + other.order_ids)),
        )


@dataclass(frozen=True, slots=True)
class _Record:
    """One mapped record, made comparable."""

    raw_id: int
    order: Order
    values: dict[str, Any]
    names: frozenset[str]
    hash: str


@dataclass(frozen=True, slots=True)
class _Intake:
    """Where the records go, and as what."""

    session: Session
    ctx: Context
    channel: Channel
    now: datetime
    import_id: int | None


def ingest(
    session: Session,
    ctx: Context,
    channel: Channel,
    pairs: Sequence[tuple[int, Order]],
    now: datetime,
    import_id: int | None = None,
) -> IngestResult:
    """Take mapped orders into the ledger; ``pairs`` are (raw id, order) in the source's order.

    An order that stands several times in ``pairs`` is taken in once for each, in turn. Rows
    that are new or changed get their derived columns, a revision, and their due flags.
    """
    orders.lock_channel(session, channel.id)
    intake = _Intake(session, ctx, channel, now, import_id)
    result = IngestResult()
    for batch in _without_repeats([_record(raw_id, order) for raw_id, order in pairs]):
        result += _take(intake, batch)
    return result


def _record(raw_id: int, order: Order) -> _Record:
    values = flat(order)
    names = told_names(order)
    return _Record(raw_id, order, values, names, content_hash(order, values, names))


def _without_repeats(records: Iterable[_Record]) -> Iterator[list[_Record]]:
    """Cut into rounds in which no order stands twice; nearly always one."""
    rest = list(records)
    while rest:
        seen: set[str] = set()
        again: list[_Record] = []
        this: list[_Record] = []
        for record in rest:
            key = record.order.external_id
            (again if key in seen else this).append(record)
            seen.add(key)
        yield this
        rest = again


def _take(intake: _Intake, records: list[_Record]) -> IngestResult:
    known = orders.heads(
        intake.session, intake.channel.id, [record.order.external_id for record in records]
    )
    new = [record for record in records if record.order.external_id not in known]
    differing = [
        record
        for record in records
        if (head := known.get(record.order.external_id)) and head.content_hash != record.hash
    ]
    same = len(records) - len(new) - len(differing)
    return (
        IngestResult(unchanged=same) + _insert(intake, new) + _settle_all(intake, differing, known)
    )


# --- new orders ------------------------------------------------------------------------------


def _insert(intake: _Intake, records: list[_Record]) -> IngestResult:
    if not records:
        return IngestResult()
    rows = [_new_row(intake, record) for record in records]
    ids = orders.insert_orders(intake.session, intake.channel.id, rows)
    contacts: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    revisions: list[dict[str, Any]] = []
    for record in records:
        order_id = ids[record.order.external_id]
        contacts.append({"order_id": order_id} | contact_row(record.values))
        lines += line_rows(order_id, record.values["lines"])
        revisions.append(_revision(intake, order_id, 1, record.raw_id, [], None))
    orders.insert_rows(intake.session, orders.CONTACTS, contacts)
    orders.insert_rows(intake.session, orders.LINES, lines)
    orders.insert_rows(intake.session, orders.REVISIONS, revisions)
    settle_deliveries(intake.session, rows)
    return IngestResult(new=len(records), order_ids=tuple(ids.values()))


def _new_row(intake: _Intake, record: _Record) -> dict[str, Any]:
    values = record.values
    row = {name: values[name] for name in ORDER_FIELDS}
    row |= {
        "channel_id": intake.channel.id,
        "external_id": record.order.external_id,
        "source_updated_at": record.order.updated_at,
        "content_hash": record.hash,
        "told": told_first(record.names, record.order.updated_at),
        "revision": 1,
        "customer_id": None,
        "created_at": intake.now,
        "changed_at": intake.now,
        "identify_due": True,
        "plan_due": True,
    }
    return derived(intake.ctx, row)


def _revision(
    intake: _Intake,
    order_id: int,
    revision: int,
    raw_id: int,
    changed: list[str],
    before: dict[str, Any] | None,
) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "revision": revision,
        "import_id": intake.import_id,
        "raw_id": raw_id,
        "at": intake.now,
        "changed": changed,
        "before": before,
    }


# --- orders that are known -------------------------------------------------------------------


@dataclass(slots=True)
class _Changes:
    """What a round of known orders writes, gathered to be written in sets."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    lines_of: list[int] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    touched: list[dict[str, Any]] = field(default_factory=list)
    stale: int = 0


def _settle_all(intake: _Intake, records: list[_Record], known: Mapping[str, Head]) -> IngestResult:
    if not records:
        return IngestResult()
    stored = orders.whole(intake.session, [known[r.order.external_id].id for r in records])
    changes = _Changes()
    for record in records:
        old = stored[known[record.order.external_id].id]
        _settle_one(intake, record, old, changes)
    _write(intake.session, changes)
    changed = tuple(row["id"] for row in changes.orders)
    return IngestResult(
        changed=len(changed),
        stale=changes.stale,
        unchanged=len(records) - len(changed) - changes.stale,
        order_ids=changed,
    )


def stored_values(old: Stored) -> dict[str, Any]:
    """A stored order as flat values, comparable with those of a record."""
    values = {name: old.order[name] for name in ORDER_FIELDS}
    values["warnings"] = [w for w in old.order["warnings"] or [] if w != NO_RATE]
    for name, column in CONTACT_COLUMNS.items():
        values[name] = old.contact.get(column)
    values["lines"] = old.lines
    return values


def _settle_one(intake: _Intake, record: _Record, old: Stored, changes: _Changes) -> None:
    before = stored_values(old)
    said = {name: record.values[name] for name in record.names}
    settled = settle(before, said, old.order["told"], record.order.updated_at)
    updated_at = _newest(old.order["source_updated_at"], record.order.updated_at)
    if not settled.taken:
        changes.stale += settled.stale
        _touch(old, settled, updated_at, changes)
        return
    row = old.order | {name: settled.taken[name] for name in ORDER_FIELDS if name in settled.taken}
    row["warnings"] = settled.taken.get("warnings", before["warnings"])
    row |= {
        "source_updated_at": updated_at,
        "content_hash": record.hash,
        "told": settled.told,
        "revision": old.order["revision"] + 1,
        "changed_at": intake.now,
        "plan_due": True,
        "identify_due": old.order["identify_due"] or bool(WHO_FIELDS & settled.taken.keys()),
    }
    changes.orders.append(derived(intake.ctx, row))
    changes.revisions.append(
        _revision(
            intake,
            row["id"],
            row["revision"],
            record.raw_id,
            sorted(settled.taken),
            snapshot(old),
        )
    )
    _person_and_lines(row["id"], before, settled.taken, changes)


def _person_and_lines(
    order_id: int, before: Mapping[str, Any], taken: Mapping[str, Any], changes: _Changes
) -> None:
    if CONTACT_COLUMNS.keys() & taken.keys():
        changes.contacts.append({"order_id": order_id} | contact_row({**before, **taken}))
    if "lines" in taken:
        changes.lines_of.append(order_id)
        changes.lines += line_rows(order_id, taken["lines"])


def _touch(old: Stored, settled: Settled, updated_at: datetime | None, changes: _Changes) -> None:
    """Nothing changed, but from when it holds may have: that is kept without a revision."""
    if settled.told != old.order["told"] or updated_at != old.order["source_updated_at"]:
        changes.touched.append(
            {"id": old.order["id"], "told": settled.told, "source_updated_at": updated_at}
        )


def snapshot(old: Stored) -> dict[str, Any]:
    """An order with contact and lines as JSON, for a revision's ``before``."""
    return {
        "order": plain_snapshot(old.order),
        "contact": plain_snapshot(old.contact),
        "lines": old.lines,
    }


def _newest(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return max(known, default=None)


def _write(session: Session, changes: _Changes) -> None:
    orders.update_orders(session, changes.orders)
    orders.update_contacts(session, changes.contacts)
    orders.replace_lines(session, changes.lines_of, changes.lines)
    orders.insert_rows(session, orders.REVISIONS, changes.revisions)
    orders.update_few(session, orders.ORDERS, ("told", "source_updated_at"), changes.touched)
    orders.customers_due(session, [row["customer_id"] for row in changes.orders])
    settle_deliveries(session, changes.orders)
