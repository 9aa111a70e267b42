"""What numbers and ranks rest on besides the orders: scopes, reach of the history, the ladder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from connectors.contract import Family
from worker.pipeline.context import Context
from worker.rules.numbers import Reach, scope_reach
from worker.rules.ranks import LadderRules
from worker.rules.shop import Counting, Ladder
from worker.store.customers import LadderVersion, RankBasis
from worker.store.standing_queries import Scoped, mark_due, scoped_channels

OVERALL = "*"
"""The scope over all channels: for the desk, never for a text."""


@dataclass(frozen=True)
class Basis:
    """All that ranking needs besides orders, customers and pins; scopes are numbered by place."""

    scopes: tuple[str, ...]
    channels: tuple[Scoped, ...]
    reaches: tuple[Reach, ...]
    ladder: Ladder
    rules: LadderRules
    ladder_version: str
    counting: Counting
    zone: ZoneInfo
    today: date
    _covered: dict[tuple[int, date], bool] = field(default_factory=dict)

    def covered(self, scope: int, day: date) -> bool:
        """Whether the scope's history reaches far enough back before an order of this day."""
        known = self._covered.get((scope, day))
        if known is None:
            known = self._covered[scope, day] = self.reaches[scope].covers(day)
        return known

    def scope_of(self, channel_id: int) -> int | None:
        """The number of a channel's scope; None for a channel without customers."""
        found = (each.scope for each in self.channels if each.channel_id == channel_id)
        return next(found, None)

    def morning(self, day: date) -> datetime:
        """When a shop-local day begins."""
        return datetime.combine(day, time(), self.zone)

    def after(self, day: date) -> datetime:
        """When a shop-local day is over."""
        return self.morning(day + timedelta(days=1))


def ladder_version(ladder: Ladder) -> str:
    """A short hash of the ladder's content: the same rules have the same version."""
    return _hash(asdict(ladder))


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def gather(session: Session, ctx: Context, now: datetime) -> Basis:
    """Read channels and documents into one value."""
    shop, ladder = ctx.documents.shop, ctx.documents.ladder
    rows = [row for row in scoped_channels(session) if row[2] != Family.AMAZON]
    rows.sort(key=lambda row: row[1].encode())
    named = [(row, shop.scope_of(row[1], row[2])) for row in rows]
    scopes = tuple(dict.fromkeys(scope for _, scope in named))
    reaches = [
        scope_reach((declared or earliest) if earliest else None for declared, earliest in days)
        for days in ([(row[3], row[4]) for row, mine in named if mine == scope] for scope in scopes)
    ]
    return Basis(
        scopes=scopes,
        channels=tuple(
            Scoped(row[0], scopes.index(scope), place) for place, (row, scope) in enumerate(named)
        ),
        reaches=tuple(Reach(since, shop.counting.history_limit_months) for since in reaches),
        ladder=ladder,
        rules=LadderRules(ladder),
        ladder_version=ladder_version(ladder),
        counting=shop.counting,
        zone=ctx.zone,
        today=now.astimezone(ctx.zone).date(),
    )


def notice_moves(session: Session, basis: Basis, now: datetime) -> None:
    """Where a scope's reach, ladder or channels moved, put all its customers on the work list."""
    stored = {row.scope: row for row in session.scalars(sa.select(RankBasis))}
    for number, scope in enumerate(basis.scopes):
        channels = [each.channel_id for each in basis.channels if each.scope == number]
        digest, since = _digest(basis, channels), basis.reaches[number].since
        row = stored.pop(scope, None)
        if row is not None and (row.basis, row.reach) == (digest, since):
            continue
        mark_due(session, channels)
        session.merge(RankBasis(scope=scope, reach=since, basis=digest, at=now))
    for row in stored.values():
        session.delete(row)
    _keep_ladder(session, basis, now)
    session.flush()


def _digest(basis: Basis, channels: Sequence[int]) -> str:
    counting = basis.counting
    return _hash(
        {
            "ladder": basis.ladder_version,
            "channels": sorted(channels),
            "visits": counting.visits,
            "zero_amount": counting.zero_amount,
            "limit": counting.history_limit_months,
            "zone": str(basis.zone),
        }
    )


def _keep_ladder(session: Session, basis: Basis, now: datetime) -> None:
    if session.get(LadderVersion, basis.ladder_version) is None:
        content = json.loads(json.dumps(asdict(basis.ladder)))
        session.add(LadderVersion(version=basis.ladder_version, content=content, at=now))
