"""What about a mail a person should look at."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.factories import tokyo
from worker.rules.flags import MessageFacts, Noted, OrderSigns, flags_of
from worker.rules.review_modes import path_for, rule_for, sampled
from worker.rules.shop import Review, ReviewRule
from worker.rules.states import Flag, MailKind, ReviewMode

NOW = tokyo("2026-11-16 12:00")
ORDER = OrderSigns(number="1", total=3000)
PLAIN = MessageFacts(
    kind=MailKind.ORDER_THANKS,
    now=NOW,
    today=NOW.date(),
    orders=[ORDER],
    visit_number=1,
    rank="first",
    rank_order=("vip", "repeat", "first"),
    median_total=3000,
    median_factor=Decimal(5),
)
SEVENTH = replace(PLAIN, visit_number=7, rank="repeat", says_number=True, announced=6)


@pytest.mark.parametrize(
    ("facts", "flags"),
    [
        (PLAIN, []),
        (replace(PLAIN, orders=[replace(ORDER, total=15_001)]), [Flag.UNUSUAL_AMOUNT]),
        (replace(PLAIN, orders=[replace(ORDER, total=15_000)]), []),
        (replace(SEVENTH, orders=[replace(ORDER, total=99_000)]), []),
        (
            replace(PLAIN, orders=[replace(ORDER, delivery_date=date(2026, 11, 27))]),
            [Flag.LATE_DELIVERY],
        ),
        (replace(PLAIN, orders=[replace(ORDER, delivery_date=date(2026, 11, 26))]), []),
        (replace(PLAIN, orders=[replace(ORDER, no_rate=True)]), [Flag.SPENT_CURRENCY]),
        (replace(PLAIN, notes=[Noted(inquiry=False, at=NOW)]), [Flag.OPEN_NOTE]),
        (replace(PLAIN, notes=[Noted(inquiry=True, at=NOW)]), [Flag.OPEN_INQUIRY]),
        (replace(PLAIN, notes=[Noted(True, NOW - timedelta(days=15))]), [Flag.OPEN_NOTE]),
        (SEVENTH, []),
        (replace(SEVENTH, announced=5), [Flag.NUMBER_UNCERTAIN]),
        (replace(SEVENTH, announced=7), [Flag.DIFFERS_FROM_LAST]),
        (replace(SEVENTH, announced=9), [Flag.DIFFERS_FROM_LAST]),
        (replace(SEVENTH, kind=MailKind.MILESTONE, announced=7), []),
        (replace(SEVENTH, last_rank="vip"), [Flag.DIFFERS_FROM_LAST]),
        (replace(SEVENTH, last_rank="first"), []),
        (replace(PLAIN, identity_unsure=True), [Flag.IDENTITY_UNSURE]),
        (replace(PLAIN, text_seen=2, canary=3), [Flag.NEW_TEMPLATE]),
        (replace(PLAIN, text_seen=3, canary=3), []),
        (replace(PLAIN, missed_milestone=5), [Flag.MILESTONE_MISSED]),
    ],
)
def test_each_sign_raises_its_flag(facts: MessageFacts, flags: list[Flag]) -> None:
    assert [raised.flag for raised in flags_of(facts)] == flags


def test_any_flag_asks_for_a_person_in_every_mode() -> None:
    for mode in ReviewMode:
        rule = ReviewRule(mode=mode, sample_percent=0)
        assert path_for(rule, MailKind.ORDER_THANKS, "m", ["flag"]).reads


def test_a_sample_is_the_same_every_time_and_about_its_share() -> None:
    ids = [f"message-{n}" for n in range(2000)]
    read = [i for i in ids if sampled(i, 10)]
    assert read == [i for i in ids if sampled(i, 10)]
    assert 140 < len(read) < 260
    assert not any(sampled(i, 0) for i in ids)
    assert all(sampled(i, 100) for i in ids)


@pytest.mark.parametrize("kind", [MailKind.PERSONAL, MailKind.MILESTONE, MailKind.WIN_BACK])
def test_some_kinds_are_always_read(kind: MailKind) -> None:
    assert path_for(ReviewRule(mode=ReviewMode.AUTO), kind, "m", []).reads


def test_the_first_review_rule_that_fits_is_taken() -> None:
    vip = ReviewRule(ranks=("vip",), mode=ReviewMode.TIMED)
    rest = ReviewRule(families=("own",), mode=ReviewMode.AUTO)
    review = Review(rules=(vip, rest))
    assert rule_for(review, MailKind.ORDER_THANKS, "vip", "own") is vip
    assert rule_for(review, MailKind.ORDER_THANKS, "first", "own") is rest
    assert rule_for(review, MailKind.ORDER_THANKS, "first", "yahoo").mode is ReviewMode.REVIEW
