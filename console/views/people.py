"""Pairs that may be one person: both sides as staff need them to decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from console import formats
from console.views.names import Badge, badges
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.rules.states import CandidateState
from worker.store.customers import Candidate


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two."""

    name: str
    kana: str
    address: str
    phone: str
    email: str
    count: int
    last: str
    badge: Badge | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate; ``fields`` whose values are the same on both sides are marked by the page."""

    id: int
    reason: str
    blocking: bool
    one: Side
    other: Side


def pairs(session: Session, ctx: Context, words: Words, now: datetime) -> tuple[Pair, ...]:
    """Every open candidate; those that stop mails first."""
    rows = session.scalars(
        select(Candidate)
        .where(Candidate.state == CandidateState.OPEN)
        .order_by(Candidate.blocking.desc(), Candidate.id)
        .limit(50)
    ).all()
    return tuple(
        Pair(
            row.id,
            _reason(row.reason, words),
            row.blocking,
            _side(session, ctx, row.customer_a, words, now),
            _side(session, ctx, row.customer_b, words, now),
        )
        for row in rows
    )


def _reason(reason: str, words: Words) -> str:
    key = f"candidate_reason.{reason}"
    return words(key) if words.has(key) else reason


def _side(session: Session, ctx: Context, customer_id: int, words: Words, now: datetime) -> Side:
    card = review.customer_card(session, ctx, customer_id, "*", now=now)
    assert card is not None
    postal = f"〒{card.postal_code} " if card.postal_code else ""
    last = card.last_order_at
    return Side(
        name=card.name or "",
        kana=card.kana or "",
        address=f"{postal}{card.address or ''}".strip(),
        phone=card.phone or "",
        email=card.email or "",
        count=card.order_count,
        last=formats.day(last.astimezone(ctx.zone).date(), words.locale) if last else "",
        badge=badges(ctx.documents.ladder, words.locale).get(card.rank_overall or ""),
    )
