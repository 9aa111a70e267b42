"""Counts what publishing the drafts of settings would change, before anybody may publish them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from worker.pipeline.context import Context
from worker.pipeline.settings_drafts import Working
from worker.pipeline.settings_mails import Mails, Opening, count_mails
from worker.pipeline.settings_people import People, count_people
from worker.rules.occasions import speaking
from worker.rules.review_modes import ALWAYS_READ, rule_for
from worker.rules.shop import Documents, ReviewRule
from worker.rules.states import MailKind, ReviewMode, Sender, Verdict
from worker.store import settings_queries as store
from worker.store.channels import Channel
from worker.store.draft_queries import forget_counts
from worker.store.drafts import DraftCount

_DAYS_FOR_PACE = 28
_SENT_BY_OTHERS = (Sender.MALL, Sender.CART, Sender.HUB)
_READING = (ReviewMode.AUTO, ReviewMode.SAMPLE, ReviewMode.TIMED, ReviewMode.REVIEW)
"""From what nobody reads to what everybody reads."""


@dataclass(frozen=True)
class Check:
    """What a person must say before publishing. ``what`` ``off``: the other sender is switched
    off; ``unread``: mails of a kind leave with less reading; ``ended``: waiting mails end."""

    what: str
    place: str = ""
    kind: str = ""
    was: str = ""

    @property
    def name(self) -> str:
        """The name of its tick."""
        return f"check/{self.what}/{self.place}/{self.kind}"


def count(session: Session, now_ctx: Context, working: Working, now: datetime) -> dict[str, Any]:
    """Count for exactly these drafts. Reads only; ``keep_count`` stores. Raises DocumentsWrong."""
    then_ctx = working.context(now_ctx)
    people = People()
    walked = _ranks_move(now_ctx.documents, then_ctx.documents)
    if walked:
        people = count_people(session, now_ctx, then_ctx, now)
    opened = openings(session, now_ctx.documents, then_ctx.documents)
    mails = count_mails(session, now_ctx, then_ctx, now, people.order_ranks, opened)
    return {
        "people": _people_told(people) if walked else None,
        "mails": _mails_told(mails, store.waiting_by_kind(session)),
        "opened": list(_opened_told(session, opened, now)),
    }


def keep_count(
    session: Session, key: str, figures: Mapping[str, Any], by: str, now: datetime
) -> None:
    """Keep what was counted, the last alone, unless somebody did so at the same time."""
    if session.get(DraftCount, key) is None:
        forget_counts(session)
        session.add(DraftCount(key=key, figures=dict(figures), by=by, at=now))
        session.flush()


def _ranks_move(now: Documents, then: Documents) -> bool:
    one, other = now.shop, then.shop
    return (now.ladder, one.scopes, one.counting, one.zone) != (
        *(then.ladder, other.scopes, other.counting, other.zone),
    )


def _people_told(people: People) -> dict[str, Any]:
    return {
        "was": dict(people.was),
        "then": dict(people.then),
        "moves": [[was, then, number] for (was, then), number in sorted(people.moves.items())],
        "examples": [list(each) for each in people.examples],
    }


def _mails_told(mails: Mails, waiting: Mapping[MailKind, int]) -> dict[str, Any]:
    return {
        "waiting": {kind.value: number for kind, number in waiting.items()},
        "added": {str(kind): n for kind, n in mails.added.items() if n},
        "ended": {str(kind): n for kind, n in mails.ended.items() if n},
        "held": {str(kind): n for kind, n in mails.held.items() if n},
        "rewritten": mails.rewritten,
        "kept": mails.kept,
    }


def _opened_told(
    session: Session, opened: list[Opening], now: datetime
) -> Iterator[tuple[str, str, int]]:
    """(channel, kind, orders of the last four weeks) of what Okaeri begins to send."""
    names = {channel.id: channel.name for channel in store.channels_by_name(session)}
    pace = store.orders_since(session, (now - timedelta(days=_DAYS_FOR_PACE)).date())
    for channel_id, kind in opened:
        yield names[channel_id], kind.value, pace.get(channel_id, 0)


# --- what begins and what ends ------------------------------------------------------------------


def openings(session: Session, now: Documents, then: Documents) -> list[Opening]:
    """Every (channel, kind) that Okaeri begins to send: it does so from publishing on (P8)."""
    return [
        (channel.id, kind)
        for channel in store.channels_by_name(session)
        for kind in MailKind
        if kind is not MailKind.PERSONAL
        and sends(then, channel, kind)
        and not sends(now, channel, kind)
    ]


def closings(session: Session, now: Documents, then: Documents) -> list[tuple[Opening, str]]:
    """Every (channel, kind) that Okaeri ceases to send, with the code of why."""
    return [
        ((channel.id, kind), _why_not(then, channel, kind))
        for channel in store.channels_by_name(session)
        for kind in MailKind
        if kind is not MailKind.PERSONAL
        and sends(now, channel, kind)
        and not sends(then, channel, kind)
    ]


def _why_not(then: Documents, channel: Channel, kind: MailKind) -> str:
    sender = then.senders.who(channel.name, channel.family, kind)
    if sender is not Sender.OKAERI:
        return f"sender_{sender}"
    forbids = then.policy.cell(channel.family, kind).verdict is Verdict.FORBID
    return "policy_forbids" if forbids else "no_rule_fits"


def sends(documents: Documents, channel: Channel, kind: MailKind) -> bool:
    """Whether Okaeri sends the kind on the channel by these documents."""
    return (
        documents.senders.who(channel.name, channel.family, kind) is Sender.OKAERI
        and bool(speaking(documents.mails.rules, kind, channel.family))
        and documents.policy.cell(channel.family, kind).verdict is not Verdict.FORBID
    )


# --- what must be ticked --------------------------------------------------------------------------


def checks(now: Documents, then: Documents, figures: Mapping[str, Any] | None) -> list[Check]:
    """What a person must say before these documents are published."""
    found = [*_taken_over(now, then), *_read_less(now, then)]
    if figures and figures["mails"]["ended"]:
        found.append(Check("ended"))
    return found


def _taken_over(now: Documents, then: Documents) -> Iterator[Check]:
    for places, present in (
        (then.senders.families, now.senders.families),
        (then.senders.channels, now.senders.channels),
    ):
        for place, row in places.items():
            for kind, sender in row.items():
                family = place.partition(":")[0]
                was = present.get(place, {}).get(kind) or now.senders.who(place, family, kind)
                if sender is Sender.OKAERI and was in _SENT_BY_OTHERS:
                    yield Check("off", place, kind.value, was.value)


def _read_less(now: Documents, then: Documents) -> Iterator[Check]:
    ranks = [rung.id for rung in then.ladder.rungs]
    for kind in MailKind:
        if kind not in ALWAYS_READ and any(
            _reading(rule_for(then.review, kind, rank, family))
            < _reading(rule_for(now.review, kind, rank, family))
            for rank in ranks
            for family in then.senders.families
        ):
            yield Check("unread", "", kind.value)


def _reading(rule: ReviewRule) -> tuple[int, int]:
    share = {ReviewMode.SAMPLE: rule.sample_percent, ReviewMode.TIMED: rule.timed_business_hours}
    return _READING.index(rule.mode), share.get(rule.mode, 0)
