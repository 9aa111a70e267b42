"""Rendering: the closed room, the values it used, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.mail.expected import SOURCE
from worker.mail.placeholders import values
from worker.mail.render import MissingValue, TextRefused, names_used, render, render_part
from worker.mail.samples import sample_facts
from worker.mail.texts import ChosenText, choose_text


def text(subject: str = "s", body: str = "b", html: str | None = None) -> ChosenText:
    return ChosenText("order_thanks/own/any", "ja", subject, body, html, "v")


def test_a_missing_value_holds_and_says_its_name() -> None:
    with pytest.raises(MissingValue) as caught:
        render(text(body="{{ visit_number }}回目"), {})
    assert caught.value.name == "visit_number"


@pytest.mark.parametrize(
    "body", ["{{ x|lines }}", "{{ x|trim }}", "{% if x %}a{% endif %}", "{% if not x %}{% endif %}"]
)
@pytest.mark.parametrize("html", [False, True])
def test_a_missing_value_holds_in_filters_and_conditions(body: str, html: bool) -> None:
    with pytest.raises(MissingValue):
        render_part(body, {}, html=html)


def test_a_text_may_ask_whether_a_value_is_there() -> None:
    source = "{% if sample_name is defined %}あり{% else %}なし{% endif %}"
    assert render_part(source, {}, html=False) == "なし"
    assert render_part(source, {"sample_name": "x"}, html=False) == "あり"


def test_a_japanese_name_between_the_braces_is_the_same_value() -> None:
    mail = render(text(body="{{ お客様名 }}"), {"customer_name_honorific": "高橋 様"})
    assert mail.body_text == "高橋 様\n"
    assert mail.used == {"customer_name_honorific": "高橋 様"}


def test_what_was_used_is_recorded_and_nothing_else() -> None:
    chosen = text("{{ shop_name }}", "{% if personal_line %}{{ personal_line }}{% endif %}")
    given = {"shop_name": "店", "personal_line": "", "visit_number": "3"}
    assert render(chosen, given).used == {"shop_name": "店", "personal_line": ""}
    assert names_used(chosen) == {"shop_name", "personal_line"}


def test_an_empty_optional_block_leaves_no_gap() -> None:
    body = "一\n{% if personal_line %}\n{{ personal_line }}\n{% endif %}\n\n二"
    assert render(text(body=body), {"personal_line": ""}).body_text == "一\n\n二\n"
    assert render(text(body=body), {"personal_line": "言"}).body_text == "一\n言\n\n二\n"


def test_html_escapes_values_and_keeps_their_line_breaks() -> None:
    rendered = render_part("<p>{{ letter_body|lines }}</p>", {"letter_body": "<b>&\n二"}, html=True)
    assert rendered == "<p>&lt;b&gt;&amp;<br>\n二</p>"
    assert render_part("{{ letter_body }}", {"letter_body": "<b>&"}, html=False) == "<b>&"


def test_a_value_in_html_is_escaped_without_any_filter() -> None:
    rendered = render_part('<p title="{{ shop_name }}">', {"shop_name": '"><script>'}, html=True)
    assert rendered == '<p title="&#34;&gt;&lt;script&gt;">'


def test_a_value_is_never_rendered_again() -> None:
    with pytest.raises(TextRefused) as caught:
        render(text(body="{{ shop_name }}"), {"shop_name": "{{ coupon_code }}", "coupon_code": "X"})
    assert caught.value.code == "open_braces"


@pytest.mark.parametrize("value", ["a\nBcc: x@example.com", "a\rb", "a\x00b", "a\u2028b"])
def test_the_subject_is_one_line(value: str) -> None:
    with pytest.raises(TextRefused) as caught:
        render(text(subject="{{ shop_name }}"), {"shop_name": value})
    assert caught.value.code == "subject"


def test_an_empty_subject_is_refused() -> None:
    with pytest.raises(TextRefused):
        render(text(subject="{{ personal_line }}"), {"personal_line": ""})


@pytest.mark.parametrize(
    "name", ["高橋 様様", "高橋様 様", "高橋 様さま", "みどり 御中 様", "高橋殿様"]
)
def test_a_doubled_honorific_is_refused(name: str) -> None:
    with pytest.raises(TextRefused) as caught:
        render(text(body="{{ shop_name }}"), {"shop_name": name})
    assert caught.value.code == "doubled_honorific"


def test_a_typed_honorific_behind_the_placeholder_is_refused() -> None:
    with pytest.raises(TextRefused):
        render(text(body="{{ お客様名 }}様"), {"customer_name_honorific": "高橋 様"})


def test_a_lodger_s_address_is_no_doubled_honorific() -> None:
    assert render(text(body="高橋様 様方"), {}).body_text == "高橋様 様方\n"


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in b %}{% endfor %}",
        "{{ 'a' * 200000000 }}",
        "{{ 2 ** 99999999 }}",
        "{{ shop_name.__class__ }}",
        "{{ shop_name['x'] }}",
        "{{ shop_name.upper() }}",
        "{{ range(9) }}",
        "{{ shop_name|replace('a', 'b') }}",
        "{% set x = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{{ [1] }}",
        "{{ shop_name ~ shop_name }}",
        "{{ shop_name",
        "{{ 'x'|safe }}",
    ],
)
def test_the_closed_room_knows_only_words_values_and_conditions(source: str) -> None:
    with pytest.raises(TextRefused):
        render_part(source, {"shop_name": "a"}, html=True)


def test_a_source_or_result_too_long_is_refused() -> None:
    with pytest.raises(TextRefused):
        render_part("あ" * 30_000, {}, html=False)
    with pytest.raises(TextRefused):
        render_part("{{ letter_body }}" * 10, {"letter_body": "a" * 60_000}, html=False)


def test_the_html_of_an_own_shop_is_one_letter_with_dark_mode() -> None:
    chosen = choose_text(SOURCE, "ja", "order_thanks", "own", "first")
    html = render(chosen, values(sample_facts("ja"), "ja")).body_html
    assert html is not None
    assert '<html lang="ja">' in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "#e9ece8 !important" in html
    assert 'class="inner" style=' in html
    assert "font-size: 16px" in html
    assert 40 <= len(html.split('class="preheader"')[1].split(">")[1].split("<")[0]) <= 90
    assert "<script" not in html
    assert "<img" not in html
    assert len(html.encode()) < 100_000


def test_style_sheets_are_never_fetched() -> None:
    html = (
        '<html><head><link rel="stylesheet" href="http://127.0.0.1:9/x.css"></head><p>a</p></html>'
    )
    assert render(text(html=html), {}).body_html is not None


def test_a_hostile_name_stays_a_name() -> None:
    facts = sample_facts("ja")
    customer = replace(facts.customer, family_name="<script>alert(1)</script>")
    chosen = choose_text(SOURCE, "ja", "order_thanks", "own", "first")
    mail = render(chosen, values(replace(facts, customer=customer), "ja"))
    assert mail.body_html is not None
    assert "<script" not in mail.body_html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.body_html
