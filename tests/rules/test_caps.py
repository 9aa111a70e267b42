"""How often a person may be mailed."""

from __future__ import annotations

from datetime import timedelta

from tests.factories import tokyo
from worker.rules.caps import free_from, within
from worker.rules.shop import Caps

DAY = timedelta(days=1)
WANTED = tokyo("2026-11-16 11:40")
CAPS = Caps()


def test_nothing_in_the_way_changes_nothing() -> None:
    assert free_from(WANTED, [WANTED - 14 * DAY], [WANTED - 3 * DAY], CAPS) == WANTED


def test_two_advertisements_stand_fourteen_days_apart() -> None:
    assert free_from(WANTED, [WANTED - DAY], [], CAPS) == WANTED + 13 * DAY


def test_a_later_mail_pushes_as_well() -> None:
    assert free_from(WANTED, [], [WANTED + DAY], CAPS) == WANTED + 4 * DAY


def test_mails_in_a_row_push_again_and_again() -> None:
    order_mails = [WANTED + n * DAY for n in (0, 4, 8)]
    assert free_from(WANTED, [], order_mails, CAPS) == WANTED + 11 * DAY


def test_the_latest_near_one_is_named() -> None:
    moments = [WANTED - 130 * DAY, WANTED - 100 * DAY, WANTED - 90 * DAY]
    assert within(moments, WANTED, 120) == WANTED - 90 * DAY
    assert within(moments, WANTED, 0) is None
    assert within(moments, WANTED, 30) is None
