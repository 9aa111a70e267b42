"""What a placeholder declares, and the two plainest ways to build its value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter

from worker.mail import names
from worker.mail.facts import TextFacts

Build = Callable[[TextFacts, str], str | None]


@dataclass(frozen=True, slots=True)
class Placeholder:
    """``build`` gives the value or None for unknown; an optional one is then empty text.

    ``needs`` names the fields of TextFacts it is made of. ``quoted`` values repeat what the
    order or a supplier wrote, so the content lint does not read them as the shop's own words.
    """

    name: str
    label_ja: str
    label_en: str
    meaning: str
    needs: tuple[str, ...]
    sample_ja: str
    sample_en: str
    build: Build
    optional: bool = False
    personal: bool = False
    quoted: bool = False
    aliases: tuple[str, ...] = ()
    condition: bool = False
    """Meant for ``{% if %}`` only; prints nothing readable."""

    def label(self, locale: str) -> str:
        """The label in the desk's language."""
        return self.label_ja if locale == "ja" else self.label_en

    def sample(self, locale: str) -> str:
        """A sample value for the picker."""
        return self.sample_ja if locale == "ja" else self.sample_en


def line(path: str) -> Build:
    """Build from one field, cleaned to a single line."""
    get = attrgetter(path)
    return lambda facts, _locale: names.clean(get(facts)) or None


def block(path: str) -> Build:
    """Build from one field of several lines."""
    get = attrgetter(path)
    return lambda facts, _locale: clean_block(get(facts)) or None


def clean_block(text: str | None) -> str:
    """Clean a text of several lines line by line; outer blank lines go."""
    rows = (text or "").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(names.clean(row) for row in rows).strip("\n")
