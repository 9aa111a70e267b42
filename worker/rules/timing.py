"""When a mail is due, read and useless: shop-local days, business days, windows, slots."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from worker.rules.shop import MailRule

_SEARCH_DAYS = 90
_BUSY_MINUTES = (0, 30)
"""Carriers are slow on the hour and the half hour (mail-texts, section 3)."""


class NoSlot(ValueError):
    """No day within three months satisfies the rule: its weekdays and closed days exclude all."""


@dataclass(frozen=True, slots=True)
class Days:
    """The shop's calendar: its zone, and which days nobody is there to answer."""

    zone: ZoneInfo
    closed: frozenset[date] = frozenset()

    def local(self, instant: datetime) -> datetime:
        """The instant on the shop's clock."""
        return instant.astimezone(self.zone)

    def day(self, instant: datetime) -> date:
        """The shop's calendar day of an instant."""
        return self.local(instant).date()

    def at(self, day: date, clock: time) -> datetime:
        """The instant of a shop-local clock time, in UTC."""
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)

    def is_open(self, day: date) -> bool:
        """Whether it is a business day."""
        return day not in self.closed

    def before_long_close(self, day: date) -> bool:
        """Whether two or more closed days follow at once."""
        return not self.is_open(day + timedelta(1)) and not self.is_open(day + timedelta(2))

    def add_open_days(self, day: date, count: int) -> date:
        """The ``count``-th business day after a day; 0 is the day itself or the next open one."""
        left = count
        while left > 0 or not self.is_open(day):
            day += timedelta(1)
            left -= self.is_open(day)
        return day


@dataclass(frozen=True, slots=True)
class Times:
    """``review`` is when the text is frozen; ``expires`` None: useful for ever."""

    cause: datetime
    due: datetime
    review: datetime
    expires: datetime | None


def jitter(seed: str, minutes: int) -> timedelta:
    """A delay of 0 to ``minutes``, always the same for the same seed."""
    if minutes <= 0:
        return timedelta()
    digest = hashlib.sha256(seed.encode()).digest()
    return timedelta(minutes=int.from_bytes(digest[:4], "big") % (minutes + 1))


def hours_for(rule: MailRule, *, carrier: bool) -> tuple[time, time]:
    """The allowed hours; carrier addresses have narrower ones."""
    return rule.carrier_hours if carrier and rule.carrier_hours else rule.hours


def _allowed(rule: MailRule, day: date, days: Days) -> bool:
    if rule.weekdays and day.weekday() not in rule.weekdays:
        return False
    if rule.business_days and not days.is_open(day):
        return False
    return not (rule.not_before_closed and days.before_long_close(day))


def _off_the_hour(moment: datetime, base: datetime, last: datetime) -> datetime | None:
    if moment.minute not in _BUSY_MINUTES:
        return moment
    around = (moment + timedelta(minutes=3), moment - timedelta(minutes=3))
    return next((near for near in around if base <= near <= last), None)


def _slot_on(
    rule: MailRule, day: date, earliest: datetime, days: Days, seed: str, hours: tuple[time, time]
) -> datetime | None:
    """The moment on this day, or None where the day is over before it."""
    first, last = days.at(day, hours[0]), days.at(day, hours[1])
    base = days.at(day, rule.at) if rule.at else first
    if rule.at and base < earliest:
        return None
    base = max(base, first, earliest)
    if base > last:
        return None
    room = int((last - base).total_seconds() // 60)
    return _off_the_hour(base + jitter(seed, min(rule.jitter_minutes, room)), base, last)


def next_slot(
    rule: MailRule, earliest: datetime, days: Days, seed: str, *, carrier: bool = False
) -> datetime:
    """The first allowed moment at or after ``earliest``. Raises NoSlot."""
    hours = hours_for(rule, carrier=carrier)
    day = days.day(earliest)
    for _ in range(_SEARCH_DAYS):
        if _allowed(rule, day, days):
            moment = _slot_on(rule, day, earliest, days, seed, hours)
            if moment is not None:
                return moment
        day += timedelta(1)
    raise NoSlot(f"rule {rule.kind} {rule.step}: no allowed day after {earliest:%Y-%m-%d}")


def earliest_of(rule: MailRule, family: str, cause: datetime, days: Days) -> datetime:
    """Cause plus delay: minutes count on the clock, days on the shop's calendar."""
    minutes = rule.delay_minutes_by_family.get(family, rule.delay_minutes)
    start = cause + timedelta(minutes=minutes)
    if not rule.delay_days:
        return start
    day = days.day(start) + timedelta(rule.delay_days)
    if rule.at:
        return days.at(day, time(0))
    return days.at(day, days.local(start).time())


def times_of(
    rule: MailRule,
    family: str,
    cause: datetime,
    days: Days,
    seed: str,
    now: datetime,
    *,
    carrier: bool = False,
    not_before: datetime | None = None,
) -> Times:
    """All moments of one mail.

    Uselessness counts from when the mail was due by its cause. A moment that has passed, or lies
    before ``not_before``, gives way to the next slot, so catching up keeps to the hours too. The
    caller compares ``expires`` with ``due`` and ``now``. Raises NoSlot.
    """
    wanted = next_slot(rule, earliest_of(rule, family, cause, days), days, seed, carrier=carrier)
    expires = wanted + timedelta(hours=rule.useful_hours) if rule.useful_hours else None
    floor = max(now, not_before or now)
    due = wanted if wanted >= floor else next_slot(rule, floor, days, seed, carrier=carrier)
    review = max(due - timedelta(minutes=rule.lead_minutes), now)
    return Times(cause=cause, due=due, review=min(review, due), expires=expires)


def too_late(times: Times, now: datetime) -> bool:
    """Whether the mail could only leave when it has become useless."""
    return times.expires is not None and (times.expires <= now or times.due > times.expires)


# --- parcels --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is known of when a parcel reaches the door."""

    designated_on: date | None = None
    delivered_at: datetime | None = None
    shipped_at: datetime | None = None
    far: bool = False


def arrival_on(parcel: Parcel, transit: int, transit_far: int, days: Days) -> date | None:
    """Designated day, else delivered day, else dispatch plus transit; None while unknown.

    A designated day that the dispatch already missed says nothing any more.
    """
    shipped_on = days.day(parcel.shipped_at) if parcel.shipped_at else None
    if parcel.designated_on and (shipped_on is None or parcel.designated_on >= shipped_on):
        return parcel.designated_on
    if parcel.delivered_at:
        return days.day(parcel.delivered_at)
    if shipped_on is None:
        return None
    return shipped_on + timedelta(transit_far if parcel.far else transit)


def is_far(address: str | None, prefectures: Sequence[str]) -> bool:
    """Whether an address lies where parcels take longer."""
    return bool(address) and any(name in (address or "") for name in prefectures)


def ship_by(from_day: date, days: Days, within: int) -> date:
    """Until when a parcel should go, in business days from a day."""
    return days.add_open_days(from_day, within)


# --- rhythm ---------------------------------------------------------------------------------

_OWN_RHYTHM_ORDERS = 3
"""Fewer visits have no rhythm of their own (mail-texts, section 3)."""


def dormant_days(rule: MailRule, visit_days: Sequence[date]) -> int:
    """After how many days without an order this person counts as dormant."""
    gap = usual_gap(visit_days)
    if gap is None or not rule.dormant_factor:
        return rule.dormant_days
    own = rule.dormant_factor * gap
    return max(rule.dormant_days, int(own.to_integral_value(rounding="ROUND_CEILING")))


def usual_gap(visit_days: Sequence[date]) -> Decimal | None:
    """Days between this person's visits: the median; None for too few to have a rhythm."""
    distinct = sorted(set(visit_days))
    if len(distinct) < _OWN_RHYTHM_ORDERS:
        return None
    gaps = [(later - earlier).days for earlier, later in pairwise(distinct)]
    return Decimal(str(median(gaps)))


def add_business_hours(
    start: datetime, hours: int, days: Days, opens: time, closes: time
) -> datetime:
    """The instant when ``hours`` business hours have passed since ``start``."""
    left = timedelta(hours=hours)
    day = days.day(start)
    for _ in range(_SEARCH_DAYS):
        if days.is_open(day):
            begin, end = max(start, days.at(day, opens)), days.at(day, closes)
            if begin < end:
                if begin + left <= end:
                    return begin + left
                left -= end - begin
        day += timedelta(1)
    raise NoSlot("no business day within three months")


# --- carriers -------------------------------------------------------------------------------

_CARRIER_DOMAINS = (
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "au.com",
    "softbank.ne.jp",
    "i.softbank.jp",
    "vodafone.ne.jp",
    "disney.ne.jp",
    "ymobile.ne.jp",
    "ymobile1.ne.jp",
    "y-mobile.ne.jp",
    "willcom.com",
    "wcm.ne.jp",
    "pdx.ne.jp",
    "emnet.ne.jp",
    "uqmobile.jp",
    "rakumail.jp",
)


def is_carrier(address: str | None) -> bool:
    """Whether the address belongs to a Japanese mobile carrier: it rings in somebody's pocket."""
    domain = (address or "").rpartition("@")[2].casefold()
    return any(domain == known or domain.endswith(f".{known}") for known in _CARRIER_DOMAINS)
