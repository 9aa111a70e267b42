"""The HTML part of a letter follows its words, and what was written by hand is known as such."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.folders import ROOT
from worker.mail.letters import follows, html_of, preheader_of
from worker.mail.sandbox import parse
from worker.mail.spoken import spoken, stored

LETTERS = sorted((ROOT / "templates/mail").glob("*/*/own/*/body.html"))


@pytest.mark.parametrize("path", LETTERS, ids=lambda p: "/".join(p.parts[-5:-1]))
def test_every_shipped_letter_follows_its_words(path: Path) -> None:
    text, html = (path.parent / "body.txt").read_text("utf-8"), path.read_text("utf-8")
    assert follows(text, html)
    assert follows(text, html_of(text, preheader_of(html)))
    assert not follows(f"{text}\n一行足した。\n", html)
    assert not follows(text, html.replace("<p>", '<p class="mine">', 1))


def test_paragraphs_lines_conditions_and_passages_become_html() -> None:
    text = (
        "{{ customer_name_honorific }}\n\nいつも & ありがとう\n<b>二行目</b>\n"
        "{% if personal_line %}\n{{ personal_line }}\n{% endif %}\n\n"
        '{% if sample_name %}\nA\nB\n{% else %}\nC\n{% endif %}\n\n{% include "signature" %}\n'
    )
    assert html_of(text, "お礼 <です>").splitlines() == [
        '{% include "head" %}',
        '<div class="preheader">お礼 &lt;です></div>',
        '{% include "letter" %}',
        "<p>",
        "{{ customer_name_honorific|lines }}",
        "</p>",
        "<p>",
        "いつも &amp; ありがとう",
        "<br>&lt;b&gt;二行目&lt;/b&gt;",
        "{% if personal_line %}",
        "<br>{{ personal_line|lines }}",
        "{% endif %}",
        "</p>",
        "{% if sample_name %}",
        "<p>",
        "A",
        "<br>B",
        "</p>",
        "{% else %}",
        "<p>",
        "C",
        "</p>",
        "{% endif %}",
        '{% include "signature" %}',
        '{% include "end" %}',
    ]
    assert preheader_of(html_of(text, "お礼 <です>")) == "お礼 <です>"


def test_names_between_the_braces_are_said_in_japanese_and_stored_as_one_name() -> None:
    source = (
        "{{ customer_family_honorific }} shop_name {% if not is_several %}"
        '{{ shop_name|lines }}{% endif %}{% include "signature" %}{{ unknown }}'
    )
    said = spoken(source, "ja")
    assert said == (
        "{{ お客様名_姓 }} shop_name {% if not ご注文が2件以上のとき %}"
        '{{ 店名|lines }}{% endif %}{% include "signature" %}{{ unknown }}'
    )
    assert stored(said) == source
    assert spoken(source, "en") == source
    parse(stored(said).replace('{% include "signature" %}', ""), html=False)


@pytest.mark.parametrize("path", sorted((ROOT / "templates/mail").rglob("*.txt")), ids=str)
def test_every_shipped_text_comes_back_as_it_was(path: Path) -> None:
    source = path.read_text("utf-8")
    assert stored(spoken(source, "ja")) == source
