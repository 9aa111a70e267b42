"""How a mail passes the desk: read by a person, sampled, timed, or by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from worker.rules.shop import Review, ReviewRule
from worker.rules.states import MailKind, ReviewMode

ALWAYS_READ = frozenset({MailKind.PERSONAL, MailKind.MILESTONE, MailKind.WIN_BACK})
"""Kinds that no mode releases without a person (mail-texts, section 3)."""


@dataclass(frozen=True, slots=True)
class Path:
    """``reads``: a person must look. ``timed_hours``: goes unread after so many business hours."""

    mode: ReviewMode
    reads: bool
    timed_hours: int = 0


def rule_for(review: Review, kind: MailKind, rank: str | None, family: str) -> ReviewRule:
    """The first rule that fits, else plain review."""
    for rule in review.rules:
        if (
            (not rule.kinds or kind in rule.kinds)
            and (not rule.ranks or rank in rule.ranks)
            and (not rule.families or family in rule.families)
        ):
            return rule
    return ReviewRule()


def sampled(message_id: str, percent: int) -> bool:
    """Whether this message belongs to the share that is read; the same answer every time."""
    digest = hashlib.sha256(message_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") % 100 < percent


def path_for(rule: ReviewRule, kind: MailKind, message_id: str, flags: Collection[object]) -> Path:
    """Decide the way of one rendered mail; any flag asks for a person in every mode."""
    if flags or kind in ALWAYS_READ or rule.mode is ReviewMode.REVIEW:
        return Path(rule.mode, reads=True)
    if rule.mode is ReviewMode.SAMPLE:
        return Path(rule.mode, reads=sampled(message_id, rule.sample_percent))
    if rule.mode is ReviewMode.TIMED:
        return Path(rule.mode, reads=True, timed_hours=rule.timed_business_hours)
    return Path(rule.mode, reads=False)
