"""はじめの一週間, side by side: what Okaeri would have sent, and what another system sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from console import formats
from console.views.names import Option, shop_labels
from console.visit import NoSuchPlace
from console.words import Words
from worker.pipeline.channel_names import find_channel
from worker.pipeline.context import Context
from worker.pipeline.first_week import WEEK
from worker.pipeline.go_live import beginnings
from worker.pipeline.rehearsal import KINDS, Comparison, compare
from worker.rules.outcome_words import outcome_words
from worker.rules.states import MailKind, Sender
from worker.store.rehearsals import told_of

LONGEST = 31
"""Days that are compared at once."""
_NAMED = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """One order where the two differ."""

    number: str
    day: str
    ours: bool
    theirs: bool
    why: str
    address: str


@dataclass(frozen=True, slots=True)
class RehearsalView:
    """Everything the page prints."""

    channel: str
    kind: str
    shop: str
    kind_label: str
    channels: tuple[Option, ...]
    kinds: tuple[Option, ...]
    first: str
    last: str
    told: int
    found: Comparison
    pairs: tuple[Pair, ...]
    more: int
    unknown: str


def rehearsal_view(
    session: Session,
    ctx: Context,
    words: Words,
    now: datetime,
    *,
    channel: str,
    kind: str,
    first: date | None,
    last: date | None,
) -> RehearsalView | None:
    """Compare a channel and kind; None while there is no channel. Raises NoSuchPlace."""
    chosen = MailKind(kind) if kind in KINDS else KINDS[0]
    lines = [one for one in beginnings(session, ctx) if one.kind is chosen]
    names = [one.channel.name for one in lines]
    if not names:
        return None
    others = [one.channel.name for one in lines if one.sender is Sender.HUB]
    row = find_channel(session, channel or (others or names)[0])
    if row is None:
        raise NoSuchPlace
    begin, end = _span(first, last, now.astimezone(ctx.zone).date())
    found, shops = compare(session, ctx, row, chosen, begin, end, now), shop_labels(session, words)
    differing = found.ours_only + found.theirs_only
    return RehearsalView(
        channel=row.name,
        kind=chosen.value,
        shop=shops.get(row.name, row.name),
        kind_label=words(f"kind.{chosen}"),
        channels=tuple(Option(n, shops.get(n, n), None, n == row.name) for n in names),
        kinds=tuple(Option(k, words(f"kind.{k}"), None, k is chosen) for k in KINDS),
        first=begin.isoformat(),
        last=end.isoformat(),
        told=told_of(session).get((row.id, chosen), 0),
        found=found,
        pairs=tuple(
            Pair(
                number=one.number,
                day=formats.short_day(one.day),
                ours=one.ours,
                theirs=one.theirs,
                why=_why(one.reason, words),
                address=f"/messages/{one.message_id}" if one.message_id else "",
            )
            for one in found.differing
        ),
        more=differing - len(found.differing),
        unknown=_unknown(found.unknown, words),
    )


def _span(first: date | None, last: date | None, today: date) -> tuple[date, date]:
    """The last whole week unless told; never longer than a month."""
    end = last or today - timedelta(days=1)
    begin = min(first or end - timedelta(days=WEEK - 1), end)
    return max(begin, end - timedelta(days=LONGEST - 1)), end


def _why(reason: Mapping[str, Any], words: Words) -> str:
    if reason.get("code") == "kind_off":
        return words("rehearsal.kind_off")
    return outcome_words(reason, words.locale)


def _unknown(numbers: list[str], words: Words) -> str:
    if not numbers:
        return ""
    shown = words("app.comma").join(numbers[:_NAMED])
    return words("rehearsal.unknown", n=len(numbers), numbers=shown)
