"""The look a text gets before it is saved, and the child that tries it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mail.expected import LOCALES, SOURCE, facts_for, keys
from worker.mail.check import LintMessage, check_source, try_in_child
from worker.mail.placeholders import values
from worker.mail.texts import load_text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_shipped_text_may_be_saved(locale: str) -> None:
    for key in keys(locale):
        text = load_text(SOURCE, locale, key)
        assert check_source(text.subject) == []
        assert check_source(text.body_text) == []
        assert check_source(text.body_html or "", html=True) == []


def test_an_unknown_placeholder_is_named_with_its_line() -> None:
    assert check_source("一\n{{ custmer_name }}\n{{ お客様名 }}") == [
        LintMessage(
            2, "unknown_placeholder", "custmer_name", "there is no placeholder called custmer_name"
        )
    ]


@pytest.mark.parametrize("source", ["{{ 'a' * 200000000 }}", "{{ 9 ** 9 }}"])
def test_multiplying_is_refused(source: str) -> None:
    assert [m.code for m in check_source(source)] == ["multiplies"]


def test_loops_calls_and_attributes_are_refused_with_their_line() -> None:
    found = check_source("a\n{% for x in shop_name %}{% endfor %}\n{{ shop_name.x }}")
    assert [(m.line, m.code, m.what) for m in found] == [
        (2, "not_allowed", "for"),
        (3, "not_allowed", "getattr"),
    ]


def test_a_syntax_error_says_where() -> None:
    found = check_source("a\n{% if shop_name %}")
    assert [(m.line, m.code) for m in found] == [(2, "syntax")]


def test_a_source_too_long_is_refused() -> None:
    assert [m.code for m in check_source("a" * 65_537)] == ["too_long"]


def test_the_child_renders_an_ordinary_text() -> None:
    text = load_text(SOURCE, "ja", "order_thanks/own/first")
    trial = try_in_child(text.body_text, values(facts_for("ja", text.key), "ja"))
    assert trial.ok
    assert trial.output.startswith("高橋 美咲 様\n")


def test_the_child_says_what_is_missing() -> None:
    trial = try_in_child("{{ shop_name }}", {})
    assert (trial.ok, trial.reason) == (False, "the text needs shop_name, which is not known")


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 900000000 }}",
        "{% for a in 'x' * 99999 %}{% for b in 'x' * 99999 %}{% endfor %}{% endfor %}",
    ],
)
def test_the_child_dies_alone_when_a_text_eats_memory_or_time(source: str) -> None:
    trial = try_in_child(source, {})
    assert (trial.ok, trial.reason) == (False, "the text used more time or memory than a mail may")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("<script>x</script>", "active"),
        ("<p onclick='x'>", "active"),
        ("<form action='x'>", "active"),
        ("<a href='javascript:x'>", "active"),
        ("<link rel='stylesheet' href='https://x'>", "active"),
        ("<p title={{ shop_name }}>", "unquoted"),
        ('<a href="{{ letter_body }}">', "scheme"),
    ],
)
def test_html_that_could_act_is_refused(row: str, code: str) -> None:
    assert [(m.line, m.code) for m in check_source(f"<p>\n{row}", html=True)] == [(2, code)]
    assert check_source('<a href="{{ shop_url }}">{{ 店のURL }}</a>', html=True) == []


def test_the_child_works_wherever_the_service_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert try_in_child("{{ shop_name }}", {"shop_name": "店"}).output == "店"
