"""Placeholders by the names people say: Japanese on the screen, one name in the store."""

from __future__ import annotations

import re

from worker.mail.placeholders import ALIASES, canonical

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\W\d]\w*")
_OWN = frozenset(
    {"if", "elif", "else", "endif", "not", "and", "or", "is", "defined", "include", "lines", "trim"}
)
_SAID = {name: alias for alias, name in reversed(ALIASES.items())}
"""One name to what staff call it; the label comes before other aliases."""


def spoken(source: str, locale: str) -> str:
    """The source as staff read it; in English the names in store are plain enough."""
    return _renamed(source, _SAID) if locale == "ja" else source


def stored(source: str) -> str:
    """The source with the one name behind each alias; unknown names stay, to be found wrong."""
    return _renamed(source, ALIASES)


def said(name: str, locale: str) -> str:
    """What to type between the braces for a declared placeholder."""
    return _SAID.get(name, name) if locale == "ja" else name


def _renamed(source: str, names: dict[str, str]) -> str:
    def word(found: re.Match[str]) -> str:
        name = found.group()
        if name[0] in "\"'" or name in _OWN:
            return name
        declared = canonical(name)
        return names.get(name, names.get(declared or "", name))

    return _TAG.sub(lambda tag: _WORD.sub(word, tag.group()), source)
