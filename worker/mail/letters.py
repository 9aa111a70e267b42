"""Makes the HTML part of a letter from its words, so that whoever mends the words mends both."""

from __future__ import annotations

import re
from collections.abc import Iterator

_INCLUDE = re.compile(r'\s*\{% include "[^"]*" %\}\s*')
_TAG = re.compile(r"\s*\{%.*%\}\s*")
_ALONE = re.compile(r"\{\{ ?(\w+) ?\}\}")
_FREE_WORDS = re.compile(
    r"\{\{ ?(customer_name_honorific|recipient_name_honorific|personal_line|question_line"
    r"|care_block|season_line|letter_body|item_names_block) ?\}\}"
)
_PREHEADER = re.compile(r'<div class="preheader">(.*?)</div>', re.DOTALL)
_BREAK = re.compile(r"\s*<br>\s*")
_LINES = re.compile(r"\|\s*lines(?=\s*\}\})")


def html_of(text: str, preheader: str = "") -> str:
    """The letter as HTML: a paragraph where the text has one, blocks as they stand.

    ``preheader`` is the line that mailboxes show beside the subject; it may name placeholders.
    """
    shown = preheader.strip().replace("<", "&lt;")
    rows = ['{% include "head" %}']
    rows += [f'<div class="preheader">{shown}</div>'] if shown else []
    rows.append('{% include "letter" %}')
    for paragraph in _paragraphs(text):
        rows += _paragraph(paragraph)
    rows.append('{% include "end" %}')
    return "\n".join(rows) + "\n"


def preheader_of(html: str | None) -> str:
    """The line beside the subject of an HTML part; empty where it has none."""
    found = _PREHEADER.search(html or "")
    return found.group(1).strip().replace("&lt;", "<") if found else ""


def follows(text: str, html: str | None) -> bool:
    """Whether the HTML part says what the text says, and nothing that was written by hand."""
    return html is not None and _plain(html_of(text, preheader_of(html))) == _plain(html)


def _plain(html: str) -> str:
    one = _BREAK.sub("\n<br>", _LINES.sub("", html))
    return one.replace("{{ ", "{{").replace(" }}", "}}").strip()


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Stretches between blank lines; a block stands by itself, a condition keeps its lines."""
    found: list[str] = []
    for row in text.strip("\n").split("\n"):
        if _INCLUDE.fullmatch(row):
            yield from filter(None, (found, [row.strip()]))
            found = []
        elif row.strip():
            found.append(row.strip())
        elif found:
            yield found
            found = []
    if found:
        yield found


def _paragraph(rows: list[str]) -> list[str]:
    if _INCLUDE.fullmatch(rows[0]):
        return rows
    if all(_TAG.fullmatch(row) for row in rows):
        return rows
    if _TAG.fullmatch(rows[0]):
        return list(_branches(rows))
    made, first = ["<p>"], True
    for row in rows:
        if _TAG.fullmatch(row):
            made.append(row)
            continue
        made.append(_row(row) if first else f"<br>{_row(row)}")
        first = False
    return [*made, "</p>"]


def _branches(rows: list[str]) -> Iterator[str]:
    """Each branch of a condition is a paragraph of its own, or none where it does not hold."""
    is_open = False
    for row in rows:
        if _TAG.fullmatch(row):
            if is_open:
                yield "</p>"
            is_open = False
            yield row
            continue
        if not is_open:
            yield "<p>"
        yield f"<br>{_row(row)}" if is_open else _row(row)
        is_open = True
    if is_open:
        yield "</p>"


def _row(row: str) -> str:
    """Words of people may have several lines; signs that HTML knows are no mark-up here."""
    kept = row.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if _ALONE.fullmatch(row):
        return _ALONE.sub(r"{{ \1|lines }}", row)
    return _FREE_WORDS.sub(r"{{ \1|lines }}", kept)
