"""Days, windows, slots and delays on the shop's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from tests.factories import TOKYO, tokyo
from worker.rules import timing
from worker.rules.shop import MailRule
from worker.rules.states import MailKind
from worker.rules.timing import Days, NoSlot, Parcel

WEEKENDS = frozenset(
    date(2026, 1, 1) + timedelta(n)
    for n in range(900)
    if (date(2026, 1, 1) + timedelta(n)).weekday() > 4
)
NEW_YEAR = frozenset(date(2026, 12, 29) + timedelta(n) for n in range(6))
SUBSTITUTE = frozenset({date(2027, 3, 21), date(2027, 3, 22)})
DAYS = Days(TOKYO, WEEKENDS | NEW_YEAR | SUBSTITUTE | {date(2026, 11, 23)})

THANKS = MailRule(
    kind=MailKind.ORDER_THANKS,
    delay_minutes=30,
    delay_minutes_by_family={"rakuten": 60},
    hours=(time(8), time(21)),
    carrier_hours=(time(9), time(20)),
    jitter_minutes=0,
    useful_hours=48,
)
FOLLOW = MailRule(
    kind=MailKind.FOLLOW_UP,
    trigger="delivered",
    delay_days=3,
    at=time(10, 10),
    hours=(time(10), time(15)),
    business_days=True,
    not_before_closed=True,
    lead_minutes=1440,
    useful_hours=240,
)


def local(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("ordered", "family", "carrier", "due"),
    [
        ("2026-11-16 12:10", "own", False, "2026-11-16 12:40"),
        ("2026-11-16 12:10", "rakuten", False, "2026-11-16 13:10"),
        ("2026-11-16 12:00", "own", False, "2026-11-16 12:33"),  # never on the half hour
        ("2026-11-16 11:30", "own", False, "2026-11-16 12:03"),  # nor on the hour
        ("2026-11-16 20:45", "own", False, "2026-11-17 08:03"),  # the shop sleeps
        ("2026-11-16 19:40", "own", True, "2026-11-17 09:03"),  # carriers sleep longer
        ("2026-11-16 23:50", "own", False, "2026-11-17 08:03"),
        ("2026-11-17 00:10", "own", False, "2026-11-17 08:03"),
        ("2026-11-30 23:00", "own", False, "2026-12-01 08:03"),  # over the end of a month
        ("2028-02-28 22:00", "own", False, "2028-02-29 08:03"),  # the leap day
        ("2026-12-31 22:00", "own", False, "2027-01-01 08:03"),  # thanks go every day
    ],
)
def test_a_thank_you_keeps_to_the_waking_day(
    ordered: str, family: str, carrier: bool, due: str
) -> None:
    now = tokyo(ordered)
    times = timing.times_of(THANKS, family, now, DAYS, "a", now, carrier=carrier)
    assert local(times.due) == due
    assert times.expires == times.due + timedelta(hours=48)


@pytest.mark.parametrize(
    ("arrived", "due"),
    [
        ("2026-11-16", "2026-11-19"),  # Monday to Thursday
        ("2026-11-17", "2026-11-24"),  # Friday is before closed days, Monday a holiday
        ("2026-11-19", "2026-11-24"),
        ("2026-12-22", "2027-01-04"),  # the 25th is before a weekend, 28th before New Year
        ("2027-03-16", "2027-03-23"),  # Sunday's holiday is made up for on Monday
        ("2028-02-26", "2028-02-29"),
    ],
)
def test_a_follow_up_comes_when_somebody_is_there_to_answer(arrived: str, due: str) -> None:
    cause = tokyo(arrived)
    times = timing.times_of(FOLLOW, "own", cause, DAYS, "a", cause)
    assert local(times.due)[:10] == due
    assert times.review == max(times.due - timedelta(days=1), cause)


def test_midnight_is_tokyos_and_not_utcs() -> None:
    late = datetime(2026, 11, 15, 15, 30, tzinfo=UTC)  # 00:30 on the 16th in Tokyo
    assert DAYS.day(late) == date(2026, 11, 16)
    assert DAYS.day(late - timedelta(hours=1)) == date(2026, 11, 15)


def test_jitter_is_the_same_for_the_same_subject_and_avoids_full_hours() -> None:
    dues = set()
    for n in range(200):
        seed = f"order:own:{n}"
        cause = tokyo("2026-11-16")
        due = timing.times_of(FOLLOW, "own", cause, DAYS, seed, cause).due
        again = timing.times_of(FOLLOW, "own", cause, DAYS, seed, cause).due
        assert due == again
        assert due.minute not in (0, 30)
        assert time(10, 10) <= due.astimezone(TOKYO).time() <= time(10, 33)
        dues.add(due)
    assert len(dues) > 10


def test_catching_up_keeps_to_the_hours_and_to_the_first_expiry() -> None:
    cause, now = tokyo("2026-11-16 12:10"), tokyo("2026-11-17 22:00")
    times = timing.times_of(THANKS, "own", cause, DAYS, "a", now)
    assert local(times.due) == "2026-11-18 08:03"
    assert times.expires == tokyo("2026-11-18 12:40")
    assert not timing.too_late(times, now)


def test_what_can_only_come_after_its_use_is_too_late() -> None:
    cause, now = tokyo("2026-11-16 12:10"), tokyo("2026-11-18 12:41")
    assert timing.too_late(timing.times_of(THANKS, "own", cause, DAYS, "a", now), now)


def test_a_rule_without_any_day_says_so() -> None:
    never = MailRule(kind=MailKind.WIN_BACK, weekdays=(6,), business_days=True)
    with pytest.raises(NoSlot):
        timing.next_slot(never, tokyo("2026-11-16"), DAYS, "a")


@pytest.mark.parametrize(
    ("parcel", "arrives"),
    [
        (Parcel(), None),
        (Parcel(designated_on=date(2026, 11, 20)), date(2026, 11, 20)),
        (Parcel(shipped_at=tokyo("2026-11-16 15:00")), date(2026, 11, 18)),
        (Parcel(shipped_at=tokyo("2026-11-16 15:00"), far=True), date(2026, 11, 20)),
        (
            Parcel(delivered_at=tokyo("2026-11-17 23:30"), shipped_at=tokyo("2026-11-16 15:00")),
            date(2026, 11, 17),
        ),
        (
            Parcel(designated_on=date(2026, 11, 15), shipped_at=tokyo("2026-11-16 15:00")),
            date(2026, 11, 18),
        ),
    ],
)
def test_the_arrival_is_told_by_the_surest_source(parcel: Parcel, arrives: date | None) -> None:
    assert timing.arrival_on(parcel, 2, 4, DAYS) == arrives


def test_a_parcel_goes_within_business_days() -> None:
    assert timing.ship_by(date(2026, 11, 19), DAYS, 2) == date(2026, 11, 24)
    assert timing.ship_by(date(2026, 11, 22), DAYS, 2) == date(2026, 11, 25)  # a Sunday
    assert timing.ship_by(date(2026, 12, 26), DAYS, 2) == date(2027, 1, 4)
    assert timing.ship_by(date(2026, 11, 21), DAYS, 0) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("visits", "days"),
    [
        ([date(2026, 1, 1)], 90),
        ([date(2026, 1, 1), date(2026, 7, 1)], 90),
        ([date(2026, 1, 1), date(2026, 3, 2), date(2026, 5, 1)], 120),
        ([date(2026, 1, 1), date(2026, 1, 11), date(2026, 1, 21)], 90),
    ],
)
def test_dormancy_follows_the_persons_own_rhythm(visits: list[date], days: int) -> None:
    rule = MailRule(kind=MailKind.WIN_BACK, dormant_days=90, dormant_factor=Decimal(2))
    assert timing.dormant_days(rule, visits) == days


def test_business_hours_stop_at_night_and_over_the_weekend() -> None:
    end = timing.add_business_hours(tokyo("2026-11-20 16:00"), 4, DAYS, time(9), time(18))
    assert local(end) == "2026-11-24 11:00"


@pytest.mark.parametrize(
    ("address", "carrier"),
    [
        ("a@docomo.ne.jp", True),
        ("a@EZWEB.ne.jp", True),
        ("a@mb.softbank.ne.jp", True),
        ("a@gmail.com", False),
        ("a@notdocomo.ne.jp", False),
        (None, False),
    ],
)
def test_phone_addresses_are_known_by_their_domain(address: str | None, carrier: bool) -> None:
    assert timing.is_carrier(address) is carrier
