"""How far a source's clock is from ours, read off the Date header of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

NOISE = timedelta(seconds=30)
"""A smaller difference is travel time and rounding, not a wrong clock."""


def difference_told(apart: timedelta) -> str:
    """A sentence for the end of a check, in both languages; empty where the clocks agree."""
    if not apart:
        return ""
    minutes = round(apart.total_seconds() / 60)
    return (
        f" 時計が {minutes} 分ずれています。サーバーの時計を確かめてください。"
        f"The clocks differ by {minutes} min. Check this server's clock."
    )


def skew(headers: Mapping[str, str], now: datetime | None = None) -> timedelta:
    """The source's time less ours; zero where it is unsaid, unreadable or below NOISE.

    ``headers`` have lower-case names. An answer that a cache gave out tells an old time.
    """
    told = headers.get("date", "")
    if not told or "age" in headers:
        return timedelta(0)
    try:
        moment = parsedate_to_datetime(told)
    except ValueError:
        return timedelta(0)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    apart = moment - (now or datetime.now(UTC))
    return apart if abs(apart) > NOISE else timedelta(0)
