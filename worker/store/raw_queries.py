"""Raw orders and quarantine: what came in, stored before anything is made of it (P1)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from worker.rules.states import QuarantineState
from worker.store.order_queries import among, chunks
from worker.store.orders import Quarantine, RawRecord
from worker.store.schema import Base
from worker.store.types import Json

RAWS = Base.metadata.tables[RawRecord.__tablename__]
QUARANTINE = Base.metadata.tables[Quarantine.__tablename__]

ID_LENGTH = 255
"""Longest external id that can be kept."""


@dataclass(frozen=True, slots=True)
class NewRaw:
    """One record as received; ``text`` is its payload as canonical JSON."""

    external_id: str
    position: str
    text: str
    sha256: str


class StoredRaw(NamedTuple):
    """A record as it is kept; without payload once retention has purged it."""

    id: int
    external_id: str
    payload: dict[str, Any] | None
    position: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """One record that could not become an order, with the words for it."""

    external_id: str
    position: str
    code: str
    field_name: str
    reason: str
    reason_ja: str
    payload: Mapping[str, Any] | None
    raw_id: int | None = None


def canonical(payload: Mapping[str, Any]) -> tuple[str, str]:
    """A payload as JSON text and its SHA-256; what no database can keep is taken out."""
    try:
        text = _dumped(payload)
        data = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, from a broken export
        text = _dumped(_cleaned(payload))
        data = text.encode()
    if "\\u0000" in text:
        text = _dumped(_cleaned(payload))
        data = text.encode()
    return text, hashlib.sha256(data).hexdigest()


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_cleaned(str(key)): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value


def store_raws(
    session: Session,
    channel_id: int,
    raws: Sequence[NewRaw],
    now: datetime,
    import_id: int | None,
) -> list[int]:
    """Keep records; one that is known already is not kept twice. Gives ids in their order."""
    if not raws:
        return []
    known = _known(session, channel_id, raws)
    fresh = {(raw.external_id, raw.sha256): raw for raw in raws if _key(raw) not in known}
    if fresh:
        session.execute(
            _insert_raw(session),
            [
                {
                    "channel_id": channel_id,
                    "external_id": raw.external_id,
                    "sha256": raw.sha256,
                    "json_text": raw.text,
                    "position": raw.position[:80],
                    "import_id": import_id,
                    "received_at": now,
                }
                for raw in fresh.values()
            ],
        )
        known |= _known(session, channel_id, list(fresh.values()))
    return [known[_key(raw)] for raw in raws]


def _key(raw: NewRaw) -> tuple[str, str]:
    return raw.external_id, raw.sha256


def _known(session: Session, channel_id: int, raws: Sequence[NewRaw]) -> dict[tuple[str, str], int]:
    wanted = {raw.external_id for raw in raws}
    query = sa.select(RAWS.c.external_id, RAWS.c.sha256, RAWS.c.id).where(
        RAWS.c.channel_id == channel_id, among(session, RAWS.c.external_id, wanted)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(query)}


def _insert_raw(session: Session) -> sa.Insert:
    # The payload was written as JSON once, for its hash; the same text is stored.
    text: sa.ColumnElement[Any] = sa.bindparam("json_text", type_=sa.Text())
    if session.get_bind().dialect.name == "postgresql":
        text = sa.cast(text, postgresql.JSONB)
    return sa.insert(RAWS).values(payload=text)


def store_rejected(
    session: Session,
    channel_id: int | None,
    rejected: Iterable[Rejected],
    now: datetime,
    import_id: int | None,
) -> int:
    """Put records into quarantine; the same case again stays one case. Gives how many are new."""
    rows = [_quarantine_row(channel_id, one, now, import_id) for one in rejected]
    made = 0
    for part in chunks(rows, 100):
        dialect = session.get_bind().dialect.name
        insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        statement = (
            insert(QUARANTINE)
            .values(part)
            .on_conflict_do_nothing(index_elements=["channel_id", "external_id", "sha256", "code"])
            .returning(QUARANTINE.c.id)
        )
        made += len(session.execute(statement).all())
    return made


def _quarantine_row(
    channel_id: int | None, one: Rejected, now: datetime, import_id: int | None
) -> dict[str, Any]:
    payload = dict(one.payload or {})
    known_by = payload or {"position": one.position, "reason": one.reason}
    text, sha256 = canonical(known_by)
    return {
        "channel_id": channel_id,
        "import_id": import_id,
        "raw_id": one.raw_id,
        "external_id": one.external_id[:ID_LENGTH],
        "sha256": sha256,
        "position": one.position[:80],
        "code": one.code[:40],
        "field_name": one.field_name[:80],
        "reason": one.reason,
        "reason_ja": one.reason_ja,
        "payload": json.loads(text) if payload and one.raw_id is None else None,
        "state": QuarantineState.OPEN,
        "created_at": now,
        "resolved_at": None,
        "resolved_by": "",
    }


def resolve_by_orders(
    session: Session,
    channel_id: int,
    external_ids: Iterable[str],
    now: datetime,
    import_id: int | None,
) -> None:
    """Close open cases of orders that have come in sound since, by another file or page."""
    query = sa.select(QUARANTINE.c.id, QUARANTINE.c.external_id).where(
        QUARANTINE.c.channel_id == channel_id,
        QUARANTINE.c.state == QuarantineState.OPEN,
        QUARANTINE.c.external_id != "",
        QUARANTINE.c.created_at < now,
    )
    if import_id is not None:
        query = query.where(QUARANTINE.c.import_id.is_distinct_from(import_id))
    arrived = set(external_ids)
    solved = [row[0] for row in session.execute(query) if row[1] in arrived]
    for part in chunks(solved):
        session.execute(
            sa.update(QUARANTINE)
            .where(QUARANTINE.c.id.in_(part))
            .values(state=QuarantineState.REPLAYED, resolved_at=now, resolved_by="system")
        )


def payloads(session: Session, raw_ids: Iterable[int]) -> dict[int, StoredRaw]:
    """Stored records by id."""
    found: dict[int, StoredRaw] = {}
    for part in chunks(raw_ids):
        query = sa.select(
            RAWS.c.id, RAWS.c.external_id, sa.type_coerce(RAWS.c.payload, Json), RAWS.c.position
        ).where(RAWS.c.id.in_(part))
        found |= {row[0]: StoredRaw(*row) for row in session.execute(query)}
    return found
