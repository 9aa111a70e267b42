"""Renders every shipped text with the sample customers; run as a module to write the results."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from worker.mail.facts import TextFacts
from worker.mail.placeholders import values
from worker.mail.render import Rendered, render, render_part
from worker.mail.samples import sample_facts
from worker.mail.texts import (
    ChosenText,
    FolderSource,
    load_card,
    load_text,
    shipped_root,
)
from worker.rules.states import CUSTOMER_KINDS, MailKind

FOLDER = Path(__file__).parent / "expected"
TEMPLATES = shipped_root() / "templates" / "mail"
SOURCE = FolderSource(shipped_root())
LOCALES = ("ja", "en")


def keys(locale: str) -> list[str]:
    """Every shipped text of a mail to one person as ``kind/family/rank[.occasion]``."""
    return [key for key in _all_keys(locale) if not is_draft(key)]


def _all_keys(locale: str) -> list[str]:
    found = TEMPLATES.joinpath(locale).glob("*/*/*/body.txt")
    names = (path.parent.relative_to(TEMPLATES / locale).as_posix() for path in found)
    return sorted(name for name in names if not name.startswith("card/"))


def is_draft(key: str) -> bool:
    """Whether the text is for a marketplace's own mailing tool and not for one person."""
    kind, family, _ = key.split("/")
    return family != "own" and MailKind(kind) in CUSTOMER_KINDS


def drafts(locale: str) -> list[str]:
    """Every shipped draft for a marketplace's own tool."""
    return [key for key in _all_keys(locale) if is_draft(key)]


def cards(locale: str) -> list[tuple[str, str]]:
    """Every shipped card as (family, name)."""
    found = TEMPLATES.joinpath(locale, "card").glob("*/*/body.txt")
    return sorted((path.parent.parent.name, path.parent.name) for path in found)


def facts_for(locale: str, key: str) -> TextFacts:
    """Sample facts that fit what the text is about."""
    kind, family, name = key.split("/")
    facts = sample_facts(locale, family, orders=2 if name.endswith(".several") else 1)
    number = {"milestone": 5, "second": 2}.get(name.partition(".")[2], 3)
    if kind == "milestone":
        number = 20
    facts = replace(facts, visit_number=number)
    if name.endswith(".returning"):
        facts = replace(facts, previous_ordered_at=datetime(2025, 6, 3, 2, 0, tzinfo=UTC))
    # Holidays stand in one text only, so that the expected mails read like ordinary days.
    return facts if key == "personal/own/any" else replace(facts, busy_period_line=None)


def rendered(locale: str, key: str) -> Rendered:
    """One expected mail."""
    text = load_text(SOURCE, locale, key)
    return render(text, values(facts_for(locale, key), locale))


def card(locale: str, family: str, name: str) -> ChosenText:
    """One card's text."""
    return load_card(SOURCE, locale, family, name.partition(".")[2] or None)


def card_rendered(locale: str, family: str, name: str) -> str:
    """One expected card."""
    facts = replace(sample_facts(locale, family), visit_number=20)
    return render_part(card(locale, family, name).body_text, values(facts, locale), html=False)


def files() -> Iterator[tuple[Path, str]]:
    """Every expected file below the folder, with its content."""
    for locale in LOCALES:
        for key in _all_keys(locale):
            mail = rendered(locale, key)
            yield Path(locale, f"{key}.txt"), f"Subject: {mail.subject}\n\n{mail.body_text}"
            if mail.body_html is not None:
                yield Path(locale, f"{key}.html"), mail.body_html
        for family, name in cards(locale):
            words = card_rendered(locale, family, name) + "\n"
            yield Path(locale, "card", family, f"{name}.txt"), words


def main() -> int:
    """Write all expected mails; files nobody renders any more are removed."""
    wanted = dict(files())
    for path in FOLDER.rglob("*.*"):
        if path.relative_to(FOLDER) not in wanted:
            path.unlink()
    for relative, text in wanted.items():
        target = FOLDER / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    sys.stderr.write(f"{len(wanted)} expected mails written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
