"""The question before a batch approve: the exact number, its split, a sample, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from console.views.names import Badge, badges, shop_labels, top_label
from console.views.queue import Chosen, vip_within
from console.views.recent import names_of
from console.words import Words
from worker.pipeline import review
from worker.pipeline.context import Context
from worker.store.channels import Channel
from worker.store.messages import Message

MOST = 500
"""Mails in one batch: they travel as fields of one form."""
_SAMPLE = 12


@dataclass(frozen=True, slots=True)
class Split:
    """One shop's line of the table; ``numbers`` by rank as in the head."""

    shop: str
    numbers: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class BatchView:
    """What the question prints; ``items`` are ``id:version``, exactly what is approved."""

    chosen: Chosen
    number: int
    items: tuple[str, ...]
    filter: str
    heads: tuple[Badge, ...]
    splits: tuple[Split, ...]
    totals: tuple[int, ...]
    sample: tuple[str, ...]
    names: tuple[str, ...]
    flagged: int
    vip: int
    top: str
    capped: bool
    undo_minutes: int


def batch_view(
    session: Session, ctx: Context, chosen: Chosen, words: Words, now: datetime
) -> BatchView:
    """Read the question. Raises Refused where no filter is chosen."""
    selection = review.select_many(session, ctx, filters=chosen.filters(ctx))
    ids = selection.ids[:MOST]
    ranks = badges(ctx.documents.ladder, words.locale)
    shops = shop_labels(session, words)
    names = names_of(session, ids)
    heads, splits = _split(session, ids, ranks, shops)
    return BatchView(
        chosen=chosen,
        number=len(ids),
        items=items_of(session, ids),
        filter=filter_words(chosen, words, ranks, shops),
        heads=heads,
        splits=splits,
        totals=tuple(sum(split.numbers[i] for split in splits) for i in range(len(heads))),
        sample=names[:_SAMPLE],
        names=names,
        flagged=len(selection.left_out),
        vip=vip_within(session, ctx, chosen, now),
        top=top_label(ranks),
        capped=len(selection.ids) > MOST,
        undo_minutes=ctx.documents.review.undo_seconds // 60,
    )


def items_of(session: Session, ids: Sequence[str]) -> tuple[str, ...]:
    """``id:version`` of the messages, in the order given."""
    rows = session.execute(select(Message.id, Message.version).where(Message.id.in_(ids))).all()
    versions = {row.id: row.version for row in rows}
    return tuple(f"{i}:{versions[i]}" for i in ids if i in versions)


def filter_words(
    chosen: Chosen, words: Words, ranks: dict[str, Badge], shops: dict[str, str]
) -> str:
    """The filter as staff would say it."""
    parts = [
        words(f"kind.{chosen.kind}") if chosen.kind else "",
        ranks[chosen.rank].label if chosen.rank in ranks else chosen.rank,
        shops.get(chosen.channel, chosen.channel),
        words("messages.words", words=chosen.q) if chosen.q else "",
    ]
    return ("、" if words.locale == "ja" else ", ").join(part for part in parts if part)


def _split(
    session: Session, ids: Sequence[str], ranks: dict[str, Badge], shops: dict[str, str]
) -> tuple[tuple[Badge, ...], tuple[Split, ...]]:
    rows = session.execute(
        select(Channel.name, Message.rank, func.count())
        .join(Channel, Channel.id == Message.channel_id)
        .where(Message.id.in_(ids))
        .group_by(Channel.name, Message.rank)
    ).all()
    found: dict[str, dict[str, int]] = {}
    for channel, rank, number in rows:
        found.setdefault(channel, {})[rank or ""] = number
    used = {rank for numbers in found.values() for rank in numbers}
    heads = [badge for badge in reversed(list(ranks.values())) if badge.rank in used]
    heads += [Badge(rank, rank or "-", "repeat") for rank in sorted(used - set(ranks))]
    splits = tuple(
        Split(
            shops.get(channel, channel),
            tuple(numbers.get(head.rank, 0) for head in heads),
            sum(numbers.values()),
        )
        for channel, numbers in sorted(found.items())
    )
    return tuple(heads), splits
