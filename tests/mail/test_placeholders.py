"""What every placeholder declares and what its value may be."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from worker.mail.facts import PersonName, ShopFacts
from worker.mail.placeholders import ALIASES, BY_NAME, PLACEHOLDERS, canonical, values
from worker.mail.samples import sample_facts

MAIL_TEXTS = frozenset(
    {
        "customer_name_honorific",
        "customer_family_honorific",
        "recipient_name_honorific",
        "shop_name",
        "mall_name",
        "staff_role",
        "staff_name",
        "order_number",
        "ordered_on_text",
        "order_lines_block",
        "order_count",
        "payment_method_text",
        "ship_plan_text",
        "arrival_text",
        "visit_number",
        "previous_order_text",
        "customer_since_text",
        "last_item_short_name",
        "last_delivered_text",
        "months_since_last_text",
        "personal_line",
        "question_line",
        "care_block",
        "busy_period_line",
        "season_line",
        "contact_mail",
        "contact_phone",
        "contact_hours",
        "shop_url",
        "coupon_value_text",
        "coupon_code",
        "mall_coupon_code",
        "coupon_min_spend_text",
        "coupon_targets_text",
        "coupon_expires_text",
        "sample_name",
        "legal_name",
        "postal_address",
        "unsubscribe_url",
    }
)


def test_every_placeholder_of_the_shop_s_texts_is_declared() -> None:
    assert MAIL_TEXTS - BY_NAME.keys() == frozenset()


def test_names_and_aliases_are_unique() -> None:
    names = [p.name for p in PLACEHOLDERS]
    aliases = [alias for p in PLACEHOLDERS for alias in p.aliases]
    assert len(names) == len(set(names))
    assert len(aliases) == len(set(aliases))
    assert ALIASES.keys().isdisjoint(BY_NAME)


def test_every_declaration_is_complete() -> None:
    for p in PLACEHOLDERS:
        assert all((p.label_ja, p.label_en, p.meaning, p.needs, p.sample_ja, p.sample_en)), p.name


def test_every_placeholder_can_be_typed_in_japanese() -> None:
    assert set(ALIASES.values()) == set(BY_NAME)
    spelled = [re.sub(r"\W+", "_", p.label_ja).strip("_") for p in PLACEHOLDERS]
    assert len(spelled) == len(set(spelled))
    assert canonical("発送_お届け予定") == "ship_plan_text"
    assert canonical("お客様名") == "customer_name_honorific"
    assert canonical("お客様名_姓") == "customer_family_honorific"
    assert canonical("shop_name") == "shop_name"
    assert canonical("知らない名前") is None


@pytest.mark.parametrize("locale", ["ja", "en"])
def test_the_samples_fill_every_placeholder_that_has_one(locale: str) -> None:
    own = values(sample_facts(locale), locale)
    mall = values(sample_facts(locale, "rakuten", orders=2), locale)
    prepaid = values(replace(sample_facts(locale), prepaid=True), locale)
    own_returns = replace(sample_facts(locale).shop, returns_text="返品について")
    returns = values(replace(sample_facts(locale), shop=own_returns), locale)
    filled = {n for v in (own, mall, prepaid, returns) for n, text in v.items() if text}
    assert filled == set(BY_NAME)


def test_the_samples_in_the_picker_are_what_the_sample_customer_gives() -> None:
    built = values(sample_facts("ja"), "ja")
    for name in (
        "customer_name_honorific",
        "order_number",
        "ordered_on_text",
        "ship_plan_text",
        "arrival_text",
        "visit_number",
        "previous_order_text",
        "customer_since_text",
        "last_delivered_text",
        "months_since_last_text",
        "coupon_value_text",
        "coupon_min_spend_text",
        "coupon_expires_text",
        "sample_name",
    ):
        assert built[name] == BY_NAME[name].sample_ja
    english = values(sample_facts("en"), "en")
    for name in (
        "ship_plan_text",
        "arrival_text",
        "previous_order_text",
        "months_since_last_text",
        "coupon_expires_text",
        "coupon_min_spend_text",
    ):
        assert english[name] == BY_NAME[name].sample_en


def test_a_missing_value_is_absent_and_an_optional_one_is_empty() -> None:
    facts = replace(sample_facts("ja"), visit_number=None, personal_line=None, shop=ShopFacts())
    built = values(facts, "ja")
    assert "visit_number" not in built
    assert "shop_name" not in built
    assert built["personal_line"] == ""


def test_a_refused_name_is_an_unknown_name() -> None:
    facts = replace(sample_facts("ja"), customer=PersonName(full_name="https://evil.example"))
    built = values(facts, "ja")
    assert "customer_name_honorific" not in built
    assert "customer_family_honorific" not in built


def test_only_the_named_values_are_built() -> None:
    assert values(sample_facts("ja"), "ja", {"shop_name"}) == {"shop_name": "みどり茶舗"}


def test_several_orders_show_the_first_number_and_how_many_more() -> None:
    assert values(sample_facts("ja", orders=3), "ja")["order_number"] == "20261122-0142 ほか2件"
    assert values(sample_facts("en", orders=2), "en")["order_number"] == "20261122-0142 and 1 more"


def test_values_from_outside_hold_no_line_breaks_or_controls() -> None:
    facts = replace(sample_facts("ja"), last_item_name="茶\r\nBcc: x\u202e", visit_number=2)
    assert values(facts, "ja")["last_item_short_name"] == "茶 Bcc: x"
