"""Who waits for which text, which orders a text can be tried on, and what was published when."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from worker.rules.states import MailKind, MessageState
from worker.store.channels import Channel
from worker.store.messages import Message
from worker.store.orders import OrderContact, OrderRow
from worker.store.running import DocumentVersion, Release, ReleaseDocument

TO_READ = frozenset({MessageState.IN_REVIEW, MessageState.ON_HOLD, MessageState.SENT_BACK})
"""Written and not released: another text may take the place of theirs."""
RELEASED = frozenset({MessageState.APPROVED, MessageState.RETRY_WAIT})
"""Approved as they stand; no text touches them by itself (P5)."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that were written from the same text for the same reason; ``count`` of them."""

    state: MessageState
    edited: bool
    kind: MailKind
    family: str
    locale: str
    text_key: str
    text_version: str
    rank: str
    occasions: tuple[str, ...]
    count: int
    written: tuple[str | None, str | None]
    """Rank and occasions as the database says them, to find the same rows again."""


_RANK = Message.why[("basis", "rank")].as_string()
_OCCASIONS = Message.why[("basis", "occasions")].as_string()


def waiting_on(
    session: Session, kinds: Collection[str], families: Collection[str], locales: Collection[str]
) -> list[Waiting]:
    """The written messages of these kinds, families and locales that are still in the house.

    Counted by the database: however many wait, they were written from few texts.
    """
    alike = (
        Message.state,
        Message.edited,
        Message.kind,
        Message.family,
        Message.locale,
        Message.text_key,
        Message.text_version,
    )
    told = (_RANK.label("rank_said"), _OCCASIONS.label("occasions_said"))
    chosen = (
        select(*alike, *told)
        .where(
            Message.state.in_(TO_READ | RELEASED),
            Message.kind.in_([MailKind(kind) for kind in kinds]),
            Message.family.in_(families),
            Message.locale.in_(locales),
        )
        .subquery()
    )
    rows = session.execute(select(*chosen.c, func.count()).group_by(*chosen.c))
    return [_waiting(row) for row in rows]


def _waiting(row: Sequence[Any]) -> Waiting:
    return Waiting(
        state=row[0],
        edited=row[1],
        kind=row[2],
        family=row[3],
        locale=row[4],
        text_key=row[5],
        text_version=row[6],
        rank=row[7] or "",
        occasions=tuple(json.loads(row[8])) if row[8] else (),
        count=row[9],
        written=(row[7], row[8]),
    )


def ids_of(session: Session, waiting: Sequence[Waiting]) -> list[str]:
    """The messages that were counted, oldest first."""
    found: list[str] = []
    for each in waiting:
        rank, occasions = each.written
        found += session.scalars(
            select(Message.id).where(
                Message.state == each.state,
                Message.edited == each.edited,
                Message.kind == each.kind,
                Message.family == each.family,
                Message.locale == each.locale,
                Message.text_key == each.text_key,
                Message.text_version == each.text_version,
                _RANK.is_(None) if rank is None else rank == _RANK,
                _OCCASIONS.is_(None) if occasions is None else occasions == _OCCASIONS,
            )
        )
    return sorted(found)


@dataclass(frozen=True, slots=True)
class RecentOrder:
    """An order a text can be tried on."""

    id: int
    number: str
    name: str
    ordered_at: datetime


def recent_orders(
    session: Session, family: str, *, number: str = "", limit: int = 12
) -> list[RecentOrder]:
    """The newest orders of the family's channels, or those whose number begins so."""
    channels = select(Channel.id).where(Channel.family == family)
    wanted = (
        select(OrderRow.id, OrderRow.number, OrderContact.name, OrderRow.ordered_at)
        .join(OrderContact, OrderContact.order_id == OrderRow.id, isouter=True)
        .where(OrderRow.channel_id.in_(channels), OrderRow.counting)
    )
    if number:
        wanted = wanted.where(OrderRow.number.startswith(number, autoescape=True))
    rows = session.execute(wanted.order_by(OrderRow.id.desc()).limit(limit))
    return [RecentOrder(row[0], row[1], row[2] or "", row[3]) for row in rows]


# --- what was published ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Published:
    """One release; ``number`` counts from 1."""

    id: int
    number: int
    at: datetime
    by: str
    note: str


def newest_published(session: Session) -> Published | None:
    """The release in force; None while the files are."""
    found = published(session, limit=1)
    return found[0] if found else None


def published(session: Session, *, before: int | None = None, limit: int = 20) -> list[Published]:
    """Releases, the newest first; ``before`` goes on behind an id."""
    wanted = select(Release)
    if before is not None:
        wanted = wanted.where(Release.id < before)
    rows = session.scalars(wanted.order_by(Release.id.desc()).limit(limit)).all()
    if not rows:
        return []
    first = session.scalar(select(func.count()).where(Release.id <= rows[0].id)) or 0
    return [Published(r.id, first - place, r.at, r.by, r.note) for place, r in enumerate(rows)]


def versions_in(session: Session, release_id: int, under: str) -> dict[str, int]:
    """Path to version of the documents of a release whose path begins so."""
    rows = session.execute(
        select(ReleaseDocument.path, ReleaseDocument.version_id).where(
            ReleaseDocument.release_id == release_id,
            ReleaseDocument.path.startswith(under, autoescape=True),
        )
    )
    return dict(rows.all())


def contents(session: Session, versions: Collection[int]) -> dict[int, str]:
    """Version to content."""
    rows = session.execute(
        select(DocumentVersion.id, DocumentVersion.content).where(DocumentVersion.id.in_(versions))
    )
    return dict(rows.all())


def releases_of(session: Session, paths: Sequence[str], limit: int = 50) -> list[int]:
    """Releases that brought another version of one of these documents, the newest first."""
    first = (
        select(func.min(ReleaseDocument.release_id).label("release_id"))
        .where(ReleaseDocument.path.in_(paths))
        .group_by(ReleaseDocument.path, ReleaseDocument.version_id)
        .subquery()
    )
    rows = session.scalars(
        select(first.c.release_id).distinct().order_by(first.c.release_id.desc()).limit(limit)
    )
    return list(rows)
