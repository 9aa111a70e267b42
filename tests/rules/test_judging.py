"""What becomes of one occasion, case by case."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.factories import TOKYO, tokyo
from tests.pipeline.planning import shipped
from worker.rules.judging import Case, Setting, judge
from worker.rules.occasions import choose_rule
from worker.rules.outcome_words import WORDS, outcome_words
from worker.rules.policy import Permission
from worker.rules.shop import Reward
from worker.rules.states import MailKind, Outcome, Sender, Verdict
from worker.rules.timing import Days, Parcel

K, Out = MailKind, Outcome
NOW = tokyo("2026-11-16 12:00")
RULES = shipped().mails.rules
SETTING = Setting(now=NOW, days=Days(TOKYO))
ALLOWED = Permission(Verdict.ALLOW)


def case(kind: MailKind = K.ORDER_THANKS, **changes: object) -> Case:
    rule = choose_rule(RULES, kind, "own", "first", 1, "1" if kind is K.WIN_BACK else "")
    base = Case(
        kind=kind,
        family="own",
        rule=rule,
        active_from=tokyo("2026-11-01"),
        sender=Sender.OKAERI,
        permission=ALLOWED,
        moment=NOW,
        seed="order:own:1",
        ordered_at=NOW,
        visit_number=1,
        rank="first",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


SHIPPED: dict[str, Any] = {"fulfilment": "shipped", "parcel": Parcel(shipped_at=NOW)}
GIVEN: dict[str, Any] = {"reward": Reward(coupon_pool="p"), "grant": "earned", **SHIPPED}


@pytest.mark.parametrize(
    ("given", "outcome", "code"),
    [
        (case(), Out.MESSAGE, "planned"),
        (case(life="cancelled"), Out.CANCELLED, "order_cancelled"),
        (case(fulfilment="returned"), Out.CANCELLED, "order_returned"),
        (case(payment="refunded"), Out.CANCELLED, "order_refunded"),
        (case(payment="refunded_part"), Out.MESSAGE, "planned"),
        (case(moment=tokyo("2026-10-31 23:59")), Out.NOT_ACTIVE, "before_active_from"),
        (case(moment=tokyo("2026-11-01")), Out.MESSAGE, "planned"),
        (case(sender=Sender.HUB), Out.OTHER_SENDER, "sender_hub"),
        (case(sender=Sender.MALL), Out.OTHER_SENDER, "sender_mall"),
        (case(sender=Sender.CART), Out.OTHER_SENDER, "sender_cart"),
        (case(sender=Sender.NOBODY), Out.OTHER_SENDER, "sender_nobody"),
        (case(rule=None), Out.NOT_WANTED, "no_rule_fits"),
        (case(delivery_count=2), Out.NOT_WANTED, "subscription_repeat"),
        (case(delivery_count=1), Out.MESSAGE, "planned"),
        (case(replaced_was_thanked=True), Out.ALREADY, "replaced_order_thanked"),
        (case(polled=False), Out.WAITING, "first_poll"),
        (case(**SHIPPED), Out.TOO_LATE, "already_shipped"),
        (case(payment="unpaid", payment_kind="prepayment"), Out.WAITING, "unpaid"),
        (case(payment="unpaid", payment_kind="cod"), Out.MESSAGE, "planned"),
        (
            case(
                payment="unpaid",
                payment_kind="prepayment",
                ordered_at=NOW - timedelta(days=61),
            ),
            Out.TOO_LATE,
            "never_paid",
        ),
        (case(ordered_at=NOW - timedelta(days=3)), Out.TOO_LATE, "past_useful"),
        (case(K.FOLLOW_UP), Out.WAITING, "not_shipped"),
        (case(K.FOLLOW_UP, **SHIPPED), Out.MESSAGE, "planned"),
        (
            case(K.FOLLOW_UP, ordered_at=NOW - timedelta(days=61)),
            Out.TOO_LATE,
            "never_shipped",
        ),
        (case(K.FOLLOW_UP, milestone_mailed=True, **SHIPPED), Out.NOT_WANTED, "milestone_instead"),
        (case(K.MILESTONE, **SHIPPED), Out.NOT_WANTED, "no_reward_entered"),
        (case(K.MILESTONE, **{**GIVEN, "grant": None}), Out.WAITING, "grant_pending"),
        (case(K.MILESTONE, **{**GIVEN, "grant": "reserved"}), Out.WAITING, "grant_pending"),
        (case(K.MILESTONE, **{**GIVEN, "grant": "to_decide"}), Out.WAITING, "reward_to_decide"),
        (case(K.MILESTONE, **{**GIVEN, "grant": "before_start"}), Out.NOT_WANTED, "before_start"),
        (case(K.MILESTONE, **{**GIVEN, "grant": "declined"}), Out.NOT_WANTED, "reward_declined"),
        (case(K.MILESTONE, **GIVEN), Out.MESSAGE, "planned"),
        (case(K.MILESTONE, number_uncertain=True, **GIVEN), Out.WAITING, "number_uncertain"),
        (case(K.MILESTONE, has_channel=False, **GIVEN), Out.NO_CHANNEL, "no_channel"),
        (case(K.MILESTONE, unsure=True, **GIVEN), Out.WAITING, "identity_unsure"),
        (case(K.MILESTONE, open_note=True, **GIVEN), Out.WAITING, "open_note"),
        (case(K.MILESTONE, unpaid_order=True, **GIVEN), Out.WAITING, "unpaid_order"),
        (case(K.WIN_BACK, cause=NOW, last_order_at=NOW - timedelta(90)), Out.MESSAGE, "planned"),
        (
            case(K.WIN_BACK, cause=NOW, last_order_at=NOW - timedelta(366)),
            Out.NOT_WANTED,
            "gave_up",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Case) else None,
)
def test_each_case_has_one_answer(given: Case, outcome: Outcome, code: str) -> None:
    found = judge(given, SETTING)
    assert (found.outcome, found.code) == (outcome, code)


def test_the_marketplaces_own_tool_comes_after_the_sender() -> None:
    platform = Permission(Verdict.PLATFORM, Outcome.HANDOFF, "platform_sends")
    given = case(K.MILESTONE, permission=platform, family="rakuten", **SHIPPED)
    assert judge(given, SETTING).outcome is Outcome.HANDOFF
    assert judge(replace(given, sender=Sender.NOBODY), SETTING).code == "sender_nobody"


def test_advertising_keeps_its_distance_and_is_postponed_not_dropped() -> None:
    given = case(K.WIN_BACK, cause=NOW, order_mails=[tokyo("2026-11-17 09:00")])
    found = judge(given, SETTING)
    assert (found.outcome, found.code) == (Outcome.MESSAGE, "postponed")
    assert found.times is not None
    assert found.times.due >= tokyo("2026-11-20 09:00")
    assert found.times.due.astimezone(TOKYO).weekday() in (1, 2, 3)


def test_advertising_that_finds_no_room_is_dropped_with_the_reason() -> None:
    ads = [NOW + timedelta(days=n) for n in range(0, 60, 10)]
    found = judge(case(K.WIN_BACK, cause=NOW, ads=ads), SETTING)
    assert (found.outcome, found.code) == (Outcome.CAPPED, "ads_recently")


def test_a_regular_is_followed_up_at_most_every_120_days() -> None:
    rule = choose_rule(RULES, K.FOLLOW_UP, "own", "repeat", 4)
    given = case(K.FOLLOW_UP, rule=rule, rank="repeat", visit_number=4, **SHIPPED)
    near = replace(given, same_kind=[NOW - timedelta(days=100)])
    assert judge(near, SETTING).code == "same_kind_recently"
    assert judge(replace(given, same_kind=[NOW - timedelta(days=130)]), SETTING).code == "planned"


@pytest.mark.parametrize(
    ("rank", "number", "name"),
    [("first", 1, "first"), ("repeat", 2, "first"), ("repeat", 3, "repeat"), ("vip", 9, "vip")],
)
def test_the_first_rule_that_fits_speaks(rank: str, number: int, name: str) -> None:
    rule = choose_rule(RULES, K.FOLLOW_UP, "own", rank, number)
    assert rule is not None
    assert rule.name == name


def test_every_code_that_is_written_has_words() -> None:
    root = Path(__file__).resolve().parents[2] / "worker"
    sources = [
        *(root / "rules").glob("judging.py"),
        *(root / "rules").glob("policy.py"),
        *(root / "pipeline").glob("plan*.py"),
        *(root / "pipeline").glob("render_freeze.py"),
    ]
    found: set[str] = set()
    for source in sources:
        text = source.read_text("utf-8")
        found |= set(re.findall(r'(?:Outcome\.[A-Z_]+|outcome), "([a-z_]+)"', text))
        found |= set(re.findall(r'"code": "([a-z_]+)"', text))
        found |= set(re.findall(r'"((?:sender|grant|reward)_[a-z_]+)"', text))
    found -= {"cancel", "complete", "facts_changed", "reward_rule", "sender_of"}
    assert len(found) > 30
    assert found <= set(WORDS)


def test_words_are_sentences_in_both_languages() -> None:
    for code in WORDS:
        japanese = outcome_words({"code": code, "days": 60}, "ja")
        english = outcome_words({"code": code, "days": 60}, "en")
        assert japanese.endswith("。")
        assert english.endswith(".")
        assert "{" not in japanese + english
    assert outcome_words({"code": "strange"}, "en") == "Recorded reason: strange"
