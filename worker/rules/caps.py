"""How often a person may be mailed: postpone to the first free moment, drop when none is left."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from worker.rules.shop import Caps


def free_from(
    wanted: datetime, ads: Sequence[datetime], order_mails: Sequence[datetime], caps: Caps
) -> datetime:
    """The first moment from ``wanted`` on at which an advertisement may go.

    ``ads`` and ``order_mails`` are moments of mails of this person, gone or waiting. An order
    mail keeps its distance on both sides, an advertisement only after the earlier one and
    before the later one as well.
    """
    blocked = sorted(
        [(moment, timedelta(days=caps.ads_days)) for moment in ads]
        + [(moment, timedelta(days=caps.ads_days_around_order_mail)) for moment in order_mails]
    )
    moment = wanted
    # Each pass moves past at least one mail, so as many passes as mails are enough.
    for _ in range(len(blocked) + 1):
        hit = [at + gap for at, gap in blocked if at - gap < moment < at + gap]
        if not hit:
            return moment
        moment = max(hit)
    return moment


def within(moments: Sequence[datetime], due: datetime, days: int) -> datetime | None:
    """The latest of ``moments`` less than ``days`` before or after ``due``, if there is one."""
    if days <= 0:
        return None
    gap = timedelta(days=days)
    near = [moment for moment in moments if abs(due - moment) < gap]
    return max(near) if near else None
