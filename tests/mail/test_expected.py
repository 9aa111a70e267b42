"""Every shipped text, rendered and compared with what was read and approved."""

from __future__ import annotations

import html as html_module
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mail.expected import FOLDER, LOCALES, SOURCE, facts_for, files, keys, rendered
from worker.mail.kinds import KINDS
from worker.mail.lint import LintContext, is_advertisement, lint_content
from worker.mail.placeholders import values
from worker.mail.render import render
from worker.mail.samples import sample_shop
from worker.mail.texts import load_text
from worker.rules.states import MailKind

HOSTS = frozenset({"midori-chaho.example"})
ALL = [(locale, key) for locale in LOCALES for key in keys(locale)]


def test_the_mails_are_as_expected_and_none_is_left_over() -> None:
    wanted = dict(files())
    present = {path.relative_to(FOLDER) for path in FOLDER.rglob("*.*")}
    assert present == set(wanted), "run: python -m tests.mail.expected"
    changed = [str(p) for p, t in wanted.items() if _read(p) != t]
    assert changed == [], "read the change, then run: python -m tests.mail.expected"


def _read(path: Path) -> str:
    return (FOLDER / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(("locale", "key"), ALL)
def test_every_mail_passes_its_channels_lint(locale: str, key: str) -> None:
    kind, family, _ = key.split("/")
    shop = sample_shop(locale, "own")
    context = LintContext(
        family=family,
        is_advertisement=KINDS[MailKind(kind)].advertisement,
        own_hosts=HOSTS,
        legal_name=shop.legal_name or "",
        postal_address=shop.postal_address or "",
        unsubscribe_url="https://midori-chaho.example/u/3f9cKq2ZtR8vLm5NwXy1Ab",
        foreign_names=[] if family == "own" else [f"{shop.shop_name} 本店", "midori-chaho"],
    )
    assert lint_content(rendered(locale, key), context) == []


@pytest.mark.parametrize(("locale", "key"), ALL)
def test_only_advertising_kinds_read_like_advertisements(locale: str, key: str) -> None:
    kind = MailKind(key.split("/")[0])
    evidence = is_advertisement(rendered(locale, key), HOSTS)
    assert bool(evidence) == KINDS[kind].advertisement


@pytest.mark.parametrize(("locale", "key"), [(lo, k) for lo, k in ALL if "/own/" in k])
def test_text_and_html_say_the_same(locale: str, key: str) -> None:
    mail = rendered(locale, key)
    assert mail.body_html is not None
    inner = mail.body_html.split('class="inner"')[1].partition(">")[2]
    inner = inner.split("</td>")[0]
    said = html_module.unescape(re.sub(r"<[^>]+>", "", inner))
    rules = re.compile(r"[\s\u3000]|─+|-{8}")
    assert rules.sub("", said) == rules.sub("", mail.body_text)


@pytest.mark.parametrize("key", [k for lo, k in ALL if lo == "ja"])
def test_japanese_subjects_name_the_shop_first_and_count_nothing(key: str) -> None:
    mail = rendered("ja", key)
    assert mail.subject.startswith("【みどり茶舗")
    if key != "milestone/own/any.fifth" and key != "milestone/own/any.tenth":
        assert not re.search(r"\d+回目", mail.subject)


@pytest.mark.parametrize("key", [k for lo, k in ALL if lo == "ja"])
def test_the_first_visit_is_never_called_one(key: str) -> None:
    body = rendered("ja", key).body_text
    for words in ("はじめまして", "初めて", "はじめて", "VIP", "リピーター", "ご注文を承りました"):
        assert words not in body


def test_uncertain_and_first_texts_name_no_number() -> None:
    for family in ("own", "rakuten", "yahoo"):
        for name in (
            "first",
            "first.several",
            "any",
            "any.gift",
            "any.added",
            "repeat.uncertain",
            "repeat.several",
        ):
            for locale in LOCALES:
                used = rendered(locale, f"order_thanks/{family}/{name}").used
                assert not {"visit_number", "visit_ordinal_text"} & used.keys(), name


@pytest.mark.parametrize(("locale", "key"), ALL)
def test_every_mail_holds_what_its_kind_must(locale: str, key: str) -> None:
    kind, family, _ = key.split("/")
    used = rendered(locale, key).used.keys()
    must = {"customer_name_honorific", "shop_name", "contact_phone", "contact_hours"}
    if kind == "order_thanks":
        must |= {
            "order_number",
            "ordered_on_text",
            "order_lines_block",
            "payment_method_text",
            "delivery_plan_text",
            "returns_text",
        }
    if kind in {"follow_up", "review_request", "shipping_notice"}:
        must |= {"order_number", "ordered_on_text"}
    if kind == "shipping_notice":
        must |= {"carrier_name", "tracking_number", "item_names_block"}
    if KINDS[MailKind(kind)].advertisement:
        must |= {"legal_name", "postal_address", "unsubscribe_url", "contact_mail"}
    if kind == "milestone" or key.endswith("step2"):
        must |= {
            "coupon_code",
            "coupon_value_text",
            "coupon_min_spend_text",
            "coupon_targets_text",
            "coupon_expires_text",
        }
    assert must - used == set()
    if family != "own":
        assert not {"shop_url", "contact_mail", "unsubscribe_url", "coupon_code"} & used


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("page", [None, "mailto:hello@midori-chaho.example?subject=unsubscribe"])
def test_without_a_page_an_advertisement_names_the_address_that_stops_it(
    locale: str, page: str | None
) -> None:
    facts = replace(facts_for(locale, "win_back/own/any.step1"), unsubscribe_url=page)
    text = load_text(SOURCE, locale, "win_back/own/any.step1")
    mail = render(text, values(facts, locale))
    assert "unsubscribe_url" not in mail.used
    row = next(row for row in mail.body_text.split("\n") if re.search("配信停止|unsubscribe", row))
    assert "hello@midori-chaho.example" in row
    context = LintContext(
        "own",
        is_advertisement=True,
        own_hosts=HOSTS,
        legal_name=facts.shop.legal_name or "",
        postal_address=facts.shop.postal_address or "",
        unsubscribe_url="mailto:hello@midori-chaho.example?subject=unsubscribe",
    )
    assert lint_content(mail, context) == []
