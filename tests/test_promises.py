"""The page of promises names tests that exist."""

from __future__ import annotations

import re

from tests.folders import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_promise_names_tests_that_exist() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    found = NAMED.findall(page)

    assert {f"P{number}" for number in range(1, 17)} == set(
        re.findall(r"^\| (P\d+) ", page, re.MULTILINE)
    )
    missing = [
        f"{file}::{name}"
        for file, name in found
        if not (ROOT / file).is_file()
        or (name and f"def {name}(" not in (ROOT / file).read_text(encoding="utf-8"))
    ]
    assert missing == []
