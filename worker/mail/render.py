"""Renders a chosen text with its values, and refuses what must not be printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import css_inline

from worker.mail.placeholders import canonical
from worker.mail.sandbox import OUTPUT_LIMIT, MissingValue, TextRefused, compiled
from worker.mail.texts import ChosenText

__all__ = ["MissingValue", "Rendered", "TextRefused", "names_used", "render", "render_part"]

_BREAKS = re.compile(r"[\r\n\x00-\x08\x0b-\x1f\x7f\x85\u2028\u2029]")
_BRACES = re.compile(r"\{\{|\}\}|\{%|%\}|\{#")
_OPENING = re.compile(r"\{\{|\{%")
DOUBLED_HONORIFIC = re.compile(r"(?:様|さま|殿|御中)[ \u3000]*(?:様(?!方)|さま|殿|御中)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished mail. ``used`` holds every value the text speaks of, by declared name:

    a change of one of them, and of no other, makes an approval lapse (P5).
    """

    subject: str
    body_text: str
    body_html: str | None
    used: dict[str, str] = field(default_factory=dict)


def render(text: ChosenText, values: Mapping[str, str]) -> Rendered:
    """Render all parts.

    Raises MissingValue for a value that is not known, TextRefused for a text that is not
    allowed or whose result may not be sent (two lines of subject, 様 twice, open braces).
    """
    subject = render_part(text.subject, values, html=False).strip()
    if not subject or _BREAKS.search(subject):
        raise TextRefused("subject", "the subject must be one line of text")
    html = None
    if text.body_html is not None:
        html = _inlined(render_part(text.body_html, values, html=True))
    body = _tidied(render_part(text.body_text, values, html=False))
    _refuse_unsendable(subject, body, html)
    used = {name: values[name] for name in sorted(names_used(text)) if name in values}
    return Rendered(subject, body, html, used)


def names_used(text: ChosenText) -> frozenset[str]:
    """The declared names of all placeholders a text speaks of. Raises TextRefused."""
    return _names_used(text.subject, text.body_text, text.body_html)


@lru_cache(maxsize=512)
def _names_used(subject: str, body_text: str, body_html: str | None) -> frozenset[str]:
    found = compiled(subject, html=False)[1] | compiled(body_text, html=False)[1]
    if body_html is not None:
        found |= compiled(body_html, html=True)[1]
    return frozenset(canonical(name) or name for name in found)


def render_part(source: str, values: Mapping[str, str], *, html: bool) -> str:
    """Render one source with plain strings only. Raises MissingValue or TextRefused."""
    template, names = compiled(source, html=html)
    known = {name: values.get(canonical(name) or name) for name in names}
    result = template.render({name: value for name, value in known.items() if value is not None})
    if len(result) > OUTPUT_LIMIT // 4 and len(result.encode()) > OUTPUT_LIMIT:
        raise TextRefused("too_long", f"the mail is longer than {OUTPUT_LIMIT // 1024} KB")
    return result


def _tidied(body: str) -> str:
    """Close the gaps that empty optional blocks leave; one line break at the end."""
    rows = re.sub(r"[ \t\u3000]+$", "", body, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", rows).strip("\n") + "\n"


def _refuse_unsendable(subject: str, body: str, html: str | None) -> None:
    for part in (subject, body, html or ""):
        if DOUBLED_HONORIFIC.search(part):
            raise TextRefused("doubled_honorific", "an honorific stands twice in a row")
    # A style sheet may close two braces at once, so HTML is searched for opening ones.
    if _BRACES.search(subject) or _BRACES.search(body) or _OPENING.search(html or ""):
        raise TextRefused("open_braces", "braces of a placeholder are left in the text")


_INLINER = css_inline.CSSInliner(
    # Never fetch anything a text names; keep @media, which carries the dark mode.
    load_remote_stylesheets=False,
    keep_at_rules=True,
)


def _inlined(html: str) -> str:
    try:
        return str(_INLINER.inline(html))
    except css_inline.InlineError as error:
        raise TextRefused("style", f"the style sheet cannot be read: {error}") from error
