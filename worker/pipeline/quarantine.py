"""Records that could not become orders: listed, mended, mapped again, or let go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import BadRecord, ChannelConfig, Family, Order, RawOrder
from connectors.csv_file.files import load_profiles, map_raw
from connectors.csv_file.profiles import Profiles, fold
from connectors.registry import open_connector
from worker.pipeline.context import Context
from worker.pipeline.pull import Mapper, map_one, prepare, take_in
from worker.rules.states import QuarantineState
from worker.store import raw_queries as raws
from worker.store.channels import Channel
from worker.store.orders import Quarantine


class CaseRefused(ValueError):
    """A case that cannot be handled as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What mapping stored records again did."""

    replayed: int = 0
    failed: int = 0
    """Still no order; the reason of the case is the newest one."""
    order_ids: tuple[int, ...] = ()


def list_open(session: Session, limit: int = 200) -> list[Quarantine]:
    """Open cases, oldest first."""
    query = (
        sa.select(Quarantine)
        .where(Quarantine.state == QuarantineState.OPEN)
        .order_by(Quarantine.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def fix(
    session: Session,
    ctx: Context,
    case_id: int,
    changes: Mapping[str, Any],
    by: str,
    now: datetime,
    profiles: Profiles | None = None,
) -> ReplayReport:
    """Correct a stored record and map it again.

    ``changes`` name columns of the file, or unified fields of its profile, and their values;
    the record as received stays stored beside the corrected one. Raises CaseRefused where the
    case is closed, cannot be mended, or has no such column.
    """
    profiles = profiles or load_profiles()
    case = _open_case(session, case_id)
    raw = _raw_of(session, case)
    if raw is None:
        raise CaseRefused("this record cannot be mended here: correct the file and import it again")
    mended = replace(raw, payload=_merged(raw.payload, changes, profiles))
    return _again(session, ctx, [(case, mended)], by, now, profiles)


def replay(
    session: Session,
    ctx: Context,
    ids: Sequence[int] | Literal["all"],
    by: str,
    now: datetime,
    profiles: Profiles | None = None,
) -> ReplayReport:
    """Map stored records again, after a profile or a mapping was mended.

    Cases whose record was never whole (a broken row) stay open.
    """
    profiles = profiles or load_profiles()
    query = sa.select(Quarantine).where(Quarantine.state == QuarantineState.OPEN)
    if ids != "all":
        query = query.where(Quarantine.id.in_(list(ids)))
    cases = [(case, _raw_of(session, case)) for case in session.scalars(query)]
    whole = [(case, raw) for case, raw in cases if raw is not None]
    report = _again(session, ctx, whole, by, now, profiles)
    return replace(report, failed=report.failed + len(cases) - len(whole))


def dismiss(session: Session, ids: Iterable[int], by: str, now: datetime) -> int:
    """Let open cases go: they are no orders. Gives how many."""
    count = 0
    for case_id in ids:
        _close(_open_case(session, case_id), QuarantineState.DISMISSED, by, now)
        count += 1
    session.flush()
    return count


def _open_case(session: Session, case_id: int) -> Quarantine:
    case = session.get(Quarantine, case_id)
    if case is None or case.state is not QuarantineState.OPEN:
        raise CaseRefused(f"未処理の {case_id} 番はありません / there is no open case {case_id}")
    return case


def _close(case: Quarantine, state: QuarantineState, by: str, now: datetime) -> None:
    case.state, case.resolved_by, case.resolved_at = state, by, now


def _raw_of(session: Session, case: Quarantine) -> RawOrder | None:
    """The record of a case as a raw order; None where it is none: a broken row, or purged."""
    if case.raw_id is not None:
        stored = raws.payloads(session, [case.raw_id]).get(case.raw_id)
        if stored is None or stored.payload is None:
            return None
        return RawOrder(stored.external_id, stored.payload, stored.position)
    payload = case.payload or {}
    cells, header = payload.get("cells"), payload.get("header")
    if "profile" not in payload or not cells or not header or len(cells) != len(header):
        return None
    row = dict(zip(header, cells, strict=True))
    whole = {"profile": payload["profile"], "rows": [row], "lines": payload.get("lines", [])}
    return RawOrder(case.external_id, whole, case.position)


def _merged(
    payload: Mapping[str, Any], changes: Mapping[str, Any], profiles: Profiles
) -> dict[str, Any]:
    if "rows" not in payload:
        return {**payload, **changes}
    rows = [dict(row) for row in payload["rows"]]
    for name, value in changes.items():
        column = _column(name, rows[0], payload, profiles)
        for row in rows:
            row[column] = str(value)
    return {**payload, "rows": rows}


def _column(
    name: str, row: Mapping[str, Any], payload: Mapping[str, Any], profiles: Profiles
) -> str:
    if name in row:
        return name
    spec = profiles.get(str(payload["profile"])).columns.get(name)
    wanted = [header for part in spec.parts for header in part] if spec else [fold(name)]
    for column in row:
        if fold(column) in wanted:
            return column
    raise CaseRefused(f"the record has no column for {name!r}; it has: {', '.join(row)}")


def _again(
    session: Session,
    ctx: Context,
    cases: Sequence[tuple[Quarantine, RawOrder]],
    by: str,
    now: datetime,
    profiles: Profiles,
) -> ReplayReport:
    report = ReplayReport()
    for case, raw in cases:
        channel = _channel_of(session, case)
        order = map_one(raw, mapper_of(ctx, channel, profiles), now)
        if isinstance(order, BadRecord):
            case.code, case.reason, case.reason_ja = order.code, str(order), order.reason_ja
            case.field_name = order.field_name or ""
            report = replace(report, failed=report.failed + 1)
            continue
        report = _taken(session, ctx, channel, case, raw, order, report, now)
        _close(case, QuarantineState.REPLAYED, by, now)
    session.flush()
    return report


def _taken(
    session: Session,
    ctx: Context,
    channel: Channel,
    case: Quarantine,
    raw: RawOrder,
    order: Order,
    report: ReplayReport,
    now: datetime,
) -> ReplayReport:
    named = replace(raw, external_id=order.external_id)
    [raw_id] = raws.store_raws(session, channel.id, [prepare(named)], now, case.import_id)
    result, _ = take_in(
        session, ctx, channel, [named], [order], [raw_id], now, import_id=case.import_id
    )
    return replace(
        report,
        replayed=report.replayed + 1,
        order_ids=report.order_ids + result.order_ids,
    )


def _channel_of(session: Session, case: Quarantine) -> Channel:
    if case.channel_id is None:
        raise CaseRefused(f"case {case.id} belongs to no channel: import the corrected file")
    return session.get_one(Channel, case.channel_id)


def mapper_of(ctx: Context, channel: Channel, profiles: Profiles) -> Mapper:
    """How stored records of a channel are mapped: rows of a file by their own profile.

    A channel that is polled may have had files imported too, so the record itself decides.
    """
    zone = ctx.documents.shop.zone

    def mapped(raw: RawOrder) -> Order:
        if "profile" in raw.payload and "rows" in raw.payload:
            return map_raw(raw, profiles, zone)
        config = ChannelConfig(
            channel.name, channel.kind, Family(channel.family), channel.settings, zone
        )
        return open_connector(config).map(raw)

    return mapped
