"""Every fault of a mended mail has a sentence, in Japanese and English."""

from __future__ import annotations

import re
from pathlib import Path

from worker.mail import lint
from worker.rules.lint_words import LINT, lint_words


def test_every_code_of_the_lint_has_words() -> None:
    source = Path(lint.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'Finding\("(\w+)"', source))
    assert len(codes) > 10
    assert codes - set(LINT) == set()


def test_a_fault_is_told_in_words_and_never_as_a_code() -> None:
    said = lint_words("foreign_shop", "みどり茶舗 楽天市場店")
    assert said == (
        "ほかの店舗の名前が入っています: みどり茶舗 楽天市場店"
        " / it names another shop: みどり茶舗 楽天市場店"
    )
    assert "foreign_shop" not in said
