"""Approving many at once: exactly those that were shown, and never by an empty filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.review_actions import approve
from worker.pipeline.review_queue import QueueFilter, rank_groups, selected
from worker.pipeline.review_verdict import Recheck
from worker.pipeline.review_words import Refused
from worker.rules.states import MoveRefused
from worker.store.messages import Message


@dataclass(frozen=True, slots=True)
class Left:
    """A message that was not approved, and why in both languages."""

    message_id: str
    code: str
    words: str
    words_en: str


@dataclass(frozen=True, slots=True)
class ManyApproved:
    """What a batch did; ``left_out`` were VIP or flagged and nobody asked for them."""

    approved: tuple[str, ...]
    refused: tuple[Left, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """The messages a batch would approve, and those it leaves out."""

    ids: tuple[str, ...]
    left_out: tuple[str, ...]


def select_many(
    session: Session,
    ctx: Context,
    *,
    ids: Sequence[str] | None = None,
    filters: QueueFilter | None = None,
    with_vip: bool = False,
    with_flagged: bool = False,
) -> Selection:
    """Name what a batch would approve; its length is the number the button shows.

    Raises Refused for a filter without any criterion: it selects nobody.
    """
    if ids is not None:
        wanted = list(dict.fromkeys(ids))
    elif filters is None or filters.is_empty:
        raise Refused("empty_filter")
    else:
        wanted = list(session.scalars(selected(filters)))
    vip = rank_groups(ctx)["vip_ranks"]
    rows = {
        row.id: row
        for row in session.execute(
            select(Message.id, Message.rank, Message.flags).where(Message.id.in_(wanted))
        )
    }
    left_out = tuple(
        message_id
        for message_id in wanted
        if (row := rows.get(message_id)) is not None
        and ((row.rank in vip and not with_vip) or (row.flags and not with_flagged))
    )
    return Selection(tuple(i for i in wanted if i not in set(left_out)), left_out)


def approve_many(
    session: Session,
    ctx: Context,
    *,
    expected: int,
    by: str,
    now: datetime,
    ids: Sequence[str] | None = None,
    filters: QueueFilter | None = None,
    with_vip: bool = False,
    with_flagged: bool = False,
    recheck: Recheck | None = None,
) -> ManyApproved:
    """Approve the given ids, or all a filter shows, if they are exactly ``expected`` many.

    A message that may not go is reported and does not stop the others. Raises Refused where
    the number differs from what the person saw, before anything is approved.
    """
    chosen = select_many(
        session, ctx, ids=ids, filters=filters, with_vip=with_vip, with_flagged=with_flagged
    )
    if len(chosen.ids) != expected:
        raise Refused("count_differs", expected=expected, found=len(chosen.ids))
    approved: list[str] = []
    refused: list[Left] = []
    for message_id in chosen.ids:
        try:
            approve(session, ctx, message_id, by=by, now=now, recheck=recheck)
            approved.append(message_id)
        except Refused as no:
            refused.append(Left(message_id, no.code, no.words("ja"), no.words("en")))
        except MoveRefused as no:
            words = Refused("not_in_review", state=no.source.value)
            refused.append(Left(message_id, words.code, words.words("ja"), words.words("en")))
    return ManyApproved(tuple(approved), tuple(refused), chosen.left_out)
